// SPDX-License-Identifier: Apache-2.0
/** The words of one language: Vietnamese first, English beside it; places in braces are filled in. */

export const LANGUAGES = ["vi", "en"];

export class Words {
  constructor(language, catalogue) {
    this.language = language;
    this.catalogue = { ...catalogue };
    this.plural = new Intl.PluralRules(language);
  }

  /** Load the words of "vi" or "en"; anything else is Vietnamese. */
  static async load(language) {
    const { default: catalogue } = language === "en" ? await import("./words/en.js") : await import("./words/vi.js");
    return new Words(language === "en" ? "en" : "vi", catalogue);
  }

  /** Add the long texts (questions, guides), which most visits do not need. */
  async read() {
    const { default: more } = this.language === "en" ? await import("./words/en-reading.js") : await import("./words/vi-reading.js");
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
    return new Intl.NumberFormat(this.language === "en" ? "en-GB" : "vi-VN").format(value);
  }
}

/** Put values into the places between braces; a place without a value stays as it is. */
export function fill(text, values) {
  return text.replace(/\{([a-z_]+)\}/g, (place, name) => (values[name] === undefined || values[name] === null ? place : String(values[name])));
}
