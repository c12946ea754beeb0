// SPDX-License-Identifier: Apache-2.0
/** The diary: the owner's visits day by day, and on a handset how many random codes were heard. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { linkButton } from "../parts.js";
import { stripCard } from "../strip.js";
import { visitRow } from "../visitrow.js";

/** The diary, latest day first. */
export async function show(app) {
  const days = await app.engine.diary();
  const most = Math.max(1, ...days.map((day) => day.identifiersHeard || 0));
  const scan = h("div", { class: "buttons" }, linkButton("#/scan", app.t("diary.scan"), { name: "scan" }));
  const empty = h("section", { class: "card" }, icon("diary", 40), p(app.t("diary.empty")), app.engine.canTrace && p(app.t("diary.empty.near")), scan);
  return {
    title: app.t("diary.title"), tab: "diary", live: true,
    body: [
      h("h1", {}, app.t("diary.title")), h("p", { class: "soft" }, app.t("diary.lead")),
      await stripCard(app),
      days.length ? days.map((day) => dayCard(app, day, most)) : empty,
      days.length > 0 && app.engine.canTrace && h("p", { class: "soft" }, app.t("diary.heard.note")),
      days.length > 0 && scan,
      h("div", { class: "buttons" }, linkButton("#/journal", app.t("journal.title"), { quiet: true }), linkButton("#/symptoms", app.t("symptoms.title"), { quiet: true })),
    ],
  };
}

function dayCard(app, { day, visits, identifiersHeard }, most) {
  const heard = identifiersHeard === null ? null : h(
    "div", { class: "bar" }, h("span", { class: "num" }, app.n("diary.heard", identifiersHeard)),
    h("meter", { min: 0, max: most, value: identifiersHeard, "aria-label": app.n("diary.heard", identifiersHeard) }),
  );
  const latestFirst = [...visits].sort((one, other) => other.inAt - one.inAt);
  return h(
    "section", { class: "card" }, h("h2", {}, app.dates.begun(day)), heard,
    latestFirst.length ? latestFirst.map((visit) => visitRow(app, visit)) : p(app.t("diary.novisits"), "soft"),
  );
}
