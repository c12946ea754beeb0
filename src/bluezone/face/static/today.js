// SPDX-License-Identifier: Apache-2.0
/** What is asked of a warned person or of a patient today, and what they note of it; kept on this device alone. */
import { h, p } from "./dom.js";
import { icon } from "./icons.js";
import { namesOf } from "./journey.js";
import { dial, linkButton, worker } from "./parts.js";

const ACTS = ["called", "tested", "negative", "positive"];

/** The card of today; null where nothing is asked. Give it to a screen that shows the journey. */
export async function todayCard(app) {
  const journey = app.journey();
  if (!journey.warning && !journey.isolation) return null;
  const today = app.dates.day(app.dates.now());
  const symptoms = (await app.engine.journal()).find((entry) => entry.kind === "symptoms" && entry.day === today);
  // A report that is under way needs no code.
  const rows = asked(app, journey, symptoms !== undefined).filter(([name]) => name !== "send" || !app.state.pendingReport);
  return h(
    "section", { class: "card reading today" }, h("h2", {}, app.t("today.title")),
    h("ul", { class: "rows" }, rows.map(([name, text, more]) => h("li", {}, h("div", { class: "row" }, icon(name), h("div", {}, text, more))))),
    testPlaces(app, journey), noting(app, journey, today), noted(app, journey),
  );
}

/** [icon, words, what to press] of each thing that is asked today, by the day of the warning and the signed rules. */
function asked(app, journey, symptomsNoted) {
  const { dates } = app;
  const { isolation, warning, called, homeUntil, testFrom, test } = journey;
  const { hotline } = app.state.city;
  // A low warning asks for the same here as on its own page: to call if there is a reason, and to mask.
  const low = !isolation && warning.level !== "high";
  const rows = [];
  if (isolation) rows.push(["home_stay", app.t("today.apart")]);
  if (called) rows.push(["check", app.t("today.called", { day: dates.short(called) })]);
  else rows.push(["phone", `${app.t(low ? "today.low.call" : "today.call")} `, dial(hotline || "115")]);
  if (low) rows.push(["warn", app.t("today.low.mask")]);
  else if (!isolation) {
    rows.push(journey.atHome ? ["home_stay", app.t("today.home", { until: dates.full(homeUntil) })] : ["warn", app.t("today.ask")]);
  }
  const symptoms = h("a", { href: "#/symptoms" }, app.t("symptoms.title"));
  rows.push(["health", `${app.t(symptomsNoted ? "today.symptoms.noted" : "today.symptoms")} `, symptoms]);
  if (!isolation && !test) rows.push(["watch", testFrom > dates.day(dates.now()) ? app.t("today.test.later", { from: dates.full(testFrom) }) : app.t("today.test.now")]);
  if (isolation && !app.state.reportedAt) {
    rows.push(["send", app.t("today.report"), h("div", { class: "buttons" }, linkButton("#/report", app.t("today.report.button"), { quiet: true }))]);
  }
  return rows;
}

function testPlaces(app, { isolation }) {
  const { testPlaces: places } = app.state.city.care;
  if (isolation || !places.length) return null;
  return h("details", {}, h("summary", {}, app.t("today.test.places")), h("ul", {}, places.map((place) => h("li", {}, place))));
}

/** One press notes what was done; it can be removed below. */
function noting(app, { isolation }, today) {
  const places = [];
  const buttons = ACTS.filter((kind) => !isolation || kind === "called").map((kind) => {
    const { button, place } = worker(app, app.t(`act.${kind}`), app.t("today.noting"), async () => {
      await app.engine.writeJournal({ day: today, kind, text: "", marks: kind === "positive" ? [] : namesOf(app.state, today) });
      await (kind === "positive" ? app.go("/care") : app.route());
      app.say(app.t("today.noted"));
    }, { quiet: true });
    places.push(place);
    return button;
  });
  return [h("h3", {}, app.t("today.acts")), h("div", { class: "buttons acts" }, buttons), places, p(app.t("today.acts.private"), "soft")];
}

/** What was noted since the warning or the result, each with its way back. */
function noted(app, { isolation, warning }) {
  const from = isolation ? isolation.from : warning.day;
  const acts = app.state.acts.filter((act) => act.day >= from && ACTS.includes(act.kind));
  if (!acts.length) return null;
  const rows = acts.map((act) => {
    const line = `${app.dates.short(act.day)}: ${app.t(`done.${act.kind}`)}`;
    const { button, place } = worker(app, app.t("today.remove"), app.t("today.noting"), async () => {
      await app.engine.removeJournal(act.id);
      await app.route();
      app.say(app.t("today.removed"));
    }, { quiet: true });
    button.append(h("span", { class: "sr" }, `: ${line}`));
    return h("li", {}, h("div", { class: "row" }, icon("check"), h("span", {}, line), button), place);
  });
  return h("ul", { class: "rows noted" }, rows);
}
