// SPDX-License-Identifier: Apache-2.0
/** Which language the words are in. */
import { h, p } from "../dom.js";
import { worker } from "../parts.js";
import { LANGUAGES } from "../words.js";

/** Both languages, each under its own name. */
export async function show(app) {
  const rows = LANGUAGES.map((code) => {
    const used = code === app.words.language;
    const { button, place } = worker(app, app.t(`language.${code}`), app.t("opening"), async () => {
      await app.engine.setLanguage(code);
      await app.speak(code);
      await app.route();
    }, { quiet: !used, wide: true });
    button.lang = code;
    button.setAttribute("aria-pressed", String(used));
    return [h("div", {}, button, used && h("small", {}, app.t("language.now"))), place];
  });
  return {
    title: app.t("language.title"), tab: "more",
    body: [h("h1", {}, app.t("language.title")), p(app.t("language.lead")), h("section", { class: "card reading" }, h("form", {}, rows))],
  };
}
