// SPDX-License-Identifier: Apache-2.0
/** Erasing everything, second step: it happens. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { linkButton, worker } from "../parts.js";

/** The button that erases. */
export async function show(app) {
  const { button, place } = worker(app, app.t("erase.button"), app.t("erase.busy"), async () => {
    app.live = null;
    await app.engine.erase();
    app.held = {};
    app.state = { ...app.state, started: false, warnings: [], unread: 0 };
    history.replaceState(null, "", "#/");
    app.paint(erased(app));
  }, { danger: true, icon: "trash" });
  return {
    title: app.t("erase.sure.title"), tab: "more",
    body: [h("h1", {}, app.t("erase.sure.title")), p(app.t("erase.sure")), h("div", { class: "buttons" }, linkButton("#/", app.t("erase.keep"), { quiet: true }), button), place],
  };
}

function erased(app) {
  const title = app.t("erased.title");
  const again = app.isWeb && h("div", { class: "buttons" }, h("button", { type: "button", class: "button quiet", onclick: () => location.reload() }, app.t("erased.again")));
  return {
    title,
    body: [h("section", { class: "card state calm" }, icon("check", 56), h("h1", {}, title), p(app.t("erased.text")), !app.isWeb && p(app.t("erased.handset"))), again],
  };
}
