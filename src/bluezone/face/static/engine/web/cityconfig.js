// SPDX-License-Identifier: Apache-2.0
/**
 * The city's signed config in this browser: taken in along one unbroken history (docs/protocol.md sections 4 and 5).
 *
 * Every refusal keeps what is held. The first key is pinned by the page and never exchanged.
 */
import { Refusal } from "../refusal.js";
import { base64, fromBase64, fromHex, hex, utf8 } from "./bytes.js";
import { CARE, decodeConfig, followConfig, HISTORY_LENGTH } from "./configfile.js";
import { JUMP_SECONDS } from "./clock.js";
import { sha256 } from "./digests.js";
import { fingerprint } from "./ed25519.js";
import { checkEpoch, checkFirstConfig, openEpoch, refuseAncestor, refuseNewWeekKey } from "./epoch.js";
import { CHAIN_START, MAX_SIGNED_BYTES, openSigned } from "./signedjson.js";

const ANNOUNCED_BEFORE_USE_SECONDS = 7 * 86_400;
const WEEK_SECONDS = 7 * 86_400;
export const DEFAULT_ZONE = "Asia/Ho_Chi_Minh";
const NO_EPOCH = { number: 0, acceptedAt: null, branches: {} };

export class CityConfig {
  constructor(store, client, clock, loadLog) {
    this.store = store;
    this.client = client;
    this.clock = clock;
    this.read = null;
    this.loadLog = loadLog;
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

  /** The city's public log, or null where nobody watches. */
  async logOf(...configs) {
    if (configs.every((config) => config === null || !config.witnesses.length)) return null;
    const { PublicLog } = await this.loadLog();
    return new PublicLog(this.store, this.client, async () => Object.values(await this.trusted())[0]);
  }

  /** What screens are told of the city, in a language. */
  async shown(language) {
    return shownCity(await this.held(), language, (await this.store.get("trust")) || null, await this.watched());
  }

  /** {watchers, evidence} as the log has them. */
  async watched() {
    const held = await this.held();
    const log = await this.logOf(held);
    return log === null ? { watchers: [], evidence: null } : { watchers: await log.watchers(held), evidence: await log.evidence() };
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
    if (held === null) {
      return this.accept(offered, true, { epoch: { ...NO_EPOCH, number: offered.config.epochs.length } });
    }
    const { number } = await this.epoch();
    if (offered.config.epochs.length < number) throw new Refusal("config_rolled_back", { epoch: number });
    for (const record of offered.config.epochs.slice(number)) held = await this.enterEpoch(record, offered);
    try {
      await this.follow(offered, held);
    } catch (refusal) {
      if (refusal.code !== "config_gap") throw refusal;
      await this.catchUp(offered.config.number);
      await this.follow(offered, await this.held());
    }
    return this.held();
  }

  /** Forget what was followed, and take in the config now in force as at first install: its owner compared the key. */
  async beginAnew() {
    const offered = await this.fetch("/v1/config");
    const forgotten = { venues: undefined, venues_heads: undefined };
    return this.accept(offered, true, { ...forgotten, epoch: { ...NO_EPOCH, number: offered.config.epochs.length } });
  }

  /** The epoch this browser is in: {number, acceptedAt, branches}; number 0 in the beginning. */
  async epoch() {
    return (await this.store.get("epoch")) || NO_EPOCH;
  }

  /** Go along with one epoch; its first config is then held. Rejects with epoch_refused and the like. */
  async enterEpoch(record, newest) {
    const now = this.clock.now();
    const epoch = await openEpoch(record, await this.store.get("recovery"), now);
    await this.reachAncestor(epoch.config);
    const held = await this.held();
    checkEpoch(epoch, await this.seen(held), now);
    const first = newest.config.number === epoch.config.first ? newest : await this.fetch(`/v1/config/${epoch.config.first}`);
    checkFirstConfig(first.config, epoch, held);
    const known = (await this.store.get("week_keys")) || {};
    if (await this.saysNewKeys(first.config, known)) refuseNewWeekKey();
    const log = await this.logOf(held, first.config);
    if (log !== null) await log.requireEpoch(record, first.config, held, now);
    const entered = { number: epoch.number, acceptedAt: now, branches: { venues: epoch.venues } };
    return this.accept(first, false, { epoch: entered, notice: "epoch_began" }, known);
  }

  /** What this browser has seen of the numbered histories, as checkEpoch asks for it. */
  async seen(held) {
    const { number, acceptedAt } = await this.epoch();
    const line = [...held.history, held.sha256];
    const config = Object.fromEntries(line.map((hash, place) => [held.number - line.length + 1 + place, hash]));
    const venues = await this.venueHeads();
    const highest = Math.max(...Object.keys(venues).map(Number));
    return { number, acceptedAt, seen: { config: held.number, venues: highest }, heads: { config, venues } };
  }

  /** The chain values of packages that this browser knows, by number; the highest number is the highest it has seen. */
  async venueHeads() {
    const held = (await this.store.get("venues")) || { number: 0, chain: hex(CHAIN_START) };
    return { 0: hex(CHAIN_START), [held.number]: held.chain, ...((await this.store.get("venues_heads")) || {}) };
  }

  /** A browser that has not come to the last config of the old history yet goes there first. */
  async reachAncestor({ ancestor, head }) {
    const held = await this.held();
    if (held.number >= ancestor) return;
    const offered = await this.fetch(`/v1/config/${ancestor}`);
    if (offered.sha256 !== head || offered.config.number !== ancestor) refuseAncestor(ancestor);
    try {
      await this.follow(offered, held);
    } catch (refusal) {
      if (refusal.code !== "config_gap") throw refusal;
      await this.catchUp(ancestor);
      await this.follow(offered, await this.held());
    }
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
    if (!seen || !(seen.first || this.stoodAWeek(seen, key))) {
      throw untrusted(`this browser has not known key ${kid} for 7 days before its week; nothing was sent`);
    }
    return key;
  }

  /** Whether a week lies between first sight and use, by trusted time and by the device's clock, which no file moves. */
  stoodAWeek(seen, key) {
    if (seen.at > key.use_from - ANNOUNCED_BEFORE_USE_SECONDS) return false;
    const passed = this.clock.secondsSince(seen.wall);
    return passed === null || passed >= ANNOUNCED_BEFORE_USE_SECONDS - JUMP_SECONDS;
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
    const log = await this.logOf(held, offered.config);
    if (log !== null) await log.requireAgreed(offered.config, held, this.clock.now());
    return this.accept(offered, false, {}, (await this.store.get("week_keys")) || {});
  }

  async saysNewKeys(config, known) {
    const digests = await Promise.all(config.weekKeys.map(digest));
    return digests.some((name) => known[name] === undefined);
  }

  /** Go forward in steps of one history's length; rejects with config_gap if the server has such a config no more. */
  async catchUp(newest) {
    for (;;) {
      const held = await this.held();
      const number = held.number + HISTORY_LENGTH;
      if (number >= newest) return;
      const between = await this.fetchOrNull(`/v1/config/${number}`);
      if (between === null) throw new Refusal("config_gap", { held: held.number, offered: newest });
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
    // Never what cannot be read afterwards.
    const log = await this.logOf(config);
    if (log !== null) await log.watchers(config);
    const weekKeys = await noted(first ? {} : known, config, first, this.clock);
    const changes = { config: { payload: base64(payload), sha256: name }, week_keys: weekKeys, ...more };
    // The first recovery key that a browser is told of stays, whatever comes later.
    if (config.recoveryKey !== null && (await this.store.get("recovery")) === undefined) {
      changes.recovery = { key: config.recoveryKey, first: (await this.held()) === null, at: this.clock.now() };
    }
    await this.store.write(changes);
    return this.held();
  }
}

/**
 * What screens are told of the city; nothing is known before the first config. key: whose lists are believed (hex);
 * watched: as CityConfig returns it.
 */
export function shownCity(config, language, key, watched) {
  if (config === null) {
    const unknown = { takesDeclarations: false, care: CARE, zone: DEFAULT_ZONE };
    const unset = { name: null, hotline: null, nationalHotline: null, publicOrigin: null, configAt: null, texts: null };
    return { key, ...unset, ...unknown, ...watched, neighbours: [] };
  }
  return {
    key, name: config.city[language] || config.city.en, hotline: config.hotline, nationalHotline: config.nationalHotline,
    publicOrigin: originOf(config.publicHost), zone: config.zone, configAt: config.generatedAt, texts: config.texts[language] || null,
    takesDeclarations: config.declarationKey !== null, care: config.care, ...watched, neighbours: [],
  };
}

/** What links of the city begin with: plain http on this machine alone, and only where this page came so itself. */
export function originOf(host) {
  const here = host === location.host || /^(localhost|127\.0\.0\.1)(:|$)/.test(host);
  return `${here ? location.protocol : "https:"}//${host}`;
}

/** When each week key was first seen; `first`: in the first config ever accepted, which is trusted as it is. */
async function noted(known, config, first, clock) {
  const learnt = { ...known };
  for (const key of config.weekKeys) {
    const name = await digest(key);
    learnt[name] = learnt[name] || { first, at: clock.now(), wall: clock.wallSeconds() };
  }
  return learnt;
}

/** A name of everything a week key says, so that a changed one is another key. */
async function digest(key) {
  const told = [key.kid, key.purpose, key.klass, key.week, key.use_from, key.accept_until, key.n, key.e];
  return hex(await sha256(utf8(JSON.stringify(told))));
}
