// SPDX-License-Identifier: Apache-2.0
/** What canvassers say and how a visit can end, as the city has it: its own file, or the one that came with the app. */
import { h } from "./face/dom.js";

/** The script that came with the app. */
export async function shippedScript() {
  const answer = await fetch("script.json");
  if (!answer.ok) throw Object.assign(new Error("no script"), { code: "offline" });
  return answer.json();
}

/** Words of the script in the phone's language. */
export function said(app, words) {
  return words[app.words.language] || words.vi;
}

/** How an outcome that is counted is called: by the first of the city's that counts as it. */
export function outcomeLabel(app, counted) {
  const choice = app.script.outcomes.find((one) => one.counts_as === counted);
  return choice ? said(app, choice.label) : counted;
}

/** What to say at the door, step by step, folded until it is wanted. */
export function talk(app) {
  const { steps } = app.script;
  if (!steps.length) return null;
  return h("details", { class: "card talk", id: "talk" }, h("summary", {}, app.t("script.title")),
    h("ol", {}, steps.map((step) => h("li", {}, h("b", {}, said(app, step.title)), h("p", {}, said(app, step.say))))));
}

/** Beside the outcome that was tapped: what to say, and ticks for what was offered. {row, show(choice), value()}. */
export function offerField(app) {
  const row = h("div", { class: "stack", id: "offers", hidden: true });
  let ticks = [];
  const show = (choice) => {
    ticks = (choice && choice.offers ? choice.offers : []).map((offer) => {
      const input = h("input", { type: "checkbox", id: `offer-${offer.key}` });
      return { key: offer.key, input, row: h("label", { class: "choice", for: input.id }, input, h("span", {}, said(app, offer.label))) };
    });
    const saying = choice && choice.say ? h("p", { class: "saying" }, said(app, choice.say)) : null;
    row.replaceChildren(...[saying, ticks.length ? h("fieldset", { class: "stack" },
      h("legend", {}, app.t("visit.offered")), ticks.map((one) => one.row)) : null].filter(Boolean));
    row.hidden = !row.children.length;
  };
  return { row, show, asks: () => ticks.length > 0, value: () => ticks.filter(({ input }) => input.checked).map(({ key }) => key) };
}
