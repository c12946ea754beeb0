// SPDX-License-Identifier: Apache-2.0
/** The symptom calendar: what the owner notices today, and the last fourteen days; kept on this device alone. */
import { later } from "../dates.js";
import { h, p } from "../dom.js";
import { call, choice, linkButton, note, worker } from "../parts.js";

const SYMPTOMS = ["fever", "cough", "breath", "throat", "smell", "tired", "none"];
const DAYS = 14;

/** The form of today and the days before it. */
export async function show(app) {
  const today = app.dates.day(app.dates.now());
  const entries = (await app.engine.journal()).filter((entry) => entry.kind === "symptoms");
  const marksOf = (day) => (entries.find((entry) => entry.day === day) || { marks: null }).marks;
  const before = marksOf(today) || [];
  const rows = SYMPTOMS.map((name) => ({ name, ...choice(`symptom-${name}`, app.t(`symptom.${name}`), { checked: before.includes(name) }) }));
  const none = rows[rows.length - 1].input;
  // "Nothing unusual" and a symptom exclude each other.
  for (const { input } of rows) input.addEventListener("change", () => {
    if (input === none && input.checked) for (const row of rows.slice(0, -1)) row.input.checked = false;
    else if (input.checked) none.checked = false;
  });
  const { button, place, run } = worker(app, app.t("symptoms.save"), app.t("today.noting"), async () => {
    const marks = rows.filter(({ input }) => input.checked).map(({ name }) => name);
    if (!marks.length) {
      place.replaceChildren(h("div", { role: "alert" }, note("warn", "warn", app.t("symptoms.choose"))));
      return;
    }
    await app.engine.writeJournal({ day: today, kind: "symptoms", text: "", marks });
    await app.route();
    app.say(app.t("today.noted"));
  }, { submit: true });
  const past = Array.from({ length: DAYS }, (_, back) => later(today, -back)).map((day) => pastRow(app, day, marksOf(day)));
  return {
    title: app.t("symptoms.title"), tab: "diary",
    body: [
      h("h1", {}, app.t("symptoms.title")), p(app.t("symptoms.lead")),
      before.includes("breath") && note("alert", "alert", p(app.t("symptoms.breath")), call(app.t("warning.call.emergency"), "115")),
      h("section", { class: "card reading" }, h("form", { onsubmit: run }, h("fieldset", {}, h("legend", {}, app.dates.begun(today)), rows.map(({ row }) => row)), h("div", {}, button), place)),
      h("section", { class: "card reading" }, h("h2", {}, app.t("symptoms.past")), h("ul", { class: "rows" }, past)),
      h("div", { class: "buttons" }, linkButton("#/", app.t("back.home"), { quiet: true })),
    ],
  };
}

function pastRow(app, day, marks) {
  const told = marks === null ? app.t("symptoms.unnoted") : marks.map((name) => app.t(`symptom.${name}`)).join(", ");
  return h("li", {}, h("div", { class: "row" }, h("span", { class: "num" }, app.dates.begun(day), h("small", {}, told))));
}
