// SPDX-License-Identifier: Apache-2.0
/**
 * What a case uploads, to the byte: keys, venue slots, and the commitment that a certificate signs (docs/protocol.md
 * section 4).
 */
import { compare, concat, pack, utf8 } from "./bytes.js";
import { dayText } from "./days.js";
import { sha256 } from "./digests.js";

export const MAX_SLOTS = 80;
export const MAX_SLOTS_PER_HOUR = 3;
export const STANDARD = 1;
export const HIGH = 2;

/** 23 bytes of a key {key, start, period, level}; the web edition has none of its own, the vectors do. */
export const keyBytes = ({ key, start, period, level }) => concat(key, pack("IHB", start, period, level));

/** 38 bytes of a slot {hour, slotKey, startMinute, endMinute}. */
export const slotBytes = ({ hour, slotKey, startMinute, endMinute }) =>
  concat(pack("I", hour), slotKey, pack("BB", startMinute, endMinute));

/** `u16 count || keys`, sorted by start, then key. */
export function encodeKeys(keys) {
  const sorted = [...keys].sort((one, other) => one.start - other.start || compare(one.key, other.key));
  return concat(pack("H", keys.length), ...sorted.map(keyBytes));
}

/** `u16 count || slots`, sorted by their bytes; each slot is 38 bytes already. */
export function encodeSlots(slots) {
  return concat(pack("H", slots.length), ...[...slots].sort(compare));
}

/** M: 32 bytes that fit this upload and no other. */
export const commitment = (salt, keys, slots) =>
  sha256(concat(utf8("BZ-UP-v1"), salt, encodeKeys(keys), encodeSlots(slots)));

/** How infectious a case was on a day: 2 high, 1 standard, null for a day that is not reported. UTC days. */
export function infectiousLevel(day, onsetDay) {
  const distance = day - onsetDay;
  if (distance >= -2 && distance <= 3) return HIGH;
  return distance >= -4 && distance <= 9 ? STANDARD : null;
}

/** The days of which something is reported, earliest first: {day, level: "standard"|"high"}[]. */
export function infectiousDays(onsetDay) {
  const days = Array.from({ length: 14 }, (_, place) => onsetDay - 4 + place);
  return days.map((day) => ({ day: dayText(day), level: infectiousLevel(day, onsetDay) === HIGH ? "high" : "standard" }));
}
