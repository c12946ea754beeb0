// SPDX-License-Identifier: Apache-2.0
/**
 * Venue packages in this browser: only those of one signed, unbroken history are ever looked at
 * (docs/protocol.md section 5).
 *
 * Each package is taken in, with what it says of the owner's stays, in one write: a kill between two costs nothing.
 */
import { Refusal } from "../refusal.js";
import { equal, fromHex, hex } from "./bytes.js";
import { sha256 } from "./digests.js";
import { chainValue, decodeIndex, followIndex, headsOf, STALE_SECONDS } from "./indexfile.js";
import { CHAIN_START, extendChain, MAX_SIGNED_BYTES, openSigned } from "./signedjson.js";

const MAX_PACKAGE_BYTES = 8 * 1024 * 1024;
const HOUR = 3600;
// An index lists 14 days; a day less, because a file is listed by the end of its period.
const AWAY_SECONDS = 13 * 86_400;
// Chain values that are kept, of three weeks of hourly packages: one of them may be the ancestor of an epoch.
const HEADS_KEPT = 512;
const INDEX_PATH = "/v1/venues/index.json";

export class VenueFiles {
  constructor(store, client, city) {
    this.store = store;
    this.client = client;
    this.city = city;
  }

  /**
   * {number, chain (hex), generatedAt, revoked: hex[], epoch, rescan}, or null before the first index. epoch, rescan:
   * of the number, and whether the packages from before it are still to be looked through; absent in the beginning.
   */
  async held() {
    return (await this.store.get("venues")) || null;
  }

  /** Whether the newest index is over 36 hours old, or there is none. */
  async isStale(now) {
    const held = await this.held();
    return held === null || now - held.generatedAt > STALE_SECONDS;
  }

  /**
   * Fetch config and index: {index, config, earlier, entries still to fetch, held}; earlier: from before the epoch.
   *
   * installedAt: Unix seconds; a first look takes the packages since then, and two more. Rejects with what the files
   * are refused for; then nothing has changed but the config, if that was sound.
   */
  async follow(installedAt) {
    let config = await this.city.update();
    const data = await this.client.get(INDEX_PATH, MAX_SIGNED_BYTES);
    const index = decodeIndex(await openSigned("venues", data, await this.city.trusted()));
    if (index.kind !== "venues") throw new Refusal("file_untrusted", {}, `the index lists ${index.kind}`);
    if (!(await this.city.knows(index.configSha256))) {
      // The config may have been renewed between the two calls; a second look tells.
      config = await this.city.update();
      if (!(await this.city.knows(index.configSha256))) throw new Refusal("config_mismatch");
    }
    const told = await headsOf(index);
    const { number: epoch, branches } = await this.city.epoch();
    if (index.epoch !== epoch) throw new Refusal("index_rolled_back", { held: epoch, offered: index.epoch });
    let held = await this.held();
    if (held === null) return this.found(index, config, await this.begin(index, installedAt), told);
    if (index.generatedAt < held.generatedAt) {
      throw new Refusal("index_rolled_back", { held: held.generatedAt, offered: index.generatedAt });
    }
    const passed = this.city.clock.secondsSince(held.wall);
    const away = (passed === null ? index.generatedAt - held.generatedAt : passed) >= AWAY_SECONDS;
    let notice;
    if ((held.epoch || 0) !== epoch) {
      notice = (await this.leadsTo(index, held, branches.venues, told, away)) ? undefined : "venues_missed";
      held = { ...held, number: branches.venues.first - 1, chain: branches.venues.head, epoch, rescan: true };
    }
    try {
      const entries = await followIndex(index, held.number, fromHex(held.chain));
      return this.found(index, config, { entries, held, notice }, told);
    } catch (refusal) {
      if (refusal.code !== "index_gap") throw refusal;
      // Within two weeks an honest index lists what follows here. After that some packages were missed.
      if (!away) throw new Refusal("index_history_differs", { held: held.number });
      const anew = { ...held, number: index.firstNumber - 1, chain: index.chainBefore };
      return this.found(index, config, { entries: index.entries, held: anew, notice: "venues_missed" }, told);
    }
  }

  /** Whether an index leads from what is held to the epoch it is of; rejects with index_history_differs if it must. */
  async leadsTo(index, held, { first, ancestor, head }, told, away) {
    const differs = () => new Refusal("index_history_differs", { held: held.number, epoch: index.epoch });
    if (index.firstNumber < first || (index.firstNumber === first && index.chainBefore !== head)) throw differs();
    // Whoever has seen the ancestor knows it as the epoch names it: that was checked with the config.
    const known = Object.keys(await this.city.venueHeads()).map(Number);
    if (Math.max(...known) >= ancestor || told[held.number] === held.chain) return true;
    if (!away) throw differs();
    return false;
  }

  /** What `follow` returns; the chain values of an index that was followed are kept. */
  async found(index, config, { entries, held, notice }, told) {
    const kept = (await this.store.get("venues_heads")) || {};
    if (Object.keys(told).some((number) => kept[number] !== told[number])) {
      const newest = Object.entries({ ...kept, ...told }).sort(([one], [other]) => one - other).slice(-HEADS_KEPT);
      await this.store.write({ venues_heads: Object.fromEntries(newest) });
    }
    return { index, config, earlier: held.rescan ? index.earlier : [], entries, held, notice };
  }

  /** Where a browser begins that never looked: behind the packages older than its installation. */
  async begin(index, installedAt) {
    const hours = Math.max(0, Math.ceil((index.generatedAt - installedAt) / HOUR)) + 2;
    const number = Math.max(index.firstNumber - 1, index.number - hours);
    const chain = index.number === 0 ? CHAIN_START : await chainValue(index, number);
    const rescan = index.earlier.length > 0 && hours > index.entries.length;
    const held = { number, chain: hex(chain), generatedAt: 0, revoked: [], epoch: index.epoch, rescan };
    return { entries: index.entries.slice(number - index.firstNumber + 1), held };
  }

  /** Fetch one package and check it against the index. Rejects with file_untrusted. */
  async fetch(entry) {
    const untrusted = () => new Refusal("file_untrusted", { number: entry.number }, "a package is not the one the index names");
    if (entry.size > MAX_PACKAGE_BYTES) throw untrusted();
    const data = await this.client.get(`/v1/venues/${entry.name}`, entry.size);
    if (data.length !== entry.size || !equal(await sha256(data), fromHex(entry.sha256))) throw untrusted();
    return data;
  }

  /** What is held after a package; write it together with what was found in it. */
  async after(held, entry) {
    const chain = await extendChain(fromHex(held.chain), fromHex(entry.sha256));
    return { ...held, number: entry.number, chain: hex(chain) };
  }

  /** What is held after everything the index lists. */
  done(held, index) {
    const wall = this.city.clock.wallSeconds();
    return { ...held, generatedAt: Math.max(held.generatedAt, index.generatedAt), revoked: index.revoked, wall };
  }
}
