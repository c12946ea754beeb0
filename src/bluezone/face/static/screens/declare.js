// SPDX-License-Identifier: Apache-2.0
/** Declaring a warning to the health authority: the owner's choice, sealed so that only it can be read there. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { call, field, linkButton, worker } from "../parts.js";

const LONGEST = 500;

/** parameter: the warning's id. */
export async function show(app, parameter) {
  const warning = app.state.warnings.find((one) => one.id === parameter);
  if (warning === undefined) return (await import("./warning.js")).show(app, parameter);
  const hotline = app.hotline();
  if (!app.state.city.takesDeclarations) return closed(app, hotline);
  const phone = field("phone", app.t("declare.phone"), { type: "tel", inputmode: "tel", autocomplete: "tel", required: true, maxlength: 20 });
  const text = field("text", `${app.t("declare.text")} (${app.t("help.optional")})`, { tag: "textarea", maxlength: LONGEST, rows: 4 });
  const { button, place, run } = worker(app, app.t("declare.button"), app.t("declare.busy"), async () => {
    await app.engine.declare({ warningId: warning.id, phone: phone.input.value.replace(/[\s.()-]/g, ""), text: text.input.value.trim() });
    app.paint(done(app, hotline));
  }, { submit: true });
  return {
    title: app.t("declare.title"), tab: "home",
    body: [
      h("h1", {}, app.t("declare.title")), p(app.t("declare.lead", { hotline })), h("div", { class: "calls" }, call(app.t("warning.call"), hotline, { quiet: true })),
      h("section", { class: "card reading" },
        p(h("strong", {}, app.t("declare.which", { day: app.dates.long(warning.day) }))),
        h("form", { onsubmit: run, novalidate: true }, phone.row, text.row, p(app.t("declare.sent"), "soft"), h("div", {}, button), place)),
    ],
  };
}

/** Nobody can open a declaration yet: the number to call, and nothing to fill in. */
function closed(app, hotline) {
  const title = app.t("declare.title");
  return { title, tab: "home", body: [h("h1", {}, title), p(app.t("refusal.declarations_closed", { hotline })), h("div", { class: "calls" }, call(app.t("warning.call"), hotline))] };
}

function done(app, hotline) {
  const title = app.t("declare.done.title");
  return {
    title, tab: "home",
    body: [h("section", { class: "card state calm" }, icon("check", 56), h("h1", {}, title), p(app.t("declare.done", { hotline }))), h("div", { class: "buttons" }, linkButton("#/", app.t("back.home")))],
  };
}
