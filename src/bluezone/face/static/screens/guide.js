// SPDX-License-Identifier: Apache-2.0
/** One guide: a picture and a sentence for each step. */
import { drawing } from "../drawings.js";
import { h, p } from "../dom.js";
import { linkButton } from "../parts.js";
import { GUIDES, guidesOf } from "./guides.js";

/** parameter: the guide's name. */
export async function show(app, parameter) {
  await app.words.read();
  if (!guidesOf(app).includes(parameter)) return (await import("./guides.js")).show(app);
  const title = app.t(`guide.${parameter}.title`);
  const steps = GUIDES[parameter].steps.map((name, place) => {
    const own = `guide.${parameter}.${place + 1}.${app.engine.kind}`;
    const text = app.t(app.words.has(own) ? own : `guide.${parameter}.${place + 1}`, { hotline: app.hotline() });
    return h("li", { class: "card" }, drawing(name), h("h2", {}, app.t("guides.step", { number: place + 1 })), p(text));
  });
  return {
    title, tab: "more",
    body: [h("h1", {}, title), h("ol", { class: "guide" }, steps), h("div", { class: "buttons" }, linkButton("#/guides", app.t("guides.all"), { quiet: true }))],
  };
}
