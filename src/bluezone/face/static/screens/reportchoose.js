// SPDX-License-Identifier: Apache-2.0
/** Reporting, second step: which days and which visits; nothing has been sent. */
import { h, p } from "../dom.js";
import { choice, linkButton, note } from "../parts.js";
import { infectiousDays } from "../strip.js";
import { placeName } from "../visitrow.js";

/** The days and visits of the draft; without a draft, the code. */
export async function show(app) {
  const { draft } = app.held;
  if (!draft) return (await import("./reportcode.js")).show(app, "");
  const before = app.held.choice;
  const days = draft.days.map(({ day, utcDay, level }) => ({
    id: utcDay, ...choice(`day-${utcDay}`, spanOf(app, day), { checked: !before || before.days.includes(utcDay), hint: app.t(`report.level.${level}`) }),
  }));
  const visits = draft.visits.map((visit) => ({
    id: visit.id, ...choice(`visit-${visit.id}`, placeName(app, visit), { checked: !before || before.visits.includes(visit.id), hint: timesOf(app, visit) }),
  }));
  const answer = h("div", { role: "alert" });
  const submit = (event) => {
    event.preventDefault();
    const chosen = (rows) => rows.filter(({ input }) => input.checked).map(({ id }) => id);
    app.held.choice = { days: chosen(days), visits: chosen(visits) };
    if (app.held.choice.days.length + app.held.choice.visits.length) app.go("/report-read");
    else answer.replaceChildren(note("warn", "warn", app.t("report.choose.nothing")));
  };
  const group = (title, hint, rows, none, more = null) => h("section", { class: "card reading" }, h("fieldset", {}, h("legend", {}, h("h2", {}, app.t(title))), p(app.t(rows.length ? hint : none), "soft"), more && rows.length > 0 && p(more, "soft"), rows.map(({ row }) => row)));
  return {
    title: app.t("report.choose.title"), tab: "home",
    body: [
      h("h1", {}, app.t("report.choose.title")), p(app.t("report.choose.lead")), infectiousDays(app, draft),
      h("form", { onsubmit: submit, novalidate: true },
        app.engine.canTrace && group("report.days", "report.days.hint", days, "report.days.none", utcText(app, draft.days)),
        group("report.visits", "report.visits.hint", visits, "report.visits.none"), answer,
        h("div", { class: "buttons" }, h("button", { type: "submit", class: "button" }, app.t("report.choose.button")), linkButton("#/", app.t("report.notnow"), { quiet: true }))),
    ],
  };
}

/** A key's day, which is a day of UTC, as its owner lived it: "thứ Năm 26/11/2026, từ 07:00 đến 07:00 hôm sau". */
export function spanOf(app, utcDay) {
  const { day, at } = app.dates.span(utcDay);
  return at === "00:00" ? app.dates.begun(day) : app.t("report.day.span", { day: app.dates.begun(day), at });
}

function utcText(app, days) {
  const at = days.length ? app.dates.span(days[0].day).at : "00:00";
  return at === "00:00" ? null : app.t("report.days.utc", { at });
}

function timesOf(app, visit) {
  const { dates } = app;
  const times = `${dates.begun(dates.day(visit.inAt))}, ${dates.clock(visit.inAt)} – ${dates.clock(visit.outAt)}`;
  return visit.event ? `${times}. ${app.t("report.visit.event")}` : times;
}
