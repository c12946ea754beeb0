// SPDX-License-Identifier: Apache-2.0
/**
 * The service worker of the web edition: registered once, changed for a newer one only when nothing is under way.
 *
 * A newer worker waits. It takes over when every page of the app is closed, or when the owner agrees and no report is
 * being sent; an upload that is on its way is never cut off, and one that was is made again (reporting.js).
 */
import { exclusively } from "../../locks.js";

const CHECK_TAG = "bluezone-check";
const DAY_MS = 86_400_000;

export class Updates {
  /** lock: name of what is held while a report is being sent; changed: called when an edition came or waits. */
  constructor(lock, changed) {
    this.lock = lock;
    this.changed = changed;
    this.registration = null;
  }

  /** Register the worker; as a module where the browser has such workers (it can then look for files by itself). */
  async register(base) {
    if (!("serviceWorker" in navigator)) return;
    const script = (name) => new URL(name, base).href;
    // What the worker imports is looked at anew as well, whatever a cache on the way says.
    const options = { scope: new URL("./", base).href, updateViaCache: "none" };
    try {
      this.registration = await navigator.serviceWorker.register(script("service-worker-module.js"), { ...options, type: "module" });
    } catch {
      try {
        this.registration = await navigator.serviceWorker.register(script("service-worker.js"), options);
      } catch (error) {
        console.warn("bluezone: no service worker, the app needs the network", error);
        return;
      }
    }
    this.registration.addEventListener("updatefound", () => {
      const worker = this.registration.installing;
      if (worker) worker.addEventListener("statechange", this.changed);
    });
  }

  /** Whether a newer edition waits. */
  get ready() {
    return Boolean(this.registration && this.registration.waiting && this.registration.active);
  }

  /** Change to it and load the page anew, after whatever is being sent. Resolves when the new worker was told. */
  async apply() {
    if (!this.ready) return;
    await exclusively(this.lock, async () => {
      const worker = this.registration.waiting;
      const changed = new Promise((resolve) => {
        navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
      });
      worker.postMessage("take over");
      await changed;
    });
    location.reload();
  }

  /** Ask for a look a day while the page is closed, where the browser offers it (Chrome, installed apps). */
  async askForDailyCheck() {
    const periodic = this.registration && this.registration.periodicSync;
    if (!periodic) return false;
    try {
      await periodic.register(CHECK_TAG, { minInterval: DAY_MS });
      return true;
    } catch {
      return false;
    }
  }
}
