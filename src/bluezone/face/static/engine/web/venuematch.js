// SPDX-License-Identifier: Apache-2.0
/** Finding one's own stays among the items of a venue package, and what they mean (docs/venues.md "Matching"). */
import { Refusal } from "../refusal.js";
import { fromHex, hex, view } from "./bytes.js";
import { openGcm } from "./digests.js";
import { dayAfter, localDay } from "./days.js";
import { slotEncryptionKey, slotTag } from "./venue.js";

export const ITEM_SIZE = 52;
const TAG_LENGTH = 16;
const NONCE_LENGTH = 12;
const RECORD_SIZE = 8;
const WEIGHTS = { 1: 1.4, 2: 1.6 };
const DECIMALS = 6;
const LIKELY_ABOVE_MINUTES = 15;
// The shipped profile's rule, for a city whose profile is a Corona-Warn-App configuration and names none of these.
const MINIMUM_MINUTES = 10;
const LEVELS = { low: 9, high: 15 };

/** Items of a package; throws venue_package_invalid if it is not whole items. */
export function itemsOf(data) {
  if (data.length === 0 || data.length % ITEM_SIZE) {
    throw new Refusal("venue_package_invalid", { bytes: data.length }, "a venue package is not whole items of 52 bytes");
  }
  return Array.from({ length: data.length / ITEM_SIZE }, (_, place) => data.subarray(place * ITEM_SIZE, (place + 1) * ITEM_SIZE));
}

/**
 * The hours of one's stays that a package names.
 *
 * visits: {id, keys: {hour: hex of K_h}}. Returns {visit, item (hex of its first 28 bytes), hour, startMinute,
 * endMinute, level}[].
 */
export async function matchItems(items, visits) {
  const wanted = new Map();
  for (const visit of visits) {
    for (const [hour, key] of Object.entries(visit.keys)) {
      const tag = hex(await slotTag(fromHex(key)));
      wanted.set(tag, [...(wanted.get(tag) || []), { visit: visit.id, hour: Number(hour), key }]);
    }
  }
  if (!wanted.size) return [];
  const hits = [];
  for (const item of items) {
    for (const { visit, hour, key } of wanted.get(hex(item.subarray(0, TAG_LENGTH))) || []) {
      const record = await openItem(item, fromHex(key));
      if (record !== null && record.hour === hour) {
        hits.push({ visit, item: hex(item.subarray(0, TAG_LENGTH + NONCE_LENGTH)), ...record });
      }
    }
  }
  return hits;
}

/** {hour, startMinute, endMinute, level} of an item under its hour's key, or null for one that does not count. */
export async function openItem(item, key) {
  const tag = item.subarray(0, TAG_LENGTH);
  const nonce = item.subarray(TAG_LENGTH, TAG_LENGTH + NONCE_LENGTH);
  const record = await openGcm(await slotEncryptionKey(key), nonce, item.subarray(TAG_LENGTH + NONCE_LENGTH), tag);
  if (record === null || record.length !== RECORD_SIZE) return null;
  const [version, level, startMinute, endMinute] = record;
  if (version !== 1 || (level !== 1 && level !== 2) || !(startMinute < endMinute && endMinute <= 60)) return null;
  return { hour: view(record).getUint32(4), startMinute, endMinute, level };
}

/**
 * Days with a risk, latest first: {day, minutes, level, visits: ids}.
 *
 * hits: as matchItems found them; visits: {id: {inAt, outAt}} of stays that count; config: profile and zone.
 */
export function riskyDays(hits, visits, config, now) {
  const days = new Map();
  for (const hit of hits) {
    const visit = visits.get(hit.visit);
    if (visit === undefined) continue;
    const start = Math.max(visit.inAt, hit.hour * 3600 + hit.startMinute * 60);
    const end = Math.min(visit.outAt === null ? now : visit.outAt, hit.hour * 3600 + hit.endMinute * 60);
    if (end <= start) continue;
    const day = localDay(start, config.zone);
    const sum = days.get(day) || { day, minutes: 0, score: 0, visits: new Set() };
    sum.minutes += (end - start) / 60;
    sum.score += ((end - start) / 60) * WEIGHTS[hit.level];
    sum.visits.add(hit.visit);
    days.set(day, sum);
  }
  const today = localDay(now, config.zone);
  const oldest = Number.isInteger(config.profile.max_age_days) ? dayAfter(today, -config.profile.max_age_days) : "";
  const counted = [...days.values()].filter(({ day }) => day >= oldest && day <= today);
  const assessed = counted.map((sum) => ({ ...sum, level: levelOf(sum, config.profile) }));
  return assessed.filter(({ level }) => level !== null).sort((one, other) => (one.day < other.day ? 1 : -1));
}

/** Likely over 15 minutes, else unclear: nobody measured a distance. */
export const certaintyOf = (minutes) => (minutes > LIKELY_ABOVE_MINUTES ? "likely" : "unclear");

/** The band in which minutes are shown. */
export function bandOf(minutes) {
  if (minutes < 10) return "<10";
  if (minutes < 15) return "10-15";
  return minutes <= 30 ? "15-30" : ">30";
}

function levelOf({ minutes, score }, profile) {
  const own = typeof profile.levels === "object" && profile.levels !== null && Number.isFinite(profile.levels.low);
  const levels = own ? profile.levels : LEVELS;
  const minimum = own ? profile.minimum_minutes : MINIMUM_MINUTES;
  const rounded = (number) => Number(number.toFixed(DECIMALS));
  if (minimum !== undefined && rounded(minutes) <= minimum) return null;
  if (rounded(score) >= levels.high) return "high";
  return rounded(score) >= levels.low ? "low" : null;
}
