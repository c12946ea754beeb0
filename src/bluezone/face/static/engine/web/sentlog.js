// SPDX-License-Identifier: Apache-2.0
/**
 * Everything of the owner's that ever left this browser, written down before it is sent (docs/design.md, promise 2).
 */

export class SentLog {
  constructor(store, clock) {
    this.store = store;
    this.clock = clock;
  }

  /**
   * Write a request down, make it, write down how it ended.
   *
   * what: code_checked | certificate_asked | visits_sent | help_asked | declared | notifications_on | notifications_off;
   * accepted: answer -> whether it was taken.
   */
  async logged(what, bytes, call, accepted = () => true) {
    const at = this.clock.now();
    const name = await this.store.exclusively(async () => {
      const number = ((await this.store.get("sent_number")) || 0) + 1;
      const entry = `sent/${String(number).padStart(9, "0")}`;
      await this.store.write({ sent_number: number, [entry]: { at, what, bytes, outcome: "unknown" } });
      return entry;
    });
    let outcome = "not_reached";
    try {
      const answer = await call();
      outcome = accepted(answer) ? "accepted" : "refused";
      return answer;
    } catch (refusal) {
      if (refusal.code !== "offline") outcome = "refused";
      throw refusal;
    } finally {
      await this.store.write({ [name]: { at, what, bytes, outcome } });
    }
  }

  /** {own: {at, what, bytes, outcome}[] oldest first, chaff: how many rehearsals}. */
  async read() {
    const own = (await this.store.all("sent/")).map(([, entry]) => entry);
    return { own, chaff: ((await this.store.get("chaff")) || { played: 0 }).played };
  }
}
