// SPDX-License-Identifier: Apache-2.0
/** What Bluezone does and keeps, to read again at any time. */
import { h, p } from "../dom.js";
import { linkButton } from "../parts.js";
import { promises } from "../promises.js";

/** Who watches that everybody is shown the same lists, and when this device last saw their signature. */
function watchers(app) {
  const { watchers: all } = app.state.city;
  const told = all.map(({ name, operator, at }) =>
    app.t(at === null ? "about.watch.never" : "about.watch.at", { name, operator, when: at === null ? "" : app.dates.moment(at) }));
  return h("section", { class: "card reading" }, h("h2", {}, app.t("about.watch")), all.length
    ? [p(app.t("about.watch.lead")), h("ul", {}, told.map((line) => h("li", {}, line)))] : p(app.t("about.watch.nobody")));
}

/** The promises of the first run, and who watches the city. */
export async function show(app) {
  return {
    title: app.t("about.title"), tab: "more",
    body: [h("h1", {}, app.t("about.title")), promises(app), watchers(app), h("div", { class: "buttons" }, linkButton("#/", app.t("back.home"), { quiet: true }))],
  };
}
