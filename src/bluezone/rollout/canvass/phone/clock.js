// SPDX-License-Identifier: Apache-2.0
/** Hybrid logical clocks, the same text as clocks.py: which of two versions is newer, whatever the phone's watch says. */

/** A clock later than `seconds` and than `last`. who: letters and digits that no other phone has. */
export function nextClock(seconds, last, who) {
  let wall = Math.floor(seconds * 1000);
  let count = 0;
  if (last && Number(last.slice(0, 13)) >= wall) {
    wall = Number(last.slice(0, 13));
    count = parseInt(last.slice(14, 18), 16) + 1;
    if (count > 0xffff) [wall, count] = [wall + 1, 0];
  }
  return `${String(wall).padStart(13, "0")}.${count.toString(16).padStart(4, "0")}.${who}`;
}

/** The later of two clocks; either may be missing. */
export function later(one, other) {
  return (one || "") > (other || "") ? one : other || "";
}
