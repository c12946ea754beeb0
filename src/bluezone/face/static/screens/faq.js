// SPDX-License-Identifier: Apache-2.0
/** Questions and answers; those about Bluetooth are the handset's alone. */
import { h, p } from "../dom.js";
import { linkButton } from "../parts.js";

const QUESTIONS = [
  "free", "name", "location", "who", "warned", "not_warned", "quarantine", "code", "hometest", "see", "wrong", "places", "event", "fake", "data", "erase", "stops", "family",
];
const BLUETOOTH = ["battery", "off", "number", "strength"];
const WEB = ["web"];

/** The list. */
export async function show(app) {
  await app.words.read();
  const keys = [...(app.isWeb ? WEB : BLUETOOTH), ...QUESTIONS];
  const values = { hotline: app.hotline() };
  const answer = (key) => {
    const own = `faq.${key}.a.${app.engine.kind}`;
    return app.t(app.words.has(own) ? own : `faq.${key}.a`, values);
  };
  return {
    title: app.t("faq.title"), tab: "more",
    body: [
      h("h1", {}, app.t("faq.title")),
      h("section", { class: "card reading" }, keys.map((key) => h("details", {}, h("summary", {}, app.t(`faq.${key}.q`)), p(answer(key))))),
      h("div", { class: "buttons" }, linkButton(app.state.started ? "#/help" : "#/", app.t(app.state.started ? "help.title" : "back"), { quiet: true })),
    ],
  };
}
