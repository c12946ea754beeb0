// SPDX-License-Identifier: Apache-2.0
/** Before there is a list: type the office's one-time code, or practise. */
import { enrol } from "../face/devicecalls.js";
import { h, p } from "../face/dom.js";
import { line } from "../inputs.js";

export function show(app) {
  const waiting = app.entries.length;
  const place = h("div", { id: "refused" });
  // The page that the office's QR code opens leads here with the code behind the address.
  const given = /^#\d{3}-\d{3}-\d{3}-\d{3}$/.test(location.hash) ? location.hash.slice(1) : "";
  const code = line("code", app.t("connect.code"), given, { inputmode: "numeric", hint: app.t("connect.hint"), maxlength: 24, required: true });
  const button = h("button", { type: "submit", class: "button wide" }, app.t("connect.button"));
  const connect = async (event) => {
    event.preventDefault();
    button.setAttribute("aria-disabled", "true");
    place.replaceChildren();
    try {
      const { token, device, name, agency } = await enrol(code.value(), "canvass");
      await app.box.connect({ token, device, name, agency, language: app.words.language });
      await app.sync.now();
      await app.go("/");
    } catch (error) {
      place.replaceChildren(h("div", { class: "card note alert", role: "alert" }, p(app.refusal(error.code))));
    } finally {
      button.removeAttribute("aria-disabled");
    }
  };
  const body = [
    h("h1", {}, app.t("connect.title")),
    app.emptied && h("div", { class: "card note alert", id: "emptied" }, p(app.t("connect.emptied"))),
    waiting > 0 && h("div", { class: "card note warn" }, p(app.n("connect.kept", waiting))),
    p(app.t("connect.lead")),
    h("form", { class: "card", onsubmit: connect }, code.row, place, button),
    h("section", { class: "card" }, h("h2", {}, app.t("practice.title")), p(app.t("practice.lead")),
      h("button", { type: "button", class: "button quiet wide", id: "practise", onclick: () => app.practise(true) }, app.t("practice.begin"))),
  ];
  return { title: app.t("connect.title"), body };
}
