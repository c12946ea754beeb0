// SPDX-License-Identifier: Apache-2.0
/** Erasing everything, first step: what it means. */
import { h, p } from "../dom.js";
import { linkButton, note } from "../parts.js";

/** The consequences, and the way on or back. */
export async function show(app) {
  const { warnings, pendingReport } = app.state;
  return {
    title: app.t("erase.title"), tab: "more",
    body: [
      h("h1", {}, app.t("erase.title")),
      h("section", { class: "card reading" }, p(app.t("erase.lead")), p(app.t(app.isWeb ? "erase.consequence.web" : "erase.consequence")), p(app.t("erase.sent"))),
      warnings.length > 0 && note("alert", "alert", app.t("erase.warning")),
      pendingReport && note("send", "warn", app.t("erase.pending")),
      h("div", { class: "buttons" }, linkButton("#/", app.t("erase.keep")), linkButton("#/erase-sure", app.t("erase.next"), { quiet: true })),
    ],
  };
}
