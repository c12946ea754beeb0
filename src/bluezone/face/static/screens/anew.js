// SPDX-License-Identifier: Apache-2.0
/** Following the city's lists anew, after its owner has compared the city's key with the one that the city shows. */
import { h, p } from "../dom.js";
import { linkButton, worker } from "../parts.js";

/** The key in groups of four, what to compare it with, and the button. */
export async function show(app) {
  const { button, place } = worker(app, app.t("anew.button"), app.t("anew.busy"), async () => {
    await app.engine.beginAnew();
    location.hash = "#/";
  });
  const groups = (app.state.city.key || "").match(/.{1,4}/g) || [];
  return {
    title: app.t("anew.title"), tab: "more",
    body: [
      h("h1", {}, app.t("anew.title")),
      h("section", { class: "card reading" }, p(app.t("anew.lead")), p(app.t("anew.kept"))),
      h("section", { class: "card" }, h("h2", {}, app.t("anew.key")), h("p", { class: "num" }, groups.join(" ")), p(app.t("anew.compare", { hotline: app.hotline() }))),
      h("div", { class: "buttons" }, linkButton("#/", app.t("anew.back"), { quiet: true }), button), place,
    ],
  };
}
