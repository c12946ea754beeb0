// SPDX-License-Identifier: Apache-2.0
/** What Bluezone does and keeps, to read again at any time. */
import { h } from "../dom.js";
import { linkButton } from "../parts.js";
import { promises } from "../promises.js";

/** The promises of the first run. */
export async function show(app) {
  return {
    title: app.t("about.title"), tab: "more",
    body: [h("h1", {}, app.t("about.title")), promises(app), h("div", { class: "buttons" }, linkButton("#/", app.t("back.home"), { quiet: true }))],
  };
}
