// SPDX-License-Identifier: Apache-2.0
/** Everything of the browser that tests replace: clocks, timers, chance and the network. */
import { randomBytes } from "./bytes.js";

/** The real browser. Timers take seconds; `uniform` is in [low, high). */
export function browserEnvironment() {
  return {
    wallSeconds: () => Date.now() / 1000,
    // Runs on through a change of the wall clock; starts anew with each page.
    monotonicSeconds: () => performance.now() / 1000,
    setTimer: (seconds, work) => setTimeout(work, Math.min(seconds * 1000, 2 ** 31 - 1)),
    clearTimer: (timer) => clearTimeout(timer),
    fetch: (address, options) => fetch(address, options),
    random: () => {
      const [high, low] = crypto.getRandomValues(new Uint32Array(2));
      return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
    },
    randomBytes,
    origin: location.origin,
    // By `this`, so that they draw from whatever `random` a test puts in its place.
    uniform(low, high) {
      return low + (high - low) * this.random();
    },
    exponential(rate) {
      return -Math.log(1 - this.random()) / rate;
    },
  };
}
