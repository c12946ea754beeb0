// SPDX-License-Identifier: Apache-2.0
/** Reporting, first step: the code or link of a health worker. It is not used by this. */
import { h, p } from "../dom.js";
import { call, field, linkButton, note, refusalNote, worker } from "../parts.js";

/** parameter: the secret of a link (#/r/…), filled in for its owner. */
export async function show(app, parameter) {
  const title = app.t("report.title");
  if (app.state.pendingReport) {
    return { title, tab: "home", body: [h("h1", {}, title), note("send", "info", app.t("report.pending")), h("div", { class: "buttons" }, linkButton("#/report-done", app.t("report.code.button")))] };
  }
  const { input, row } = field("code", app.t("report.code"), {
    hint: app.t("report.code.hint"), type: "text", inputmode: parameter ? null : "numeric", autocomplete: "one-time-code", autocapitalize: "off",
    spellcheck: "false", required: true, value: parameter ? `${app.state.city.publicOrigin || location.origin}/r#${parameter}` : null,
  });
  input.addEventListener("input", () => group(input));
  const { button, place, run } = worker(app, app.t("report.code.button"), app.t("report.code.busy"), async () => {
    app.held.draft = await app.engine.prepareReport(input.value.trim());
    app.held.choice = null;
    await app.go("/report-choose");
  }, { submit: true });
  const { hotline } = app.state.city;
  return {
    title, tab: "home",
    body: [
      h("h1", {}, title), p(app.t("report.lead")), app.isWeb && note("info", "info", app.t("report.lead.web")),
      refused(app),
      h("section", { class: "card reading" }, h("form", { onsubmit: run }, row, h("div", {}, button), place)),
      hotline && h("section", { class: "card reading" }, p(app.t("report.nocode", { hotline })), call(app.t("warning.call"), hotline, { quiet: true })),
    ],
  };
}

/** A refusal that ended an earlier attempt, told once. */
function refused(app) {
  const error = app.held.refused;
  app.held.refused = null;
  return error ? refusalNote(app, error) : null;
}

/** Twelve digits in groups of four, as they are read out; anything else is left as it is. */
function group(input) {
  const digits = input.value.replace(/[\s.-]/g, "");
  if (!/^\d{1,12}$/.test(digits) || input.selectionEnd !== input.value.length) return;
  input.value = digits.replace(/(\d{4})(?=\d)/g, "$1-");
}
