// SPDX-License-Identifier: Apache-2.0
/** Everything else, in three groups. */
import { h } from "../dom.js";
import { icon } from "../icons.js";

/** The list of the remaining screens. */
export async function show(app) {
  const { supported } = await app.engine.notifications();
  const group = (key, rows) => h("section", { class: "card" }, h("h2", {}, app.t(key)), h("ul", { class: "rows" }, rows.filter(Boolean).map(([href, name, label]) => h("li", {}, h("a", { href }, icon(name), h("span", {}, app.t(label)))))));
  return {
    title: app.t("more.title"), tab: "more",
    body: [
      h("h1", {}, app.t("more.title")),
      group("more.yours", [["#/journal", "diary", "journal.title"], ["#/symptoms", "health", "symptoms.title"], ["#/events", "scan", "events.title"], ["#/sent", "send", "sent.title"], ["#/report", "health", "report.title"], ["#/help", "help", "help.title"], ["#/share", "share", "share.title"]]),
      group("more.learn", [["#/guides", "picture", "guides.title"], ["#/faq", "list", "faq.title"], ["#/about", "lock", "about.title"]]),
      group("more.settings", [["#/language", "globe", "language.title"], supported && ["#/notifications", "inbox", "more.notifications"], app.state.city.neighbours.length && ["#/neighbours", "place", "neighbours.title"], ["#/erase", "trash", "erase.title"]]),
    ],
  };
}
