// SPDX-License-Identifier: Apache-2.0
/** Days: local ones as people say them, UTC ones as the protocol counts them. */

export const DAY_SECONDS = 86_400;
const formats = new Map();

/** The local date "YYYY-MM-DD" of a moment in a zone (IANA name). */
export function localDay(unixSeconds, zone) {
  if (!formats.has(zone)) {
    const options = { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" };
    formats.set(zone, new Intl.DateTimeFormat("en-CA", options));
  }
  const parts = Object.fromEntries(formats.get(zone).formatToParts(unixSeconds * 1000).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/** The UTC day since 1970-01-01 that holds a moment. */
export const utcDay = (unixSeconds) => Math.floor(unixSeconds / DAY_SECONDS);

/** "YYYY-MM-DD" of a UTC day number. */
export const dayText = (day) => new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 10);

/** The day `count` days after "YYYY-MM-DD". */
export const dayAfter = (day, count) => dayText(utcDay(Date.parse(`${day}T00:00:00Z`) / 1000) + count);
