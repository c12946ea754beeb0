// SPDX-License-Identifier: Apache-2.0
/**
 * What the owner writes down for themselves: calls, tests, symptoms, notes; kept in this browser and sent to nobody.
 *
 * The same kinds, symptoms and bounds as handset/journal.py.
 */
import { Refusal } from "../refusal.js";
import { hex, randomBytes } from "./bytes.js";
import { DEFAULT_ZONE } from "./cityconfig.js";
import { dayAfter, localDay } from "./days.js";

const KEPT_DAYS = 30;
const MOST_ENTRIES = 500;
const LONGEST_TEXT = 2000;
const KINDS = ["called", "tested", "negative", "positive", "ended", "symptoms", "note"];
// What is noted about warnings.
const ABOUT_WARNINGS = ["called", "tested", "negative"];
const MOST_WARNINGS = 50;
const LONGEST_NAME = 100;
const SYMPTOMS = ["fever", "cough", "breath", "throat", "smell", "tired", "none"];

export class Journal {
  /** parts: {store, clock, city}. */
  constructor({ store, clock, city }) {
    Object.assign(this, { store, clock, city });
  }

  /** Every entry of the last 30 days, oldest first; see contract.js. */
  async all() {
    const oldest = dayAfter(await this.today(), -KEPT_DAYS);
    const kept = ((await this.store.get("journal")) || []).filter((entry) => entry.day >= oldest);
    return kept.sort((one, other) => (one.day < other.day ? -1 : one.day > other.day ? 1 : one.at - other.at));
  }

  /** Write an entry; of one day there is one of symptoms, the latest. Rejects with journal_invalid, journal_full. */
  async write({ day, kind, text = "", marks = [] }) {
    const today = await this.today();
    const known = KINDS.includes(kind) && areMarks(kind, marks) && text.length <= LONGEST_TEXT;
    const kept = /^\d{4}-\d{2}-\d{2}$/.test(day) && dayAfter(today, -KEPT_DAYS) <= day && day <= dayAfter(today, 1);
    if (!known || !kept) throw new Refusal("journal_invalid", {}, `no entry of the journal: ${kind} of ${day}`);
    const entry = { id: hex(randomBytes(8)), day, kind, text, marks, at: this.clock.now() };
    return this.store.exclusively(async () => {
      const others = (await this.all()).filter((one) => !(kind === "symptoms" && one.kind === kind && one.day === day));
      if (others.length >= MOST_ENTRIES) throw new Refusal("journal_full");
      await this.store.write({ journal: [...others, entry] });
      return entry;
    });
  }

  /** Remove an entry; one that is gone already is no error. */
  remove(id) {
    return this.store.exclusively(async () => {
      await this.store.write({ journal: (await this.all()).filter((entry) => entry.id !== id) });
    });
  }

  async today() {
    const config = await this.city.held();
    return localDay(this.clock.now(), config ? config.zone : DEFAULT_ZONE);
  }
}

/** Whether these can be the marks of an entry: names of warnings, or of symptoms. */
function areMarks(kind, marks) {
  if (!ABOUT_WARNINGS.includes(kind)) return marks.every((mark) => SYMPTOMS.includes(mark));
  return marks.length <= MOST_WARNINGS && marks.every((mark) => mark.length <= LONGEST_NAME);
}
