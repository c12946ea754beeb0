// SPDX-License-Identifier: Apache-2.0
/** The owner's own book: notes, calls, tests and symptoms by day, to download or print; kept on this device alone. */
import { later } from "../dates.js";
import { h, p } from "../dom.js";
import { field, linkButton, note, worker } from "../parts.js";
import { warningTitle } from "../telling.js";
import { placeName } from "../visitrow.js";

const KEPT_DAYS = 30;
const LONGEST = 2000;

/** The form, the lines, latest day first, and the ways to take them along. */
export async function show(app) {
  const entries = await app.engine.journal();
  const today = app.dates.day(app.dates.now());
  const day = field("day", app.t("journal.day"), { type: "date", value: today, min: later(today, -KEPT_DAYS), max: today, required: true });
  const text = field("text", app.t("journal.note"), { tag: "textarea", maxlength: LONGEST, rows: 3 });
  const { button, place, run } = worker(app, app.t("journal.write"), app.t("today.noting"), async () => {
    if (!text.input.value.trim()) {
      place.replaceChildren(h("div", { role: "alert" }, note("warn", "warn", app.t("journal.nothing"))));
      return;
    }
    await app.engine.writeJournal({ day: day.input.value || today, kind: "note", text: text.input.value.trim(), marks: [] });
    await app.route();
    app.say(app.t("today.noted"));
  }, { submit: true });
  const days = [...new Set(entries.map((entry) => entry.day))].reverse();
  return {
    title: app.t("journal.title"), tab: "diary",
    body: [
      h("h1", {}, app.t("journal.title")), p(app.t("journal.lead")),
      h("section", { class: "card reading unprinted" }, h("form", { onsubmit: run }, day.row, text.row, h("div", {}, button), place)),
      h("section", { class: "card" }, h("h2", {}, app.t("journal.lines")),
        days.length ? days.map((one) => [h("h3", {}, app.dates.begun(one)), h("ul", { class: "rows" }, entries.filter((entry) => entry.day === one).map((entry) => line(app, entry)))]) : p(app.t("journal.empty"))),
      await alsoPrinted(app),
      taken(app, entries),
      h("div", { class: "buttons" }, linkButton("#/symptoms", app.t("symptoms.title"), { quiet: true }), linkButton("#/diary", app.t("diary.title"), { quiet: true })),
    ],
  };
}

/** The words of an entry. */
function wordsOf(app, { kind, text, marks }) {
  if (kind === "note") return text;
  if (kind !== "symptoms") return app.t(`done.${kind}`);
  return [app.t(`done.${kind}`), marks.map((mark) => app.t(`symptom.${mark}`)).join(", ")].filter(Boolean).join(": ");
}

function line(app, entry) {
  const told = wordsOf(app, entry);
  const { button, place } = worker(app, app.t("today.remove"), app.t("today.noting"), async () => {
    await app.engine.removeJournal(entry.id);
    await app.route();
    app.say(app.t("today.removed"));
  }, { quiet: true });
  button.append(h("span", { class: "sr" }, `: ${told}`));
  return h("li", { class: "noted" }, h("div", { class: "row" }, h("span", { class: "told" }, told), button), place);
}

/** Places and warnings, which are on paper and in the file too. */
async function alsoPrinted(app) {
  const visits = (await app.engine.visits()).map((visit) => h("li", {}, `${app.dates.moment(visit.inAt)}: ${placeName(app, visit)}`));
  const warnings = app.state.warnings.map((warning) => h("li", {}, `${app.dates.begun(warning.day)}: ${warningTitle(app, warning)}`));
  return h("section", { class: "card printed" }, h("ul", {}, visits, warnings));
}

function taken(app, entries) {
  const file = worker(app, app.t("journal.export"), app.t("journal.exporting"), async () => {
    const visits = (await app.engine.visits()).map(({ label, inAt, outAt }) => ({ place: label, from: iso(inAt), until: outAt && iso(outAt) }));
    const warnings = app.state.warnings.map(({ day, kind, level, minutesBand, certainty, label }) => ({ day, kind, level, minutes: minutesBand, certainty, place: label }));
    const lines = entries.map(({ day, kind, text, marks, at }) => ({ day, kind, text, marks, written: iso(at) }));
    const told = JSON.stringify({ made: iso(app.dates.now()), lines, places: visits, warnings }, null, 1);
    const address = URL.createObjectURL(new Blob([told], { type: "application/json" }));
    h("a", { href: address, download: "bluezone-journal.json" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    app.say(app.t("journal.exported"));
  }, { quiet: true });
  const print = h("button", { type: "button", class: "button quiet", onclick: () => globalThis.print() }, app.t("journal.print"));
  return h("section", { class: "card reading unprinted" }, p(app.t("journal.export.note"), "soft"), h("div", { class: "buttons" }, file.button, print), file.place);
}

const iso = (seconds) => new Date(seconds * 1000).toISOString();
