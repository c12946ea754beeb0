// SPDX-License-Identifier: Apache-2.0
/**
 * One at a time across tabs, workers and windows of this browser.
 *
 * Web Locks where there are any (Chrome 69, Firefox 96, Safari 15.4); elsewhere a lease in IndexedDB, which a tab that
 * was killed loses after LEASE_MS. What runs under the fallback must be safe to repeat, as everything here is.
 */
const LEASE_MS = 30_000;
const LOOK_MS = 100;

/** Run `work` while no other holder of `name` runs; returns what it returns. locks: tests pass null for the lease. */
export async function exclusively(name, work, locks = globalThis.navigator && navigator.locks) {
  if (locks) return locks.request(name, work);
  const lease = await Lease.take(name);
  try {
    return await work();
  } finally {
    await lease.release();
  }
}

/** Run `work` only if nobody holds `name` now; returns {ran, result}. */
export async function ifFree(name, work, locks = globalThis.navigator && navigator.locks) {
  if (locks) {
    return locks.request(name, { ifAvailable: true }, async (lock) =>
      lock === null ? { ran: false } : { ran: true, result: await work() });
  }
  const lease = await Lease.tryToTake(name);
  if (lease === null) return { ran: false };
  try {
    return { ran: true, result: await work() };
  } finally {
    await lease.release();
  }
}

class Lease {
  constructor(name, owner) {
    this.name = name;
    this.owner = owner;
    this.renewing = setInterval(() => this.put(Date.now() + LEASE_MS), LEASE_MS / 3);
  }

  static async take(name) {
    for (;;) {
      const lease = await Lease.tryToTake(name);
      if (lease !== null) return lease;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  static async tryToTake(name) {
    const owner = `${Date.now()}/${crypto.getRandomValues(new Uint32Array(2)).join("/")}`;
    const taken = await change(name, (held) =>
      held && held.until > Date.now() && held.until <= Date.now() + LEASE_MS ? null : { owner, until: Date.now() + LEASE_MS });
    return taken ? new Lease(name, owner) : null;
  }

  put(until) {
    return change(this.name, (held) => (held && held.owner === this.owner ? { owner: this.owner, until } : null));
  }

  async release() {
    clearInterval(this.renewing);
    await this.put(0);
  }
}

/** Replace a lease in one transaction; `decide` returns the new one, or null to leave it. */
async function change(name, decide) {
  const database = await new Promise((resolve, reject) => {
    const asked = indexedDB.open("bluezone-locks", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("leases");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction("leases", "readwrite");
      const leases = transaction.objectStore("leases");
      let changed = false;
      const read = leases.get(name);
      read.onsuccess = () => {
        const next = decide(read.result);
        changed = next !== null;
        if (changed) leases.put(next, name);
      };
      transaction.oncomplete = () => resolve(changed);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}
