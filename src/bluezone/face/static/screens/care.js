// SPDX-License-Identifier: Apache-2.0
/** For a patient: until when to stay apart by the signed rules, three steps, whom to call, and what is asked today. */
import { h, p, rich } from "../dom.js";
import { icon } from "../icons.js";
import { linkButton } from "../parts.js";
import { stateTexts, titleOf } from "../telling.js";
import { todayCard } from "../today.js";
import { calls } from "./warning.js";

/** The screen; without a result or a report it says that there is none. */
export async function show(app) {
  const journey = app.journey();
  const home = h("div", { class: "buttons" }, linkButton("#/", app.t("back.home"), { quiet: true }));
  if (!journey.isolation) {
    return { title: app.t("care.title"), tab: "home", body: [h("h1", {}, app.t("care.title")), p(app.t("care.none")), home] };
  }
  const values = { until: app.dates.full(journey.isolation.until), hotline: app.hotline() };
  const title = titleOf(app, journey);
  return {
    title, tab: "home", live: true,
    body: [
      h("section", { class: "card state care" }, icon("home_stay", 56), h("h1", {}, title), stateTexts(app, journey).map((text) => p(text))),
      await todayCard(app),
      h("section", { class: "card reading" }, h("h2", {}, app.t("warning.todo")),
        h("ol", { class: "steps" }, ["step_1", "step_2", "step_3"].map((name) => h("li", {}, rich(app.t(`care.${name}`, values))))), calls(app), p(app.t("care.unknown"), "soft")),
      home,
    ],
  };
}
