// SPDX-License-Identifier: Apache-2.0
/**
 * Time that a wrong or set-back clock cannot fool: the wall clock corrected by signed files, never below the largest
 * `generated_at` of one (docs/protocol.md section 3 "Trusted time", as far as a browser can: it has no boot clock).
 *
 * The wall clock is believed if it lies between a new file's generated_at (5 minutes of slack) and 36 hours after it;
 * else the device is wrong by the difference, which is kept; but where the file is older and the server's own clock
 * agrees with the device, nothing new was published for some days, and the device is right. A file no newer than one
 * seen before changes nothing.
 */
import { STALE_SECONDS } from "./indexfile.js";

export const JUMP_SECONDS = 300;

export class TrustedClock {
  constructor(environment, kept = null) {
    this.environment = environment;
    this.floor = kept ? kept.floor : 0;
    // Trusted time minus wall clock, 0 while the wall clock is believed.
    this.offset = kept ? kept.offset : 0;
    this.reference = environment.wallSeconds() - environment.monotonicSeconds();
  }

  /** The best time there is, Unix seconds. */
  now() {
    this.look();
    return Math.max(this.environment.wallSeconds() + this.offset, this.floor);
  }

  /** How far the device's clock is ahead; negative when behind. */
  errorSeconds() {
    return Math.round(this.environment.wallSeconds() - this.now());
  }

  /**
   * Take the time from a signed file whose history was checked. Returns whether there is something to keep.
   * answeredAt: when the server gave it, Unix seconds by its own clock; null if unknown.
   */
  signedFileSeen(generatedAt, answeredAt = null) {
    this.look();
    if (generatedAt <= this.floor) return false;
    const wall = this.environment.wallSeconds();
    this.floor = generatedAt;
    const possible = (moment) => generatedAt - JUMP_SECONDS <= moment && moment <= generatedAt + STALE_SECONDS;
    const isLate = answeredAt !== null && wall > generatedAt && Math.abs(wall - answeredAt) <= JUMP_SECONDS;
    if (possible(wall) || isLate) this.offset = 0;
    else if (!possible(wall + this.offset)) this.offset = generatedAt - wall;
    return true;
  }

  /** The device's clock, which no signed file moves. */
  wallSeconds() {
    return this.environment.wallSeconds();
  }

  /** How long ago a moment was by the device's clock; null where it cannot tell. wall: what it showed then. */
  secondsSince(wall) {
    const passed = this.environment.wallSeconds() - wall;
    return passed >= 0 ? passed : null;
  }

  toJson() {
    return { floor: this.floor, offset: this.offset };
  }

  /** While the page is open, a jump of the wall clock is told by the clock that runs through it. */
  look() {
    const reference = this.environment.wallSeconds() - this.environment.monotonicSeconds();
    const jump = reference - this.reference;
    if (Math.abs(jump) <= JUMP_SECONDS) return;
    this.reference = reference;
    // A laptop's monotonic clock may stop in sleep: then the wall clock goes ahead and is right.
    if (jump < 0) this.offset -= jump;
  }
}
