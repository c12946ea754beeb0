// SPDX-License-Identifier: Apache-2.0
/**
 * The gate's book in a browser: counters of five minutes each, and what the gate's other tablets counted today; the
 * twin of bluezone/edge/gate/book.py on the store that the canvass app keeps its visits in.
 *
 * There is no row about a passage for longer than the ten seconds in which it can be undone: then it is one more in its
 * counter. A counter only grows, so two tablets, or a tablet and the office, keep the larger of two numbers, and it does
 * not matter how often or in which order they tell each other. Whatever is written is written whole.
 */
import { Refusal } from "./face/engine/refusal.js";
import { Store } from "./face/engine/web/store.js";
import { uuid7 } from "./face/uuid7.js";

export const UNDO_SECONDS = 10;
const BUCKET_SECONDS = 300;
const DAY_SECONDS = 86_400;
// As long as the office keeps five-minute counters.
const KEPT_DAYS = 30;
// A clock that is off by less puts a passage into the five minutes before or after, which does no harm.
export const TOLERATED_SECONDS = 300;
export const DEFAULT_ZONE = "Asia/Ho_Chi_Minh";

export class Book {
  /** wall: Unix seconds as the device shows them. */
  constructor(store, wall) {
    this.store = store;
    this.wall = wall;
    this.offset = 0;
    this.zone = DEFAULT_ZONE;
  }

  /** Rejects with storage_unavailable, storage_full. */
  static async open(name = "bluezone-gate", { wall = () => Date.now() / 1000 } = {}) {
    const book = new Book(await Store.open(name), wall);
    book.offset = (await book.store.get("clock_offset")) || 0;
    book.zone = (await book.store.get("zone")) || DEFAULT_ZONE;
    return book;
  }

  /** Unix seconds: the device's clock, put right by what the office said last. */
  now() {
    return this.wall() + this.offset;
  }

