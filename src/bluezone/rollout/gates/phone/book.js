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
// As in the office (queries.py).
const EXIT_DAYS = 7;
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
    const [before, ...rest] = verdicts[verdict] || [0, 0];
    verdicts[verdict] = [before + count, ...rest];
  }

  /**
   * Passages by verdict from a day until another, those that wait included unless `settled`. Left out are those that
   * the office took without a day, and those that a clock that was ahead dated later than now, unless `all`.
   */
  async totals(day, { settled = false, until = "9999", all = false } = {}) {
    const latest = all ? Infinity : this.now() + TOLERATED_SECONDS;
    const totals = {};
    for (const [name, buckets] of await this.store.all("day/")) {
      const of = name.slice("day/".length);
      if (of < day || of > until) continue;
      for (const [bucket, verdicts] of Object.entries(buckets)) {
        if (Number(bucket) > latest) continue;
        for (const [verdict, [count, , undated = 0]] of Object.entries(verdicts)) {
          const dated = all ? count : count - undated;
          if (dated) totals[verdict] = (totals[verdict] || 0) + dated;
        }
      }
    }
    if (settled) return totals;
    for (const { at, verdict } of (await this.store.get("waiting")) || []) {
      if (this.dayOf(at) >= day && this.dayOf(at) <= until) totals[verdict] = (totals[verdict] || 0) + 1;
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

  /**
   * {counters, undated}: rows whose time can be right, and those that the clock dated before the last contact with the
   * office, when everything was sent, or after now. Their day is not known: the office keeps them without one.
   */
  async dated(rows) {
    const from = await this.earliest(this.now());
    const until = this.now() + TOLERATED_SECONDS;
    const counters = rows.filter(([bucket]) => bucket >= from && bucket <= until);
    return { counters, undated: rows.filter((row) => !counters.includes(row)) };
  }

  /** Before this nothing can have been counted that is not sent yet. now: Unix seconds. */
  async earliest(now) {
    const { at = now - KEPT_DAYS * DAY_SECONDS } = (await this.store.get("contact")) || {};
    return at - BUCKET_SECONDS - TOLERATED_SECONDS;
  }

  /** Note that the office has everything that was counted before this moment. */
  noteContact(serverSeconds) {
    return this.store.write({ contact: { at: serverSeconds } });
  }

  /** Note that the office has these; a counter that has grown since stays unsent. undated: of them, those without a day. */
  sent(rows, undated = []) {
    return this.store.exclusively(async () => {
      const records = {};
      let passages = 0;
      for (const row of rows) {
        const [bucket, , verdict, count] = row;
        const name = `day/${this.dayOf(bucket)}`;
        if (!records[name]) records[name] = (await this.store.get(name)) || {};
        const kept = records[name][bucket] && records[name][bucket][verdict];
        if (!kept) continue;
        const [known, sent, undatedBefore = 0] = kept;
        const added = undated.includes(row) ? Math.max(0, count - sent) : 0;
        passages += added;
        records[name][bucket][verdict] = [known, Math.max(sent, count), undatedBefore + added];
      }
      if (passages) records.undated = { day: this.dayOf(this.now()), count: (await this.undated()) + passages };
      await this.store.write(records);
    });
  }

  /** How many passages went to the office without a day today. */
  async undated() {
    const { day, count } = (await this.store.get("undated")) || {};
    return day === this.dayOf(this.now()) ? count : 0;
  }

  /**
   * Take the office's time. Where the clock was wrong, what was not sent yet moves by the error, unless it would then
   * have been counted before the last contact or after now: it was counted while the clock showed another time.
   */
  takeTime(serverSeconds) {
    return this.store.exclusively(async () => {
      const error = serverSeconds - this.now();
      if (Math.abs(error) <= TOLERATED_SECONDS) return;
      const steps = Math.round(error / BUCKET_SECONDS) * BUCKET_SECONDS;
      const from = await this.earliest(serverSeconds);
      const { waiting, records } = await this.settled();
      const moved = [];
      for (const [name, kept] of await this.store.all("day/")) {
        const day = records[name] || kept;
        records[name] = day;
        for (const [bucket, verdicts] of Object.entries(day)) {
          for (const [verdict, [count, sent]] of Object.entries(verdicts)) {
            const lands = Number(bucket) + steps;
            if (sent > 0 || lands < from || lands > serverSeconds + TOLERATED_SECONDS) continue;
            delete verdicts[verdict];
            moved.push([Number(bucket), verdict, count]);
          }
        }
      }
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
    const kept = (await this.store.get("tablets")) || { day: "", tablets: {}, paper: 0 };
    const today = this.dayOf(this.now());
    return kept.day === today ? kept : { day: today, tablets: {}, paper: await this.carried(kept, today) };
  }

  /**
   * People inside when today began, as far as it is known here: by the office's last answer and what was counted since.
   * After a day that ends below zero, and after seven days without an exit, the next one starts at zero. The office
   * reckons the same (queries.py), and its next answer replaces this.
   */
  async carried(kept, today) {
    const earliest = this.dayOf(this.now() - EXIT_DAYS * DAY_SECONDS);
    const days = new Map();
    for (const [name] of await this.store.all("day/")) {
      const day = name.slice("day/".length);
      if (day < today && (day >= kept.day || day >= earliest)) days.set(day, await this.totals(day, { until: day }));
    }
    const others = Object.values(kept.tablets);
    const exits = [...days.values(), ...others].some(({ out = 0 }) => out > 0);
    if (kept.day > today || (days.size > 1 && !exits)) return 0;
    let inside = kept.paper + others.reduce((sum, totals) => sum + balanceOf(totals), 0);
    for (const [day, totals] of [...days].sort()) if (day >= kept.day) inside = Math.max(0, inside + balanceOf(totals));
    return Math.max(0, inside);
  }

  /**
   * Take over what others counted on a day. Of two numbers the larger is the newer one, whoever tells it; another day's
   * are left alone. paper: who was inside when the day began and in less out on slips, null from a tablet, which does
   * not know.
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

  /** People on the site: who was there when today began, and in less out since, by all tablets that are known here. */
  async inside() {
    const { day, tablets, paper } = await this.others();
    const all = [await this.totals(day, { until: day }), ...Object.values(tablets)];
    return Math.max(0, paper + all.reduce((sum, totals) => sum + balanceOf(totals), 0));
  }

  /** Forget counters that are older than the office keeps them; those that were not sent stay, unless `all`. */
  purge(days = KEPT_DAYS, { all = false } = {}) {
    return this.store.exclusively(async () => {
      const bound = `day/${this.dayOf(this.now() - days * DAY_SECONDS)}`;
      const old = (await this.store.all("day/")).filter(([name, day]) => name < bound && (all || isSent(day)));
      if (old.length) await this.store.write(Object.fromEntries(old.map(([name]) => [name, undefined])));
    });
  }
}

/** Whether the office has every counter of a day as it is. */
function isSent(day) {
  return Object.values(day).every((verdicts) => Object.values(verdicts).every(([count, sent]) => sent >= count));
}

/** "in" or "out". */
export const directionOf = (verdict) => (verdict === "out" ? "out" : "in");

/** In less out. */
export function balanceOf(totals) {
  return Object.entries(totals).reduce((sum, [verdict, count]) => sum + (verdict === "out" ? -count : count), 0);
}
