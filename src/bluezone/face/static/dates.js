// SPDX-License-Identifier: Apache-2.0
/** Days and times in the city's zone, as the language writes them. A day is "YYYY-MM-DD", a time Unix seconds. */
import { fill, SPOKEN } from "./words.js";

const DAY_MS = 86_400_000;

export class Dates {
  /** words: of the language. zone: IANA name. now: () -> Unix seconds, the engine's if it tells. */
  constructor(words, zone, now) {
    this.words = words;
    this.now = now;
    const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    this.format = new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: zone });
  }

  /** The local date of a time. */
  day(seconds) {
    const { year, month, day } = this.parts(seconds);
    return `${year}-${month}-${day}`;
  }

  /** 07:42 */
  clock(seconds) {
    const { hour, minute } = this.parts(seconds);
    return `${hour}:${minute}`;
  }

  /** When the city's clocks show this, Unix seconds. clock: "07:42". */
  at(day, clock) {
    const asUtc = Date.parse(`${day}T${clock}:00Z`) / 1000;
    const shown = Date.parse(`${this.day(asUtc)}T${this.clock(asUtc)}:00Z`) / 1000;
    return asUtc - (shown - asUtc);
  }

  /** "07:42 hôm nay", "07:42 ngày 8/8"; for what this device itself does, never for a contact. */
  moment(seconds) {
    const time = this.clock(seconds);
    const day = this.day(seconds);
    if (day === this.day(this.now())) return this.words.t("time.today", { time });
    if (day === this.day(this.now() - 86_400)) return this.words.t("time.yesterday", { time });
    return this.words.t("time.day", { time, day: this.short(day) });
  }

  /** "8/8", "8 August" */
  short(day) {
    return this.written("short", day);
  }

  /** "8/8/2020", "8 August 2020" */
  full(day) {
    return this.written("full", day);
  }

  /** "thứ Bảy 8/8/2020", "Saturday 8 August 2020" */
  long(day) {
    return this.written("long", day);
  }

  written(form, day) {
    const [year, month, date] = numbers(day);
    const { weekdays, months = [], ...forms } = SPOKEN[this.words.language];
    const weekday = weekdays[new Date(Date.UTC(year, month - 1, date)).getUTCDay()];
    return fill(forms[form], { year, month, date, weekday, name: months[month - 1] });
  }

  /** The same at the beginning of a sentence. */
  begun(day) {
    const text = this.long(day);
    return text[0].toUpperCase() + text.slice(1);
  }

  /** A UTC day as people live it: the local day on which it begins, and the time at which it begins and ends. */
  span(utcDay) {
    const begins = Date.parse(`${utcDay}T00:00:00Z`) / 1000;
    return { day: this.day(begins), at: this.clock(begins) };
  }

  /** A number of minutes, hours or days in words. */
  amount(seconds) {
    const minutes = Math.round(Math.abs(seconds) / 60);
    if (minutes >= 3 * 1440) return this.words.n("amount.days", Math.round(minutes / 1440));
    if (minutes >= 60 && (minutes % 60 === 0 || minutes >= 180)) return this.words.n("amount.hours", Math.round(minutes / 60));
    return this.words.n("amount.minutes", minutes);
  }

  parts(seconds) {
    return Object.fromEntries(this.format.formatToParts(new Date(seconds * 1000)).map(({ type, value }) => [type, value]));
  }
}

/** The day so many days later. */
export function later(day, days) {
  const [year, month, date] = numbers(day);
  return new Date(Date.UTC(year, month - 1, date) + days * DAY_MS).toISOString().slice(0, 10);
}

/** How many days lie between two days. */
export function between(from, until) {
  const [one, other] = [from, until].map((day) => Date.UTC(...numbers(day).map((part, place) => part - (place === 1))));
  return Math.round((other - one) / DAY_MS);
}

function numbers(day) {
  return day.split("-").map(Number);
}
