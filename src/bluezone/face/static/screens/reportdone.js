// SPDX-License-Identifier: Apache-2.0
/** Reporting, last: waiting, sent, not finished or refused; looked at again until it is over. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { linkButton, note } from "../parts.js";
import { sentence } from "../refusals.js";

const LOOK_MS = 1500;

/** How far the report is. */
export async function show(app) {
  const report = await app.engine.reportState();
  if (report.state === "none") return (await import("./reportcode.js")).show(app, "");
  const timer = ["waiting", "begun"].includes(report.state) ? setInterval(() => again(app, report.state), LOOK_MS) : null;
  const { title, body, look, name } = told(app, report);
  return {
    title, tab: "home", leave: () => clearInterval(timer),
    body: [
      h("section", { class: `card state ${look}` }, icon(name, 56), h("h1", {}, title), body.map((text) => p(text))),
      report.state === "sent" && timeline(app, report),
      report.state === "sent" && note("health", "info", app.t("report.sent.help")),
      h("div", { class: "buttons" }, linkButton("#/", app.t("back.home")), linkButton("#/sent", app.t("sent.title"), { quiet: true })),
    ],
  };
}

/** From sending to the phones of others, by the times that are published for everybody. */
function timeline(app, { sendAt, publishAt, reachAt }) {
  const { dates } = app;
  const steps = [["check", "sent", sendAt], ["list", "published", publishAt], ["bluetooth", "reached", reachAt]].filter(([, , at]) => at);
  const rows = steps.map(([name, key, at]) => h("li", {}, icon(name), h("span", {}, app.t(`timeline.${key}`, { at: dates.moment(at) }))));
  return h("section", { class: "card reading" }, h("h2", {}, app.t("timeline.title")), h("ol", { class: "timeline" }, rows));
}

/** Show the screen anew when the report has moved on. */
async function again(app, before) {
  const { state } = await app.engine.reportState().catch(() => ({ state: before }));
  if (state !== before) {
    app.shownPath = null;
    await app.route();
  }
}

function told(app, { state, sendAt, reachAt, code, withToday }) {
  const at = sendAt ? app.dates.moment(sendAt) : "";
  if (state === "waiting") {
    const body = [app.t("report.waiting.text", { at }), app.isWeb && app.t("report.waiting.web")].filter(Boolean);
    return { title: app.t("report.waiting.title"), body, look: "care", name: "send" };
  }
  if (state === "begun") return { title: app.t("report.begun.title"), body: [app.t("home.pending.begun")], look: "warn", name: "stop" };
  if (state === "refused") return { title: app.t("report.refused.title"), body: [sentence(app, { code: code || "report_refused" })], look: "warn", name: "warn" };
  const body = [reachAt ? app.t("report.sent.text", { at, reach: app.dates.moment(reachAt) }) : app.t("report.sent.text.later", { at }), withToday && app.t("report.sent.today")].filter(Boolean);
  return { title: app.t("report.sent.title"), body, look: "care", name: "check" };
}
