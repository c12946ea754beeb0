// SPDX-License-Identifier: Apache-2.0
/** What Bluezone does and keeps: read before the first run, and later under "about". */
import { h, p } from "./dom.js";
import { icon } from "./icons.js";

/** The cards that say it, for a phone or for a browser. */
export function promises(app) {
  const list = (keys) => h("ul", {}, keys.map((key) => h("li", {}, app.t(key))));
  const does = app.isWeb ? ["welcome.does.places", "welcome.does.check", "welcome.does.chaff"]
    : ["welcome.does.near", "welcome.does.places", "welcome.does.check", "welcome.does.chaff"];
  return [
    app.isWeb && h("section", { class: "card note warn" }, icon("info"), h("div", {}, p(app.t("welcome.web")))),
    h("section", { class: "card reading" }, h("h2", {}, app.t("welcome.does")), list(does)),
    h("section", { class: "card reading" }, h("h2", {}, app.t("welcome.stays")), list([app.isWeb ? "welcome.stays.diary.web" : "welcome.stays.diary", "welcome.stays.nobody", "welcome.stays.consent"]), p(app.t("welcome.never"))),
  ];
}