  /** The local date of a moment in the city's zone, as the office writes it. */
  dayOf(seconds) {
    const format = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: this.zone });
    return format.format(new Date(seconds * 1000));
  }

  /** {token, device, name, agency} of this tablet, or null before it was connected. */
  async me() {
    return (await this.store.get("me")) || null;
  }

  /**
   * Connect it. Under another device number only what was not sent is kept: the rest comes back from the office as
   * counted by the device that this one was before.
   */
  connect(me) {
    return this.store.exclusively(async () => {
      const before = await this.me();
      const records = { me, tablets: undefined };
      if (before && before.device !== me.device) {
        for (const [name, day] of await this.store.all("day/")) {
          for (const [, verdicts] of Object.entries(day)) {
            for (const [verdict, [count, sent]] of Object.entries(verdicts)) {
              if (count > sent) verdicts[verdict] = [count - sent, 0];
              else delete verdicts[verdict];
            }
          }
          records[name] = day;
        }
      }
      await this.store.write(records);
    });
  }

  /** Note a passage; its id, by which it can be undone for ten seconds. Rejects with storage_full: it is not counted. */
  enter(verdict) {
    return this.store.exclusively(async () => {
      const { waiting, records } = await this.settled();
      const id = uuid7(this.now());
      await this.store.write({ ...records, waiting: [...waiting, { id, at: this.now(), verdict }] });
      return id;
    });
  }

  /** Take back a passage that is not in its counter yet; its verdict. Rejects with nothing_to_undo. */
  undo(id) {
    return this.store.exclusively(async () => {
      const { waiting, records } = await this.settled();
      const found = waiting.find((one) => one.id === id);
      await this.store.write({ ...records, waiting: waiting.filter((one) => one.id !== id) });
      if (!found) throw new Refusal("nothing_to_undo");
      return found.verdict;
    });
  }

  /** Add the passages that can no longer be undone to their counters. */
  settle() {
    return this.store.exclusively(async () => {
      const { waiting, records } = await this.settled();
      if (Object.keys(records).length) await this.store.write({ ...records, waiting });
    });
  }

  /** {waiting, records}: what still waits, and the days as they are to be written with what waits no longer. */
  async settled() {
    const now = this.now();
    const records = {};
    const waiting = [];
    for (const one of (await this.store.get("waiting")) || []) {
      // A clock that was set back must not keep a passage waiting for ever.
      if (one.at > now - UNDO_SECONDS && one.at <= now + UNDO_SECONDS) waiting.push(one);
      else await this.add(records, one.at, one.verdict, 1);
    }
    return { waiting, records };
  }

  /** Add passages to the counter that a moment lies in. records: days that were read already, by name. */
  async add(records, at, verdict, count) {
    const bucket = Math.floor(at / BUCKET_SECONDS) * BUCKET_SECONDS;
    const name = `day/${this.dayOf(bucket)}`;
    if (!records[name]) records[name] = (await this.store.get(name)) || {};
    const verdicts = records[name][bucket] || (records[name][bucket] = {});
    const [before, sent] = verdicts[verdict] || [0, 0];
    verdicts[verdict] = [before + count, sent];
  }

  /** Passages by verdict since the beginning of a day, those that wait included unless `settled`. */
  async totals(day, { settled = false } = {}) {
    const totals = {};
    for (const [name, buckets] of await this.store.all("day/")) {
      if (name.slice("day/".length) < day) continue;
      for (const verdicts of Object.values(buckets)) {
        for (const [verdict, [count]] of Object.entries(verdicts)) totals[verdict] = (totals[verdict] || 0) + count;
      }
    }
    if (settled) return totals;
    for (const { at, verdict } of (await this.store.get("waiting")) || []) {
      if (this.dayOf(at) >= day) totals[verdict] = (totals[verdict] || 0) + 1;
    }
    return totals;
  }

  /** Counters that the office does not have as they are now, oldest first: [bucket, direction, verdict, count][]. */
  async unsent(most = Infinity) {
    const rows = [];
    for (const [, buckets] of await this.store.all("day/")) {
      for (const [bucket, verdicts] of Object.entries(buckets)) {
        for (const [verdict, [count, sent]] of Object.entries(verdicts)) {
          if (count > sent) rows.push([Number(bucket), directionOf(verdict), verdict, count]);
        }
      }
    }
    return rows.sort(([one], [other]) => one - other).slice(0, most);
  }

  /** Note that the office has these; a counter that has grown since stays unsent. */
  sent(rows) {
    return this.store.exclusively(async () => {
      const records = {};
      for (const [bucket, , verdict, count] of rows) {
        const name = `day/${this.dayOf(bucket)}`;
        if (!records[name]) records[name] = (await this.store.get(name)) || {};
        const kept = records[name][bucket] && records[name][bucket][verdict];
        if (kept) records[name][bucket][verdict] = [kept[0], Math.max(kept[1], count)];
      }
      await this.store.write(records);
    });
  }

  /** Take the office's time. Where the clock was wrong, what was not sent yet moves by the error. */
  takeTime(serverSeconds) {
    return this.store.exclusively(async () => {
      const error = serverSeconds - this.now();
      if (Math.abs(error) <= TOLERATED_SECONDS) return;
      const { waiting, records } = await this.settled();
      const moved = [];
      for (const [name, kept] of await this.store.all("day/")) {
        const day = records[name] || kept;
        records[name] = day;
        for (const [bucket, verdicts] of Object.entries(day)) {
          for (const [verdict, [count, sent]] of Object.entries(verdicts)) {
            if (sent > 0) continue;
            delete verdicts[verdict];
            moved.push([Number(bucket), verdict, count]);
          }
        }
      }
      const steps = Math.round(error / BUCKET_SECONDS) * BUCKET_SECONDS;
      for (const [bucket, verdict, count] of moved) await this.add(records, bucket + steps, verdict, count);
      const offset = serverSeconds - this.wall();
      this.offset = Math.abs(offset) <= TOLERATED_SECONDS ? 0 : offset;
      const still = waiting.map((one) => ({ ...one, at: one.at + error }));
      await this.store.write({ ...records, waiting: still, clock_offset: this.offset });
    });
  }

  /** Whether the device shows another time than the gate goes by. */
  get clockIsWrong() {
    return Math.abs(this.offset) > TOLERATED_SECONDS;
  }

  /** What the gate's other tablets counted today, as far as it was told here: {device: {verdict: count}}. */
  async others() {
    const kept = (await this.store.get("tablets")) || {};
    return kept.day === this.dayOf(this.now()) ? kept : { day: this.dayOf(this.now()), tablets: {}, paper: 0 };
  }

  /**
   * Take over what others counted on a day. Of two numbers the larger is the newer one, whoever tells it; another day's
   * are left alone. paper: in less out on slips, null from a tablet, which does not know.
   */
  merge(day, tablets, paper = null) {
    return this.store.exclusively(async () => {
      const me = await this.me();
      const kept = await this.others();
      if (day !== kept.day) return false;
      for (const [device, verdicts] of Object.entries(tablets)) {
        if (me && device === String(me.device)) continue;
        const known = kept.tablets[device] || (kept.tablets[device] = {});
        for (const [verdict, count] of Object.entries(verdicts)) known[verdict] = Math.max(known[verdict] || 0, count);
      }
      await this.store.write({ tablets: { ...kept, paper: paper === null ? kept.paper : paper } });
      return true;
    });
  }

  /** People on the site: in less out of today, by all tablets and slips that are known here. */
  async inside() {
    const { day, tablets, paper } = await this.others();
    const all = [await this.totals(day), ...Object.values(tablets)];
    return Math.max(0, paper + all.reduce((sum, totals) => sum + balanceOf(totals), 0));
  }

  /** Forget counters that are older than the office keeps them, sent or not. */
  purge(days = KEPT_DAYS) {
    return this.store.exclusively(async () => {
      const bound = `day/${this.dayOf(this.now() - days * DAY_SECONDS)}`;
      const old = (await this.store.all("day/")).map(([name]) => name).filter((name) => name < bound);
      if (old.length) await this.store.write(Object.fromEntries(old.map((name) => [name, undefined])));
    });
  }
}

/** "in" or "out". */
export const directionOf = (verdict) => (verdict === "out" ? "out" : "in");

/** In less out. */
export function balanceOf(totals) {
  return Object.entries(totals).reduce((sum, [verdict, count]) => sum + (verdict === "out" ? -count : count), 0);
}
