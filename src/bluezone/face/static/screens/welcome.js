// SPDX-License-Identifier: Apache-2.0
/** The first run: what it does, what stays here, and the owner's agreement; nothing is fetched or sent before it. */
import { h, p } from "../dom.js";
import { worker } from "../parts.js";
import { promises } from "../promises.js";
import { LANGUAGES } from "../words.js";

/** The first screen. */
export async function show(app) {
  if (app.state.started) return (await import("./about.js")).show(app);
  const { button, place } = worker(app, app.t("welcome.agree"), app.t("welcome.agreeing"), async () => {
    await app.engine.start({ language: app.words.language });
    const wanted = app.held.wanted || "/";
    app.held.wanted = null;
    await app.go(wanted, { replace: true });
  }, { wide: true });
  return {
    title: app.t("welcome.title"),
    body: [
      h("h1", {}, app.t("welcome.title")), others(app), p(app.t(app.isWeb ? "welcome.lead.web" : "welcome.lead")), promises(app),
      h("section", { class: "card reading" }, p(app.t(app.isWeb ? "welcome.before" : "welcome.before.handset")), button, place),
      h("p", { class: "soft" }, h("a", { href: "#/faq" }, app.t("faq.title")), " · ", h("a", { href: "#/guides" }, app.t("guides.title"))),
    ],
  };
}

/** The languages that are not spoken now, each under its own name. */
function others(app) {
  const buttons = LANGUAGES.filter((code) => code !== app.words.language).map((code) => h("button", { type: "button", class: "button quiet small", lang: code, onclick: () => app.choose(code) }, app.t(`language.${code}`)));
  return h("div", { class: "buttons", role: "group", "aria-label": app.t("welcome.language") }, buttons);
}
