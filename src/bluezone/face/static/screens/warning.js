// SPDX-License-Identifier: Apache-2.0
/** A warning: the day and about how long, three steps, a number to call, and what Bluezone does not know. */
import { h, p, rich } from "../dom.js";
import { icon } from "../icons.js";
import { call, linkButton, note } from "../parts.js";
import { gauge, stripCard } from "../strip.js";
import { exposureLine, stateTexts, titleOf, warningText, warningTitle } from "../telling.js";
import { todayCard } from "../today.js";

/** One warning; parameter: its id. Opening it marks it as read; it stays on the home page. */
export async function show(app, parameter) {
  const warning = app.state.warnings.find((one) => one.id === parameter);
  const home = h("div", { class: "buttons" }, linkButton("#/", app.t("back.home"), { quiet: true }));
  if (warning === undefined) {
    return { title: app.t("warning.gone.title"), tab: "home", body: [h("h1", {}, app.t("warning.gone.title")), p(app.t("warning.gone")), home] };
  }
  if (!warning.read) {
    await app.engine.markRead(warning.id);
    await app.renew();
  }
  const told = (name) => rich(warningText(app, warning, name));
  const journey = app.journey();
  const now = standing(app, warning, journey);
  // The first step of a grave warning is to stay at home, for as long as the signed rules ask for it.
  const first = now.look !== "alert" && warning.level === "high" && !journey.atHome ? rich(app.t("warning.watch.step_1")) : told("step_1");
  return {
    title: now.title, tab: "home", live: true,
    body: [
      h("section", { class: `card state ${now.look}` }, icon(now.icon, 56), h("h1", {}, now.title), now.texts.map((text) => p(text)), gauge(app, warning), p(told("lead")), warning.neighbours.length > 0 && p(app.t("neighbours.warned", { cities: warning.neighbours.join(", ") }))),
      journey.warning && journey.warning.id === warning.id && !journey.isolation && (await todayCard(app)),
      h(
        "section", { class: "card reading" }, h("h2", {}, app.t("warning.todo")),
        h("ol", { class: "steps" }, [first, told("step_2"), told("step_3")].map((step) => h("li", {}, step))), calls(app),
        h("div", { class: "buttons" }, app.state.city.takesDeclarations && linkButton(`#/declare/${encodeURIComponent(warning.id)}`, app.t("warning.declare"), { quiet: true }), linkButton("#/", app.t("warning.later"), { quiet: true })),
        h("p", { class: "soft" }, app.t("warning.later.note")),
      ),
      h("section", { class: "card reading" }, h("h2", {}, app.t("warning.unknown.title")), p(told("not_known")), p(told("doubt"))),
      await stripCard(app),
    ],
  };
}

/** How a warning stands today: as the whole phone does if it is the one that counts, else by itself. */
function standing(app, warning, journey) {
  if (journey.warning && journey.warning.id === warning.id && !journey.isolation) {
    const title = ["C", "D"].includes(journey.name) ? warningTitle(app, warning) : titleOf(app, journey);
    return { title, look: journey.look, icon: journey.icon, texts: stateTexts(app, journey) };
  }
  const look = warning.level === "high" && warning.watchUntil >= app.dates.day(app.dates.now()) ? "alert" : "warn";
  return { title: warningTitle(app, warning), look, icon: look, texts: [exposureLine(app, warning)] };
}

/** The numbers to call; only the emergency number before there is a local one. */
export function calls(app) {
  const { hotline, nationalHotline } = app.state.city;
  if (!hotline) return [note("info", "warn", app.t("warning.nohotline")), h("div", { class: "calls" }, call(app.t("warning.call.emergency"), "115"))];
  return h(
    "div", { class: "calls" }, call(app.t("warning.call"), hotline),
    nationalHotline && call(app.t("warning.call.national"), nationalHotline, { quiet: true }),
    call(app.t("warning.call.emergency"), "115", { quiet: true }),
  );
}
