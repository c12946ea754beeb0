// SPDX-License-Identifier: Apache-2.0
/** Events of the owner's own, a wedding or a class: make a code, and find those that were made here. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { field, note, worker } from "../parts.js";

const HOURS = [1, 2, 3, 4, 6, 8, 12, 24];
const USUAL_HOURS = 3;
// The code has room for 80 bytes, and a letter of Vietnamese takes up to three.
const LONGEST_NAME = 40;

/** The form, what is good to know, and the events made here. */
export async function show(app) {
  await app.words.read();
  const { dates } = app;
  const now = dates.now();
  const name = field("name", app.t("events.name"), { hint: app.t("events.name.hint"), type: "text", autocomplete: "off", maxlength: LONGEST_NAME, required: true });
  const day = field("day", app.t("events.day"), { type: "date", value: dates.day(now), required: true });
  const from = field("from", app.t("events.from"), { type: "time", value: dates.clock(now), required: true });
  const lasts = field("lasts", app.t("events.lasts"), { tag: "select" });
  lasts.input.append(...HOURS.map((hours) => h("option", { value: hours, selected: hours === USUAL_HOURS }, dates.amount(hours * 3600))));
  const { button, place, run } = worker(app, app.t("events.make"), app.t("events.making"), async () => {
    if (!name.input.value.trim() || !day.input.value || !from.input.value) {
      place.replaceChildren(h("div", { role: "alert" }, note("warn", "warn", app.t("events.missing"))));
      return;
    }
    const begin = dates.at(day.input.value, from.input.value);
    const event = await app.engine.makeEvent({ name: name.input.value.trim(), begin, minutes: Number(lasts.input.value) * 60 });
    await app.go(`/event/${event.id}`);
  }, { submit: true, icon: "scan" });
  const made = await app.engine.events();
  const rows = made.map((event) => h("li", {}, h("a", { href: `#/event/${event.id}` }, icon("scan"), h("span", {}, event.name, " · ", dates.moment(event.begin)))));
  return {
    title: app.t("events.title"), tab: "more",
    body: [
      h("h1", {}, app.t("events.title")), p(app.t("events.lead")),
      made.length > 0 && h("section", { class: "card" }, h("h2", {}, app.t("events.made")), h("ul", { class: "rows" }, rows), p(app.t("events.kept"), "soft")),
      h("section", { class: "card reading" }, h("h2", {}, app.t("events.new")), h("form", { onsubmit: run, novalidate: true }, name.row, day.row, from.row, lasts.row, h("div", {}, button), place)),
      h("section", { class: "card reading" }, h("h2", {}, app.t("events.know")), h("ul", {}, ["local", "warning", "bound", "one"].map((key) => h("li", {}, app.t(`events.know.${key}`))))),
    ],
  };
}
