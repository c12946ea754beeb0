// SPDX-License-Identifier: Apache-2.0
/** Asking for help: a number to call first, then three fields that somebody nearby reads. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { call, field, linkButton, note, worker } from "../parts.js";

/** The form, and its ticket afterwards. */
export async function show(app) {
  const optional = ` (${app.t("help.optional")})`;
  const contact = field("contact", app.t("help.contact"), { type: "text", autocomplete: "tel", maxlength: 80, required: true });
  const place = field("place", app.t("help.place") + optional, { type: "text", autocomplete: "off", maxlength: 120 });
  const about = field("note", app.t("help.note") + optional, { tag: "textarea", maxlength: 500, rows: 4 });
  const { button, place: answer, run } = worker(app, app.t("help.button"), app.t("help.busy"), async () => {
    if (!contact.input.value.trim()) {
      answer.replaceChildren(h("div", { role: "alert" }, note("warn", "warn", app.t("help.contact.missing"))));
      contact.input.focus();
      return;
    }
    const { ticket } = await app.engine.askForHelp({ channel: "app", contact: contact.input.value.trim(), place: place.input.value.trim(), note: about.input.value.trim() });
    app.paint(done(app, ticket));
  }, { submit: true });
  const { hotline } = app.state.city;
  return {
    title: app.t("help.title"), tab: "more",
    body: [
      h("h1", {}, app.t("help.title")), p(app.t("help.lead")),
      hotline && h("section", { class: "card reading" }, p(app.t("help.sick")), call(app.t("warning.call"), hotline, { quiet: true })),
      h("section", { class: "card reading" }, h("form", { onsubmit: run, novalidate: true }, contact.row, place.row, about.row, p(app.t("help.sent"), "soft"), h("div", {}, button), answer)),
    ],
  };
}

function done(app, ticket) {
  const title = app.t("help.done.title");
  return {
    title, tab: "more",
    body: [h("section", { class: "card state calm" }, icon("check", 56), h("h1", {}, title), p(app.t("help.done", { ticket }))), h("div", { class: "buttons" }, linkButton("#/", app.t("back.home")))],
  };
}
