// SPDX-License-Identifier: Apache-2.0
/** Pieces that several panels of the gate page use. */
import { h, svg } from "./face/dom.js";

// The encoder leaves two modules of white; scanners want four.
const MORE_QUIET = 2;

/** A button that does one thing. */
export function button(text, onclick, kind = "quiet") {
  return h("button", { type: "button", class: `button ${kind}`, onclick }, text);
}

/** A labelled field. */
export function field(id, label, attributes) {
  return h("p", { class: "field" }, h("label", { for: id }, label), h("input", { id, ...attributes }));
}

/** A QR code drawn here, dark on white whatever the colours around it. */
export async function qr(text, label) {
  const { encodeQR } = await import("./face/vendor/qr-encode.js");
  const modules = encodeQR(text, "raw", { ecc: "medium" });
  const size = modules.length + 2 * MORE_QUIET;
  const d = modules.map((row, y) => row.map((dark, x) => (dark ? `M${x + MORE_QUIET} ${y + MORE_QUIET}h1v1h-1z` : "")).join("")).join("");
  return svg("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" }, svg("path", { d }));
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
