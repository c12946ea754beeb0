// SPDX-License-Identifier: Apache-2.0
/** Who is on duty, by printed badge and PIN, without network; the twin of bluezone/edge/gate/shifts.py. */
import { Refusal } from "./face/engine/refusal.js";
import { equal, fromHex, utf8 } from "./face/engine/web/bytes.js";
import { uuid7 } from "./face/uuid7.js";
import { scrypt } from "./scrypt.js";

const WRONG_PINS = 5;
const LOCKED_SECONDS = 300;

export class Shifts {
  constructor(book) {
    this.book = book;
    this.wrong = [];
  }

  /** The shift under way, or null. */
  async onDuty() {
    return (await this.book.store.get("on_duty")) || null;
  }

  /** Begin a shift; one that is under way ends with it. Rejects with badge_unknown, pin_wrong, pin_locked. */
  async signIn(badgeText, pin) {
    const now = performance.now() / 1000;
    this.wrong = this.wrong.filter((moment) => now - moment < LOCKED_SECONDS);
    if (this.wrong.length >= WRONG_PINS) throw new Refusal("pin_locked", { seconds: this.wrong[0] + LOCKED_SECONDS - now });
    const badge = badgeText.trim().toUpperCase().replace(/^BZGK:/, "").toLowerCase();
    const since = this.book.dayOf(this.book.now());
    const roster = (await this.book.store.get("roster")) || [];
    const entry = roster.find((one) => one.badge === badge && one.since <= since && since <= (one.until || "9999"));
    if (!entry) throw new Refusal("badge_unknown");
    // Counted before it is tried, so that no two tries at once are one.
    this.wrong.push(now);
    if (!equal(await scrypt(utf8(pin.trim()), fromHex(entry.salt)), fromHex(entry.hash))) throw new Refusal("pin_wrong");
    this.wrong = [];
    if (await this.onDuty()) await this.signOut();
    const started = Math.floor(this.book.now());
    const duty = { id: uuid7(started), badge, name: entry.name, started, ended: null, since, before: await this.book.totals(since, { all: true }) };
    await this.note(duty, duty);
    return this.told(duty);
  }

  /** End the shift; what the slip prints. Rejects with nobody_on_duty. */
  async signOut() {
    const duty = await this.onDuty();
    if (!duty) throw new Refusal("nobody_on_duty");
    const ended = { ...duty, ended: Math.max(duty.started, Math.floor(this.book.now())) };
    await this.note(ended, undefined);
    return this.told(ended);
  }

  /** {name, started, ended, totals} of a shift: passages of this tablet while it lasted. */
  async told({ name, started, ended, since, before }) {
    // What was counted in the shift is its own, whatever day the clock gave it.
    const now = Object.entries(await this.book.totals(since, { all: true })).map(([verdict, count]) => [verdict, count - (before[verdict] || 0)]);
    return { name, started, ended, totals: Object.fromEntries(now.filter(([, count]) => count)) };
  }

  note({ id, badge, started, ended }, onDuty) {
    return this.book.store.exclusively(async () => {
      const others = ((await this.book.store.get("shifts")) || []).filter((shift) => shift.id !== id);
      await this.book.store.write({ shifts: [...others, { id, badge, started, ended }], on_duty: onDuty });
    });
  }
}
