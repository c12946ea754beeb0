// SPDX-License-Identifier: Apache-2.0
/** A warning: the day and about how long, three steps, a number to call, and what Bluezone does not know. */
import { h, p, rich } from "../dom.js";
import { icon } from "../icons.js";
import { call, linkButton, note } from "../parts.js";
import { exposureLine, warningText, warningTitle } from "../telling.js";

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
  return {
    title: warningTitle(app, warning), tab: "home", live: true,
    body: [
      h("section", { class: `card state ${warning.level === "high" ? "alert" : "warn"}` }, icon(warning.level === "high" ? "alert" : "warn", 56), h("h1", {}, warningTitle(app, warning)), p(exposureLine(app, warning)), p(told("lead"))),
      h(
        "section", { class: "card reading" }, h("h2", {}, app.t("warning.todo")),
        h("ol", { class: "steps" }, ["step_1", "step_2", "step_3"].map((name) => h("li", {}, told(name)))), calls(app),
        h("div", { class: "buttons" }, linkButton(`#/declare/${encodeURIComponent(warning.id)}`, app.t("warning.declare"), { quiet: true }), linkButton("#/", app.t("warning.later"), { quiet: true })),
        h("p", { class: "soft" }, app.t("warning.later.note")),
      ),
      h("section", { class: "card reading" }, h("h2", {}, app.t("warning.unknown.title")), p(told("not_known")), p(told("doubt"))),
    ],
  };
}

function calls(app) {
  const { hotline, nationalHotline } = app.state.city;
  if (!hotline) return [note("info", "warn", app.t("warning.nohotline")), h("div", { class: "calls" }, call(app.t("warning.call.emergency"), "115"))];
  return h(
    "div", { class: "calls" }, call(app.t("warning.call"), hotline),
    nationalHotline && call(app.t("warning.call.national"), nationalHotline, { quiet: true }),
    call(app.t("warning.call.emergency"), "115", { quiet: true }),
  );
}
