// SPDX-License-Identifier: Apache-2.0
/**
 * What an open page does by itself, in one tab at a time: go on with a report, look for new files, play rehearsals,
 * tell the server of a subscription. A look that is due for one browser is due for every other.
 */
import { ifFree } from "../../locks.js";
import { LONGEST_WAIT_SECONDS } from "./reporting.js";

// Timers of a page in the background go off late, and a clock may be set: at least once an hour it looks what is due.
const LONGEST_SLEEP_SECONDS = 3600;
const SHORTEST_SLEEP_SECONDS = 5;
const FIRST_BACKOFF_SECONDS = 30;
const LONGEST_BACKOFF_SECONDS = 600;

export class Errands {
  /** parts: {store, clock, checking, reporting, chaff, push, environment, changed: () => void}. */
  constructor(parts) {
    Object.assign(this, parts);
    this.timers = new Map();
    this.failures = 0;
    this.stopped = false;
    this.online = () => this.now();
    this.visible = () => document.visibilityState === "visible" && this.now();
  }

  /** Begin; at once what is due, then whenever something is. */
  async begin() {
    addEventListener("online", this.online);
    document.addEventListener("visibilitychange", this.visible);
    await this.now();
  }

  stop() {
    this.stopped = true;
    removeEventListener("online", this.online);
    document.removeEventListener("visibilitychange", this.visible);
    for (const timer of this.timers.values()) this.environment.clearTimer(timer);
    this.timers.clear();
  }

  /** The network is back, or the owner looks at the page: what failed before does not wait for its backoff. */
  async now() {
    this.failures = 0;
    await this.attempt(() => this.checking.dueIfFailed());
    return this.tick();
  }

  async tick() {
    if (this.stopped) return;
    await this.attempt(() => ifFree(`${this.store.name}-errands`, () => this.run()));
    await this.sleep();
  }

  /** Come back when something is due; call it after making something due. */
  async sleep() {
    this.plan("tick", await this.sleepSeconds(), () => this.tick());
  }

  async run() {
    if ((await this.store.get("started")) === undefined) return;
    await this.attempt(() => this.report());
    const { nextAt } = await this.checking.last();
    const due = nextAt === null || this.clock.now() >= nextAt || nextAt - this.clock.now() > 2 * 86_400;
    if (due) await this.attempt(() => this.checking.check().finally(this.changed));
    await this.attempt(() => this.chaff.goOn());
    await this.attempt(() => this.push.goOn());
  }

  /** How long nothing is due. */
  async sleepSeconds() {
    let due = Infinity;
    await this.attempt(async () => {
      const moments = [(await this.checking.last()).nextAt, await this.chaff.nextAt(), await this.push.nextAt()];
      due = Math.min(...moments.filter((moment) => moment !== null)) - this.clock.now();
    });
    return Math.min(LONGEST_SLEEP_SECONDS, Math.max(SHORTEST_SLEEP_SECONDS, due));
  }

  /** Go on with the pending report, and come back exactly when its upload is due. */
  async report() {
    const { state, sendAt } = await this.reporting.state();
    if (state !== "begun" && state !== "waiting") return;
    const wait = sendAt === null ? 0 : sendAt - this.clock.now();
    if (wait > 0 && wait <= LONGEST_WAIT_SECONDS) {
      this.plan("report", wait, () => this.tick());
      return;
    }
    try {
      await this.reporting.goOn();
      this.failures = 0;
    } catch {
      this.failures += 1;
    } finally {
      this.changed();
    }
    const after = await this.reporting.state();
    const backoff = Math.min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (this.failures - 1));
    if (after.state !== "begun" && after.state !== "waiting") return;
    const until = after.sendAt === null ? 0 : after.sendAt - this.clock.now();
    this.plan("report", Math.max(0, until, this.failures ? backoff : 0), () => this.tick());
  }

  /** A refusal of one errand keeps no other from being run; what it was is noted where the owner sees it. */
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      if (error.code === undefined && !this.stopped) console.warn("bluezone: an errand failed", error);
    }
  }

  plan(name, seconds, work) {
    this.environment.clearTimer(this.timers.get(name));
    if (!this.stopped) this.timers.set(name, this.environment.setTimer(seconds, work));
  }
}
