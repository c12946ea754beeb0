// SPDX-License-Identifier: Apache-2.0
/** Days and times in the city's zone, as Vietnamese and English write them. A day is "YYYY-MM-DD", a time Unix seconds. */

const WEEKDAYS = {
  vi: ["Chủ nhật", "thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy"],
  en: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
};
const MONTHS = [
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
];
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
    const [, month, date] = numbers(day);
    return this.words.language === "en" ? `${date} ${MONTHS[month - 1]}` : `${date}/${month}`;
  }

  /** "8/8/2020", "8 August 2020" */
  full(day) {
    return `${this.short(day)}${this.words.language === "en" ? " " : "/"}${numbers(day)[0]}`;
  }

  /** "thứ Bảy 8/8/2020", "Saturday 8 August 2020" */
  long(day) {
    const [year, month, date] = numbers(day);
    return `${WEEKDAYS[this.words.language][new Date(Date.UTC(year, month - 1, date)).getUTCDay()]} ${this.full(day)}`;
  }

  /** The same at the beginning of a sentence. */
  begun(day) {
    const text = this.long(day);
    return text[0].toUpperCase() + text.slice(1);
  }

  /** A number of minutes or hours in words. */
  amount(seconds) {
    const minutes = Math.round(Math.abs(seconds) / 60);
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

function numbers(day) {
  return day.split("-").map(Number);
}
