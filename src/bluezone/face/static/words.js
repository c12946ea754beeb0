// SPDX-License-Identifier: Apache-2.0
/** The words of one language: Vietnamese first, English beside it, others for visitors; places in braces are filled in. */

/**
 * The languages, each as data: its name for numbers, how it writes days, and whether it is for visitors: then a browser keeps
 * its texts offline only once it was chosen. A new one is a row here, two files in words/ and its name in `language.…`.
 */
export const SPOKEN = {
  vi: {
    tag: "vi-VN", short: "{date}/{month}", full: "{date}/{month}/{year}", long: "{weekday} {date}/{month}/{year}",
    weekdays: ["Chủ nhật", "thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy"],
  },
  en: {
    tag: "en-GB", short: "{date} {name}", full: "{date} {name} {year}", long: "{weekday} {date} {name} {year}",
    weekdays: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
    months: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
  },
  zh: {
    tag: "zh-CN", visitors: true, short: "{month}月{date}日", full: "{year}年{month}月{date}日", long: "{year}年{month}月{date}日 {weekday}",
    weekdays: ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"],
  },
};
export const LANGUAGES = Object.keys(SPOKEN);

/**
 * The language for who has chosen none, by what the browser says that its owner reads: Vietnamese if it is listed at all
 * (telephones here often name English first), else the first that is offered, else Vietnamese.
 */
export function offeredLanguage(listed = navigator.languages || [navigator.language || ""]) {
  const known = listed.map((tag) => tag.toLowerCase().split("-")[0]).filter((code) => LANGUAGES.includes(code));
  return known.includes("vi") ? "vi" : known[0] || "vi";
}
const FILES = { vi: () => import("./words/vi.js"), en: () => import("./words/en.js"), zh: () => import("./words/zh.js") };
const READING = { vi: () => import("./words/vi-reading.js"), en: () => import("./words/en-reading.js"), zh: () => import("./words/zh-reading.js") };

export class Words {
  constructor(language, catalogue) {
    this.language = language;
    this.catalogue = { ...catalogue };
    this.plural = new Intl.PluralRules(language);
  }

  /** Load the words of a language; one that is not known is Vietnamese. */
  static async load(language) {
    const code = LANGUAGES.includes(language) ? language : "vi";
    // Where a language for visitors cannot be had, English is spoken.
    const found = SPOKEN[code].visitors ? await FILES[code]().catch(() => null) : await FILES[code]();
    if (found === null) return Words.load("en");
    const { default: catalogue } = found;
    return new Words(code, catalogue);
  }

  /** Add the texts (questions, guides, events) which most visits do not need; those in Vietnamese are always there. */
  async read() {
    const found = await READING[this.language]().catch(() => READING.vi());
    const { default: more } = found;
    Object.assign(this.catalogue, more);
  }

  /** Whether there is such a text. */
  has(key) {
    return Object.hasOwnProperty.call(this.catalogue, key);
  }

  /** The text of a key. values: by the name between braces. */
  t(key, values = {}) {
    const text = this.catalogue[key];
    if (text === undefined) {
      console.error("bluezone: no words for", key);
      return key;
    }
    return fill(text, { disease: this.catalogue.disease, ...values });
  }

  /** The text for a number: key + ".one" or ".other"; {count} is the number in the language's form. */
  n(key, count, values = {}) {
    const form = this.plural.select(count) === "one" ? "one" : "other";
    return this.t(`${key}.${form}`, { count: this.number(count), ...values });
  }

  /** A number with its separators: 1.250 or 1,250. */
  number(value) {
    return new Intl.NumberFormat(SPOKEN[this.language].tag).format(value);
  }
}

/** Put values into the places between braces; a place without a value stays as it is. */
export function fill(text, values) {
  return text.replace(/\{([a-z_]+)\}/g, (place, name) => (values[name] === undefined || values[name] === null ? place : String(values[name])));
}
