// SPDX-License-Identifier: Apache-2.0
/** When a door that was set aside comes up again, in the phone's own zone, which is the city's. */

const HOUR = 3600;
const [MORNING, EVENING, TOO_LATE] = [8, 17, 20];

/** What a canvasser chooses from, in the order of time. */
export const RETURNS = ["after_17", "tomorrow", "weekend"];

/**
 * The moment a door is due, Unix seconds. revisit: what was chosen; anything else is tomorrow morning. at: of the visit.
 * Never sooner than an hour, so that a door that was just left does not stand first again.
 */
export function dueAt(revisit, at) {
  const left = new Date(at * 1000);
  if (revisit === "after_17") {
    const soonest = at + HOUR;
    const evening = on(left, 0, EVENING);
    if (soonest <= on(left, 0, TOO_LATE)) return Math.max(evening, soonest);
    return on(left, 1, EVENING);
  }
  if (revisit === "weekend") {
    const day = left.getDay();
    // On a Saturday the Sunday is meant, on a Sunday the next Saturday.
    return on(left, day === 6 ? 1 : 6 - day, MORNING);
  }
  return on(left, 1, MORNING);
}

/** What suits a door at which nobody was: this evening while there is one. */
export function usualReturn(at) {
  return new Date(at * 1000).getHours() < EVENING ? "after_17" : "tomorrow";
}

function on(moment, days, hour) {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate() + days, hour).getTime() / 1000;
}
