// SPDX-License-Identifier: Apache-2.0
/** An address that names no screen. */
import { h, p } from "../dom.js";
import { linkButton } from "../parts.js";

/** It says so and leads home. */
export async function show(app) {
  const title = app.t("unknown.title");
  return { title, body: [h("h1", {}, title), p(app.t("unknown.text")), h("div", { class: "buttons" }, linkButton("#/", app.t("back.home")))] };
}
