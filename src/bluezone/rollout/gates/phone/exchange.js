// SPDX-License-Identifier: Apache-2.0
/**
 * The exchange with the office: counters and shifts out; time, roster and what the other tablets counted in; then the
 * city's signed config. One tab at a time; safe to be cut off anywhere, because every number is sent as a whole.
 */
import { call } from "./face/devicecalls.js";
import { exclusively } from "./face/locks.js";

const AT_ONCE = 500;
const LOOK_MS = 60_000;
const LONGEST_WAIT_MS = 600_000;

export class Exchange {
  constructor(book, city) {
    this.book = book;
    this.city = city;
    this.problem = null;
    this.at = null;
    this.failures = 0;
    this.timer = null;
  }

  /** Now, when the network comes back, and every minute. */
  start() {
    addEventListener("online", () => this.now());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.now(); });
    this.now();
  }

  /** Exchange now, after one that is under way; `problem` says afterwards why it did not go. */
  async now() {
    clearTimeout(this.timer);
    await exclusively("bluezone-gate-exchange", async () => {
      try {
        await this.alone();
        Object.assign(this, { problem: null, failures: 0, at: this.book.now() });
      } catch (error) {
        Object.assign(this, { problem: error.code || "server", failures: this.failures + 1 });
      }
    });
    const wait = Math.min(LONGEST_WAIT_MS, LOOK_MS * 2 ** Math.min(this.failures, 4)) * (0.8 + Math.random() * 0.4);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), wait);
  }

  async alone() {
    const { book } = this;
    await book.settle();
    const { server_time: time } = await this.tell([]);
    await book.takeTime(time);
    for (let rows = await book.unsent(AT_ONCE); rows.length; rows = await book.unsent(AT_ONCE)) {
      const { counters, undated } = await book.dated(rows);
      await this.tell(counters, undated);
      await book.sent(rows, undated);
    }
    await book.noteContact(time);
    await book.purge();
    // Last, and nothing of it may hold up what was counted: a config that is refused leaves the one in force.
    await this.city.update().catch((error) => console.warn("bluezone: config not taken in", error.code));
    const held = await this.city.held();
    if (held) await book.store.write({ zone: (book.zone = held.zone) });
  }

  async tell(counters, undated = []) {
    const { store } = this.book;
    const { token } = await this.book.me();
    const shifts = (await store.get("shifts")) || [];
    const answer = await call("/v1/gates/counters", token, JSON.stringify({ counters, undated, shifts }));
    // Ended shifts that the office knows need not be kept here.
    const told = new Set(shifts.filter(({ ended }) => ended !== null).map(({ id }) => id));
    await store.exclusively(async () => {
      const kept = ((await store.get("shifts")) || []).filter(({ id }) => !told.has(id));
      const { others, ...gate } = answer.gate;
      const before = (await store.get("gate")) || {};
      const records = { shifts: kept, roster: answer.roster, gate };
      // What was counted at another gate is not inside this one.
      if (before.number && before.number !== gate.number) records.tablets = undefined;
      await store.write(records);
    });
    const { day, tablets, paper } = answer.gate.others;
    await this.book.merge(day, tablets, paper);
    return answer;
  }
}
