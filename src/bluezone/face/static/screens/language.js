// SPDX-License-Identifier: Apache-2.0
/** Which language the words are in. */
import { h, p } from "../dom.js";
import { worker } from "../parts.js";
import { LANGUAGES } from "../words.js";

const VOICES = ["device", "vi", "tay", "nung", "dao", "mong"];

/** Every language, each under its own name. */
export async function show(app) {
  const rows = LANGUAGES.map((code) => {
    const used = code === app.words.language;
    const { button, place } = worker(app, app.t(`language.${code}`), app.t("opening"), async () => {
      await app.choose(code);
    }, { quiet: !used, wide: true });
    button.lang = code;
    button.setAttribute("aria-pressed", String(used));
    return [h("div", {}, button, used && h("small", {}, app.t("language.now"))), place];
  });
  return {
    title: app.t("language.title"), tab: "more",
    body: [h("h1", {}, app.t("language.title")), p(app.t("language.lead")), h("section", { class: "card reading" }, h("form", {}, rows)), await voices(app)],
  };
}

/** The voices in which the city has recorded screens; chosen until the page is closed, and stored nowhere. */
async function voices(app) {
  const { recorded, recordingsByPhone } = await import("../voice.js");
  if (!app.isWeb) recordingsByPhone();
  const listed = await recorded();
  const codes = VOICES.filter((code) => code === "device" || Object.keys(listed).includes(code));
  if (codes.length < 2) return null;
  const buttons = codes.map((code) => h("button", {
    type: "button", class: "button quiet", "aria-pressed": String((app.held.voice || "device") === code),
    onclick: async () => { app.held.voice = code === "device" ? null : code; await app.route(); },
  }, app.t(`voices.${code}`)));
  return h("section", { class: "card reading" }, h("h2", {}, app.t("voices.title")), p(app.t("voices.lead")), h("div", { class: "buttons" }, buttons));
}
