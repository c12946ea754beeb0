// SPDX-License-Identifier: Apache-2.0
/** From a stay to the slots that report it (docs/protocol.md section 6; docs/venues.md "What is reported"). */
import { compare, fromHex } from "./bytes.js";
import { MAX_SLOTS, MAX_SLOTS_PER_HOUR, slotBytes } from "./payload.js";

const HOUR = 3600;
const STEP = 600;
const SHORTEST_MINUTES = 10;
const TAIL_SECONDS = 1800;
// The aerosol tail of 30 minutes and the rounding of 10 reach so far behind a stay.
export const KEPT_AFTER_SECONDS = 40 * 60;

/** The Corona-Warn-App's deriveTime: [start, end) in Unix seconds, or null for a stay under 10 minutes. */
export function deriveTime(inAt, outAt) {
  const stay = outAt - inAt;
  const minutes = Math.floor(stay / 60);
  if (minutes < SHORTEST_MINUTES) return null;
  const tail = minutes <= 30 ? stay : TAIL_SECONDS;
  const end = outAt + tail;
  const roundedStart = Math.floor(inAt / STEP) * STEP;
  const roundedEnd = Math.floor(end / STEP) * STEP;
  const length = Math.floor((stay + tail) / STEP + 0.5) * STEP;
  if (end - roundedEnd > roundedStart + STEP - inAt) return [roundedEnd + STEP - length, roundedEnd + STEP];
  return [roundedStart, roundedStart + length];
}

/** Split [start, end) (Unix seconds, whole minutes) by hour: {hour, startMinute, endMinute}[]. */
export function splitByHour(start, end) {
  const pieces = [];
  for (let hour = Math.floor(start / HOUR); hour * HOUR < end; hour += 1) {
    const startMinute = Math.floor((Math.max(start, hour * HOUR) - hour * HOUR) / 60);
    const endMinute = Math.floor((Math.min(end, (hour + 1) * HOUR) - hour * HOUR) / 60);
    if (startMinute < endMinute) pieces.push({ hour, startMinute, endMinute });
  }
  return pieces;
}

/** Hours that [from, to] touches. */
export function hoursTouched(from, to) {
  const hours = [];
  for (let hour = Math.floor(from / HOUR); hour <= Math.floor(to / HOUR); hour += 1) hours.push(hour);
  return hours;
}

/**
 * The slots that report stays, within the server's bounds.
 *
 * stays: {inAt, outAt, keys: {hour: hex of K_h}, lasts}; now: Unix seconds, what lies after it is cut off.
 * lasts: the owner is still there, so that it is not too short yet.
 * Returns {hour, slotKey, startMinute, endMinute}[] in the order in which they are sent.
 */
export function slotsOf(stays, now) {
  const found = new Map();
  for (const { inAt, outAt, keys, lasts } of stays) {
    const end = lasts ? Math.max(outAt, inAt + SHORTEST_MINUTES * 60) : outAt;
    const derived = deriveTime(Math.floor(inAt), Math.floor(end));
    if (derived === null) continue;
    const until = Math.min(derived[1], Math.floor(now / 60) * 60);
    for (const piece of splitByHour(derived[0], until)) {
      const key = keys[piece.hour];
      if (key === undefined) continue;
      const name = `${piece.hour}/${key}`;
      found.set(name, joined([...(found.get(name) || []), { ...piece, slotKey: fromHex(key) }]));
    }
  }
  return bounded([...found.values()].flat()).sort(byBytes);
}

/** Slots of one hour and key: those that touch or overlap become one. */
function joined(slots) {
  const sorted = [...slots].sort((one, other) => one.startMinute - other.startMinute);
  const whole = [sorted[0]];
  for (const slot of sorted.slice(1)) {
    const last = whole[whole.length - 1];
    if (slot.startMinute <= last.endMinute) {
      whole[whole.length - 1] = { ...last, endMinute: Math.max(last.endMinute, slot.endMinute) };
    } else whole.push(slot);
  }
  return whole;
}

const byBytes = (one, other) => compare(slotBytes(one), slotBytes(other));

/** The longest 3 of an hour, the latest 80 of all. */
function bounded(slots) {
  const hours = new Map();
  for (const slot of slots) hours.set(slot.hour, [...(hours.get(slot.hour) || []), slot]);
  const length = (slot) => slot.endMinute - slot.startMinute;
  const longest = (hour) => hours.get(hour).sort((one, other) => length(other) - length(one) || byBytes(one, other));
  const latestFirst = [...hours.keys()].sort((one, other) => other - one);
  return latestFirst.flatMap((hour) => longest(hour).slice(0, MAX_SLOTS_PER_HOUR)).slice(0, MAX_SLOTS);
}
