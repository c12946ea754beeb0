// SPDX-License-Identifier: Apache-2.0
/**
 * An outbox that works offline: what people enter waits here until the server has it, and is never lost or counted twice.
 *
 *     const outbox = await Outbox.open("canvass");
 *     const id = await outbox.append("visit", {household: 12, told: true});     // on the disk when this resolves
 *     await outbox.flush(async ({id, kind, body}) => { … await fetch(…); });    // in the order of entering
 *
 * It survives reload, update and kill. Several tabs may have it open: only one flushes at a time. An entry leaves it
 * when `send` resolved; a tab that is killed between the server's answer and that sends the entry again, with the same
 * id (UUIDv7), by which the server knows it. `send` rejects with `{permanent: true}` for an entry that the server will
 * never take: it stays in the list as refused, with its code, until somebody removes it, and the next ones go on.
 * Any other rejection ends the flush, and the entry waits: 5 s, 10 s … 15 min, each by chance up to half more.
 * Bodies are JSON; they lie encrypted like the web edition's records, and `erase` destroys the key.
 */
import { Store } from "./engine/web/store.js";
import { ifFree } from "./locks.js";
import { uuid7 } from "./uuid7.js";

const FIRST_WAIT_SECONDS = 5;
const LONGEST_WAIT_SECONDS = 900;
const LOOK_SECONDS = 15;

export class Outbox {
  constructor(store, name, now) {
    this.store = store;
    this.name = name;
    this.now = now;
  }

  /** name: one outbox for each purpose. now: Unix seconds, for tests. Rejects with storage_unavailable. */
  static async open(name, { now = () => Date.now() / 1000 } = {}) {
    return new Outbox(await Store.open(`bluezone-outbox-${name}`), name, now);
  }

  /** Keep an entry; resolves with its id when it is on the disk. Rejects with storage_full: nothing was lost or kept. */
  append(kind, body) {
    return this.store.exclusively(async () => {
      const number = ((await this.store.get("number")) || 0) + 1;
      const entry = { id: uuid7(this.now()), kind, body, at: this.now(), attempts: 0, nextAt: 0, refused: null };
      await this.store.write({ number, [nameOf(number)]: { ...entry, number } });
      return entry.id;
    });
  }

  /** What waits, in the order of entering: {id, kind, body, at, attempts, nextAt, refused: code | null}[]. */
  async list() {
    return (await this.store.all("entry/")).map(([, { number: _number, ...entry }]) => entry);
  }

  /**
   * Send what is due. send: async ({id, kind, body}) => …, see above. force: do not wait for the backoff.
   *
   * Returns {ran: false} while another tab flushes, else {ran: true, sent, left, error: what stopped it or null}.
   */
  async flush(send, { force = false } = {}) {
    const { ran, result } = await ifFree(`${this.store.name}-flush`, () => this.flushAlone(send, force));
    return ran ? { ran, ...result } : { ran };
  }

  /** Flush now, when the network comes back, and every 15 s; returns what ends it. after: called with each result. */
  keepFlushing(send, after = () => {}) {
    const flush = async (force) => after(await this.flush(send, { force }));
    const online = () => flush(true);
    const timer = setInterval(() => flush(false), LOOK_SECONDS * 1000);
    addEventListener("online", online);
    flush(false);
    return () => {
      clearInterval(timer);
      removeEventListener("online", online);
    };
  }

  /** Take an entry out unsent, such as a refused one that was read and corrected. */
  remove(id) {
    return this.store.exclusively(async () => {
      for (const [name, entry] of await this.store.all("entry/")) {
        if (entry.id === id) await this.store.write({ [name]: undefined });
      }
    });
  }

  /** Destroy the key, then everything. */
  erase() {
    return this.store.erase();
  }

  close() {
    this.store.close();
  }

  async flushAlone(send, force) {
    let sent = 0;
    let error = null;
    for (const [name, entry] of await this.store.all("entry/")) {
      if (entry.refused !== null) continue;
      if (!force && entry.nextAt > this.now() && entry.nextAt < this.now() + 2 * LONGEST_WAIT_SECONDS) break;
      try {
        await send({ id: entry.id, kind: entry.kind, body: entry.body });
        await this.store.write({ [name]: undefined });
        sent += 1;
      } catch (reason) {
        await this.store.write({ [name]: failed(entry, reason, this.now()) });
        if (reason && reason.permanent) continue;
        error = reason;
        break;
      }
    }
    return { sent, left: (await this.store.all("entry/")).length, error };
  }
}

const nameOf = (number) => `entry/${String(number).padStart(12, "0")}`;

function failed(entry, reason, now) {
  const attempts = entry.attempts + 1;
  if (reason && reason.permanent) return { ...entry, attempts, refused: reason.code || "refused" };
  const wait = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** entry.attempts);
  return { ...entry, attempts, nextAt: now + wait * (1 + Math.random() / 2) };
}
