// SPDX-License-Identifier: Apache-2.0
/** What can be seen at a glance: the last fourteen days, how certain a warning is, and the days of infection. */
import { later } from "./dates.js";
import { h, svg } from "./dom.js";
import { icon } from "./icons.js";

const DAYS = 14;
const BAR_PX = 24;
const CERTAINTY = { unclear: 0, unlikely: 1, likely: 2, sure: 3 };

/** Fourteen days, earliest first: what was heard, places, checks, risks. A screen reader hears a sentence for each. */
export async function stripCard(app) {
  const diary = new Map((await app.engine.diary()).map((day) => [day.day, day]));
  const today = app.dates.day(app.dates.now());
  const days = Array.from({ length: DAYS }, (_, back) => later(today, back - DAYS + 1)).map((day) => {
    const { visits = [], identifiersHeard = null } = diary.get(day) || {};
    const risks = app.state.warnings.filter((warning) => warning.day === day);
    const risk = risks.length ? (risks.some(({ level }) => level === "high") ? "alert" : "warn") : null;
    return { day, heard: identifiersHeard || 0, places: visits.length, checked: app.state.checkedDays.includes(day), risk };
  });
  const most = Math.max(1, ...days.map(({ heard }) => heard));
  return h(
    "section", { class: "card" }, h("h2", {}, app.t("strip.title")),
    h("ol", { class: "strip" }, days.map((day) => cell(app, day, most, day.day === today))),
    h("p", { class: "soft legend" }, legend(app)),
  );
}

function cell(app, { day, heard, places, checked, risk }, most, isToday) {
  const told = [
    risk && app.t("strip.risk"), heard && app.n("strip.day.heard", heard), places && app.n("strip.day.places", places), checked && app.t("strip.checked"),
  ].filter(Boolean);
  return h(
    "li", { class: isToday ? "today" : null },
    h("span", { class: "sr" }, `${app.dates.begun(day)}: ${told.join(", ") || app.t("strip.none")}`),
    h("span", { "aria-hidden": "true", class: "num date" }, String(Number(day.slice(8)))),
    h("span", { "aria-hidden": "true", class: "marks" },
      app.engine.canTrace && bar(heard / most), risk && h("span", { class: `mark-${risk}` }, icon(risk, 18)), places > 0 && icon("place", 18), checked && icon("check", 18)),
  );
}

/** A bar whose height is a share of the most there was. */
function bar(share) {
  const high = Math.round(share * BAR_PX);
  return svg("svg", { class: "heard", width: 14, height: BAR_PX, viewBox: `0 0 14 ${BAR_PX}`, "aria-hidden": "true" },
    svg("rect", { x: 2, y: BAR_PX - Math.max(high, 1), width: 10, height: Math.max(high, 1) }));
}

function legend(app) {
  const one = (sign, key) => h("span", { class: "nowrap" }, sign, " ", app.t(key));
  return [
    app.engine.canTrace && one(bar(0.6), "strip.heard"), one(icon("place", 18), "strip.places"), one(icon("check", 18), "strip.checked"), one([icon("alert", 18), icon("warn", 18)], "strip.risk"),
  ].filter(Boolean);
}

/** How certain it is that the two were near, in three steps and in words; at a place nobody measured that. */
export function gauge(app, warning) {
  if (warning.kind === "venue") return null;
  const number = CERTAINTY[warning.certainty];
  const level = app.t(`gauge.${warning.certainty}`);
  const label = app.t("gauge.value", { level, number });
  const steps = [1, 2, 3].map((step) => svg("rect", { x: 2 + (step - 1) * 46, y: 18 - step * 5, width: 40, height: step * 5 + 4, rx: 3, class: step <= number ? "lit" : "dim" }));
  return h("div", { class: "gauge" }, h("span", {}, `${app.t("gauge.title")}: `, h("strong", {}, level)),
    svg("svg", { viewBox: "0 0 140 24", width: 140, height: 24, role: "img", "aria-label": label }, steps));
}

/** The days on which a case may have infected others, by the onset that the health worker noted. draft: of a report. */
export function infectiousDays(app, { infectious, onsetDay }) {
  if (!infectious.length) return null;
  const today = app.dates.day(app.dates.now());
  const cells = infectious.filter(({ day }) => day <= today).map(({ day, level }) => h(
    "li", { class: day === onsetDay ? "today" : null },
    h("span", { class: "sr" }, `${app.dates.begun(day)}: ${app.t(`report.level.${level}`)}${day === onsetDay ? `, ${app.t("infectious.onset")}` : ""}`),
    h("span", { "aria-hidden": "true", class: "num date" }, app.dates.short(day).replace(/ .*/, "")),
    h("span", { "aria-hidden": "true", class: "marks" }, bar(level === "high" ? 1 : 0.4)),
  ));
  return h("section", { class: "card reading" }, h("h2", {}, app.t("infectious.title")), h("ol", { class: "strip" }, cells),
    h("p", { class: "soft" }, `${app.t("infectious.lead")} (${app.dates.full(onsetDay)})`));
}
