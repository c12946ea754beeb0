// SPDX-License-Identifier: Apache-2.0
/** Pieces that several panels of the gate page use. */
import { h } from "./face/dom.js";
import { drawn, modulesOf } from "./face/qrcode.js";

/** A button that does one thing. */
export function button(text, onclick, kind = "quiet") {
  return h("button", { type: "button", class: `button ${kind}`, onclick }, text);
}

/** A labelled field. */
export function field(id, label, attributes) {
  return h("p", { class: "field" }, h("label", { for: id }, label), h("input", { id, ...attributes }));
}

/** A QR code of a text. */
export async function qr(text, label, ecc = "medium") {
  return drawn(await modulesOf(text, ecc), label);
}

/** A dialog over the page; closes by its button, by Escape, and by what it did. */
export function panel(words, title, ...children) {
  const dialog = h("dialog", { class: "panel", "aria-label": title }, h("h2", { tabindex: "-1" }, title), ...children,
    h("p", {}, button(words.t("button.close"), () => dialog.close())));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
