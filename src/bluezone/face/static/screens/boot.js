// SPDX-License-Identifier: Apache-2.0
/** What is shown when the engine cannot be opened or asked: why, and what to do. */
import { h, p } from "../dom.js";
import { note } from "../parts.js";
import { sentence } from "../refusals.js";

/** The screen for a refusal that leaves nothing else to show. */
export function bootRefused(app, error) {
  if (error.code === undefined) console.error("bluezone:", error);
  const lost = error.code === "agent_lost";
  const title = app.t(lost ? "lost.title" : "boot.title");
  const erasable = ["storage_damaged", "handset_store_damaged"].includes(error.code);
  return {
    title,
    body: [
      h("h1", {}, title),
      note("warn", "alert", p(lost ? app.t("lost.text") : sentence(app, error))),
      h(
        "div", { class: "buttons" },
        h("button", { type: "button", class: "button", onclick: () => location.reload() }, app.t("boot.again")),
        erasable && app.engine && h("a", { class: "button quiet", href: "#/erase" }, app.t("erase.title")),
      ),
    ],
  };
}
