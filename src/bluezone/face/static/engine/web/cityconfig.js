// SPDX-License-Identifier: Apache-2.0
/**
 * The city's signed config in this browser: taken in along one unbroken history (docs/protocol.md sections 4 and 5).
 *
 * Every refusal keeps what is held. The first key is pinned by the page and never exchanged.
 */
import { Refusal } from "../refusal.js";
import { base64, fromBase64, fromHex, hex, utf8 } from "./bytes.js";
import { decodeConfig, followConfig, HISTORY_LENGTH } from "./configfile.js";
import { sha256 } from "./digests.js";
import { fingerprint } from "./ed25519.js";
import { MAX_SIGNED_BYTES, openSigned } from "./signedjson.js";

const ANNOUNCED_BEFORE_USE_SECONDS = 7 * 86_400;
const WEEK_SECONDS = 7 * 86_400;
export const DEFAULT_ZONE = "Asia/Ho_Chi_Minh";

export class CityConfig {
  constructor(store, client) {
    this.store = store;
    this.client = client;
    this.read = null;
  }

  /** Fix whose files are believed. hex64: the raw Ed25519 key. Rejects with trust_invalid, trust_missing. */
  async pin(hex64) {
    const held = await this.store.get("trust");
    if (hex64 === undefined || hex64 === null) {
      if (held === undefined) throw new Refusal("trust_missing", {}, "the page does not say whose files to believe");
      return;
    }
    if (!/^[0-9a-f]{64}$/.test(hex64)) throw new Refusal("trust_invalid", {}, "the city's key is not 64 hex digits");
    if (held !== undefined && held !== hex64) {
      throw new Refusal("trust_invalid", {}, "this browser was set up with another key; erasing everything starts anew");
    }
    if (held === undefined) await this.store.write({ trust: hex64 });
  }

  /** The pinned key by its fingerprint. */
  async trusted() {
    const held = await this.store.get("trust");
    if (held === undefined) throw new Refusal("trust_missing");
    const key = fromHex(held);
    return { [await fingerprint(key)]: key };
  }

  /** The config in force here with its sha256 (hex), or null before the first. */
  async held() {
    const kept = await this.store.get("config");
    if (kept === undefined) return null;
    if (this.read === null || this.read.sha256 !== kept.sha256) {
      this.read = { ...(await decodeConfig(fromBase64(kept.payload))), sha256: kept.sha256 };
    }
    return this.read;
  }

  /** Whether an index that names this config belongs to the history held here. */
  async knows(configSha256) {
    const held = await this.held();
    return held !== null && (held.sha256 === configSha256 || held.history.includes(configSha256));
  }

  /** Whether the config held is recent enough to know this week's upload keys. */
  async covers(now) {
    const held = await this.held();
    const keys = held ? held.weekKeys : [];
    return keys.some((key) => key.purpose === "upload" && now >= key.use_from && now - key.use_from < WEEK_SECONDS);
  }

  /** Fetch the config and take it in if it continues the history; returns the one in force. */
  async update() {
    const offered = await this.fetch("/v1/config");
    let held = await this.held();
    if (held === null) return this.accept(offered, true);
    try {
      await this.follow(offered, held);
    } catch (refusal) {
      if (refusal.code !== "config_gap") throw refusal;
      if (!(await this.catchUp(offered.config.number))) {
        return this.accept(offered, true, { notice: "config_started_anew" });
      }
      held = await this.held();
      await this.follow(offered, held);
    }
    return this.held();
  }

  /** The upload key `kid` for a class, if it may be asked for a certificate now. Rejects with week_key_untrusted. */
  async requireTrusted(kid, klass, now) {
    const held = await this.held();
    const key = (held ? held.weekKeys : []).find((one) => one.kid === kid && one.purpose === "upload");
    const untrusted = (why) => new Refusal("week_key_untrusted", { kid }, why);
    if (!key || key.klass !== klass || now < key.use_from || now > key.accept_until) {
      throw untrusted(`key ${kid} is not for this kind of code and this week; nothing was sent`);
    }
    const seen = ((await this.store.get("week_keys")) || {})[await digest(key)];
    if (!seen || !(seen.first || seen.at <= key.use_from - ANNOUNCED_BEFORE_USE_SECONDS)) {
      throw untrusted(`key ${kid} was not announced 7 days before its week; nothing was sent`);
    }
    return key;
  }

  /** The key random packets are signed with. Rejects with week_key_untrusted. */
  async chaffKey(now) {
    const held = await this.held();
    const keys = (held ? held.weekKeys : []).filter((key) => key.purpose === "chaff");
    const usable = keys.filter((key) => key.use_from <= now && now <= key.accept_until);
    if (!keys.length) throw new Refusal("week_key_untrusted", {}, "the config names no key for random packets");
    return usable[0] || keys[0];
  }

  async fetch(path) {
    const payload = await openSigned("config", await this.client.get(path, MAX_SIGNED_BYTES), await this.trusted());
    return { payload, config: await decodeConfig(payload), sha256: hex(await sha256(payload)) };
  }

  async follow(offered, held) {
    followConfig(offered.config, offered.sha256, held);
    let known = (await this.store.get("week_keys")) || {};
    if (offered.config.number > held.number + 1 && (await this.saysNewKeys(offered.config, known))) {
      known = await this.readBetween(offered.config, held, known);
    }
    return this.accept(offered, false, {}, known);
  }

  async saysNewKeys(config, known) {
    const digests = await Promise.all(config.weekKeys.map(digest));
    return digests.some((name) => known[name] === undefined);
  }

  /** Learn from the configs missed when their week keys were announced; those that are gone teach nothing. */
  async readBetween(config, held, known) {
    let learnt = known;
    for (let number = held.number + 1; number < config.number; number += 1) {
      const between = await this.fetchOrNull(`/v1/config/${number}`);
      if (between === null) continue;
      if (between.sha256 !== config.history[config.history.length + number - config.number]) {
        throw new Refusal("config_history_differs", { number });
      }
      learnt = await noted(learnt, between.config, false);
    }
    return learnt;
  }

  /** Go forward in steps of one history's length; false if the server no longer has such a config. */
  async catchUp(newest) {
    for (;;) {
      const held = await this.held();
      const number = held.number + HISTORY_LENGTH;
      if (number >= newest) return true;
      const between = await this.fetchOrNull(`/v1/config/${number}`);
      if (between === null) return false;
      if (between.config.number !== number) throw new Refusal("config_history_differs", { number });
      await this.follow(between, held);
    }
  }

  async fetchOrNull(path) {
    try {
      return await this.fetch(path);
    } catch (refusal) {
      if (refusal.code === "server_answer_refused") return null;
      throw refusal;
    }
  }

  async accept({ config, payload, sha256: name }, first, more = {}, known = {}) {
    const weekKeys = await noted(first ? {} : known, config, first);
    await this.store.write({ config: { payload: base64(payload), sha256: name }, week_keys: weekKeys, ...more });
    return this.held();
  }
}

/** When each week key was first seen; `first`: in the first config ever accepted, which is trusted as it is. */
async function noted(known, config, first) {
  const learnt = { ...known };
  for (const key of config.weekKeys) {
    const name = await digest(key);
    const seen = learnt[name] || { first, at: config.generatedAt };
    learnt[name] = { ...seen, at: Math.min(seen.at, config.generatedAt) };
  }
  return learnt;
}

/** A name of everything a week key says, so that a changed one is another key. */
async function digest(key) {
  const told = [key.kid, key.purpose, key.klass, key.week, key.use_from, key.accept_until, key.n, key.e];
  return hex(await sha256(utf8(JSON.stringify(told))));
}
