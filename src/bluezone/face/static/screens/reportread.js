// SPDX-License-Identifier: Apache-2.0
/** Reporting, third step: exactly what will be sent, in words and in bytes; then the owner's agreement. */
import { h, p } from "../dom.js";
import { linkButton, worker } from "../parts.js";
import { spanOf } from "./reportchoose.js";

// Refusals after which the same draft is of no use.
const ENDED = ["code_wrong", "code_used_or_expired", "report_refused", "week_key_untrusted", "report_not_prepared", "nothing_to_report", "report_pending"];

/** What the choice amounts to. */
export async function show(app) {
  const { draft, choice } = app.held;
  if (!draft || !choice) return (await import("./reportcode.js")).show(app, "");
  const preview = await app.engine.previewReport(choice);
  const goes = [
    choice.days.length && app.n("report.goes.days", choice.days.length), choice.visits.length && app.n("report.goes.visits", choice.visits.length),
  ].filter(Boolean).join("; ");
  const effects = [choice.days.length && "report.effect", choice.visits.length && "report.effect.web"].filter(Boolean);
  const { button, place } = worker(app, app.t("report.agree"), app.t("report.sending"), () => send(app, choice), { icon: "send" });
  return {
    title: app.t("report.read.title"), tab: "home",
    body: [
      h("h1", {}, app.t("report.read.title")),
      h(
        "section", { class: "card reading" },
        p([h("strong", {}, `${app.t("report.goes")}: `), `${goes}.`]), p([h("strong", {}, `${app.t("report.stays")}: `), `${app.t("report.stays.text")}.`]),
        effects.map((key) => p(app.t(key))), p(h("strong", {}, app.t("report.noreturn"))), p(app.t("report.guess")),
        exactly(app, preview),
        h("div", { class: "buttons" }, button, linkButton("#/", app.t("report.notnow"), { quiet: true })), place,
      ),
    ],
  };
}

async function send(app, choice) {
  try {
    app.held.outcome = await app.engine.sendReport({ ...choice, consent: true });
  } catch (error) {
    const kept = (await app.renew()).pendingReport;
    if (!kept && !ENDED.includes(error.code)) throw error;
    app.held.draft = app.held.choice = null;
    if (kept) {
      await app.go("/report-done", { replace: true });
      return;
    }
    app.held.refused = error;
    await app.go("/report", { replace: true });
    return;
  }
  app.held.draft = app.held.choice = null;
  await app.go("/report-done", { replace: true });
}

/** Each item with its meaning and its very bytes. */
function exactly(app, { items, bytes }) {
  const rows = items.map(({ kind, day, hex }) => h("li", {}, app.t(`report.item.${kind}`, { day: kind === "key" ? spanOf(app, day) : app.dates.full(day) }), h("br"), h("code", { class: "mono" }, hex)));
  return h("details", {}, h("summary", {}, app.t("report.exact")), p(app.t("report.exact.text", { bytes: app.words.number(bytes) })), h("ul", {}, rows));
}
