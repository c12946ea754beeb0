// SPDX-License-Identifier: Apache-2.0
/** Inside another app's browser: say why it does not work there, and how to get out. */
import { h, p } from "../dom.js";
import { note, copyField } from "../parts.js";
import { drawing } from "../drawings.js";
import { wayOut } from "../inapp.js";

/** The way out, with a link to copy; just looking stays possible. */
export async function show(app) {
  const stay = () => {
    app.held.staysInApp = true;
    app.route();
  };
  const title = app.t("inapp.title");
  const out = wayOut(location.href);
  return {
    title,
    body: [
      h("h1", {}, title), note("warn", "warn", app.t("inapp.text", { app: app.inApp || app.t("inapp.other") })),
      out && h("p", {}, h("a", { class: "button primary wide", href: out }, app.t("inapp.out"))),
      h("section", { class: "card reading" }, drawing("menu"), p(app.t("inapp.or")), copyField(app, "inapp-link", location.href)),
      h("div", { class: "buttons" }, h("button", { type: "button", class: "button quiet", onclick: stay }, app.t("inapp.stay"))),
    ],
  };
}
