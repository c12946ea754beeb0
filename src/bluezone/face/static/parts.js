// SPDX-License-Identifier: Apache-2.0
/** Parts that screens are put together from: notes, buttons that work for a while, fields, calls, a link to copy. */
import { h, p } from "./dom.js";
import { icon } from "./icons.js";
import { retryName, sentence } from "./refusals.js";

/** A note with an icon. kind: "ok" | "info" | "warn" | "alert". */
export function note(name, kind, ...content) {
  const body = content.map((part) => (typeof part === "string" ? p(part) : part));
  return h("section", { class: `card note ${kind}` }, icon(name), h("div", {}, body));
}

/** A refusal, read out at once; `again` is offered where trying again may help. */
export function refusalNote(app, error, again = null) {
  if (!error || error.code === undefined) console.error("bluezone:", error);
  const name = again && error ? retryName(error) : null;
  const anew = error && ["config_gap", "week_key_untrusted"].includes(error.code) && linkButton("#/anew", app.t("anew.offer"), { quiet: true });
  const retry = name && h("button", { type: "button", class: "button quiet", onclick: again }, app.t(name));
  const button = (anew || retry) && h("div", { class: "buttons" }, retry, anew);
  return h("div", { class: "card note alert refusal", role: "alert" }, icon("warn"), h("div", {}, p(sentence(app, error)), button));
}

/**
 * A button whose work takes a moment: it says so in words, cannot be pressed twice, and tells a refusal below itself.
 *
 * look: {quiet, danger, icon, wide, submit}. work: () -> promise.
 */
export function worker(app, label, busy, work, look = {}) {
  const place = h("div", { class: "answer" });
  const text = h("span", {}, label);
  const names = ["button", look.quiet && "quiet", look.danger && "danger", look.wide && "wide"].filter(Boolean).join(" ");
  const run = async (event) => {
    if (event) event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    text.textContent = busy;
    place.replaceChildren();
    try {
      await work();
    } catch (error) {
      place.replaceChildren(refusalNote(app, error, () => run()));
    } finally {
      button.removeAttribute("aria-disabled");
      text.textContent = label;
    }
  };
  const button = h("button", { type: look.submit ? "submit" : "button", class: names, onclick: look.submit ? null : run }, look.icon && icon(look.icon), text);
  return { button, place, run };
}

/** A link that looks like a button. */
export function linkButton(href, label, { quiet = false, name = null, wide = false } = {}) {
  return h("a", { class: ["button", quiet && "quiet", wide && "wide"].filter(Boolean).join(" "), href }, name && icon(name), label);
}

/** A labelled field. hint: a line below the label. attributes: of the input; tag: "input", "textarea" or "select". */
export function field(id, label, { hint = null, tag = "input", ...attributes } = {}) {
  const input = h(tag, { id, name: id, "aria-describedby": hint ? `${id}-hint` : null, ...attributes });
  const row = h("div", { class: "field" }, h("label", { for: id }, label), hint && h("small", { id: `${id}-hint` }, hint), input);
  return { input, row };
}

/** A checkbox with its words. Returns {input, row}. */
export function choice(id, label, { checked = true, hint = null } = {}) {
  const input = h("input", { type: "checkbox", id, checked });
  return { input, row: h("label", { class: "choice", for: id }, input, h("span", {}, label, hint && h("small", {}, hint))) };
}

const telephone = (number) => `tel:${[...number].filter((sign) => "+0123456789".includes(sign)).join("")}`;

/** A number in a text that can be called. */
export function dial(number) {
  return h("a", { class: "num", href: telephone(number) }, number.replaceAll(" ", "\u00a0"));
}

/** A button that calls a number; its text shows the number. */
export function call(label, number, { quiet = false } = {}) {
  return h("a", { class: quiet ? "button quiet" : "button", href: telephone(number) }, icon("phone"), h("span", {}, label, " ", h("span", { class: "num nowrap" }, number)));
}

/** An address with a button that copies it. */
export function copyField(app, id, address) {
  const input = h("input", { id, type: "text", readonly: true, value: address, onfocus: () => input.select() });
  const copy = async () => {
    app.say(app.t((await copied(input)) ? "share.copied" : "share.copy.by.hand"));
  };
  return h(
    "div", { class: "copy" }, h("label", { for: id }, app.t("share.link")), input,
    h("button", { type: "button", class: "button quiet", onclick: copy }, icon("copy"), app.t("share.copy")),
  );
}

/**
 * A message with a link in it, to hand over to another app or to copy; nothing is sent from here.
 *
 * The link stands in the text: some apps take only one of the two from a browser, and Zalo shows what it is given.
 */
export function sender(app, { title, text, link }) {
  const { input, row } = field("message", app.t("share.told"), { tag: "textarea", readonly: true, rows: 5 });
  input.value = `${text} ${link}`;
  const copy = async () => {
    app.say(app.t((await copied(input)) ? "share.told.copied" : "share.copy.by.hand"));
  };
  const send = async () => {
    try {
      await navigator.share({ title, text: input.value });
    } catch (error) {
      // Who closes the sheet again wanted nothing; a browser that refuses leaves the message to be pasted.
      if (error.name !== "AbortError") await copy();
    }
  };
  const offered = navigator.share && h("button", { type: "button", class: "button", onclick: send }, icon("share"), app.t("share.send"));
  return [row, h("div", { class: "buttons" }, offered, h("button", { type: "button", class: offered ? "button quiet" : "button", onclick: copy }, icon("copy"), app.t("share.told.copy")))];
}

/** Copy by the clipboard, or as older browsers do; false if neither is allowed. */
async function copied(input) {
  try {
    await navigator.clipboard.writeText(input.value);
    return true;
  } catch {
    input.select();
    return document.execCommand("copy");
  }
}
