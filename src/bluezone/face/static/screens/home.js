// SPDX-License-Identifier: Apache-2.0
/** Home: one state, what to do, and the figures beneath it. Source: design "One state, said in words". */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { call, linkButton, note, worker } from "../parts.js";
import { exposureLine, stateTexts, stopText, timesSent, titleOf, warningTitle } from "../telling.js";
import { visitRow } from "../visitrow.js";

const LOOKS = { A: ["ok", "ok"], B1: ["warn", "stop"], B2: ["warn", "stop"], B3: ["warn", "stop"], C: ["warn", "warn"], D: ["alert", "alert"] };
const NETWORK = ["offline", "server_answer_refused", "server"];

/** The home screen. */
export async function show(app) {
  const [visits, sent] = await Promise.all([app.engine.visits(), app.engine.sentLog()]);
  const open = visits.filter((visit) => visit.outAt === null);
  const here = open.length ? h("section", { class: "card" }, h("h2", {}, app.t("home.here")), open.map((visit) => visitRow(app, visit, { removable: false }))) : null;
  return {
    title: titleOf(app), tab: "home", home: true, live: true,
    body: [
      stateCard(app),
      h("div", { class: "side" }, here, ...notes(app), figures(app, visits, sent)),
      tiles(app),
      h("p", { class: "soft full foot" }, app.t(app.isWeb ? "home.only.here.web" : "home.only.here"), " ", h("a", { href: "#/sent" }, app.t("home.all.sent"))),
    ],
  };
}

function stateCard(app) {
  const { state, warnings } = app.state;
  const [look, name] = LOOKS[state];
  const body = warnings.length ? [exposureLine(app, warnings[0])] : stateTexts(app);
  return h(
    "section", { class: `card state ${look}`, "data-state": state }, icon(name, 56), h("h1", {}, titleOf(app)),
    body.map((text) => p(text)), others(app, warnings.slice(1)), p(h("small", { class: "num" }, checkedLine(app))), action(app),
  );
}

/** The other days with a risk, each with its way to what to do. */
function others(app, warnings) {
  if (!warnings.length) return null;
  const rows = warnings.map((warning) => h(
    "li", {}, h("a", { href: `#/warning/${encodeURIComponent(warning.id)}` }, app.dates.begun(warning.day), ": ", warningTitle(app, warning)),
  ));
  return [h("h2", {}, app.t("home.other.days")), h("ul", {}, rows)];
}

function checkedLine(app) {
  const { checkedAt, nextCheckAt, bluetooth } = app.state;
  const parts = [checkedAt ? app.t("home.checked", { at: app.dates.moment(checkedAt) }) : app.t("home.checked.never")];
  if (nextCheckAt) parts.push(app.t("home.next", { at: app.dates.clock(nextCheckAt) }));
  if (bluetooth && bluetooth.lastHeard) parts.push(app.t("home.lastheard", { at: app.dates.moment(bluetooth.lastHeard) }));
  return parts.join(" · ");
}

function action(app) {
  const { state, warnings } = app.state;
  if (warnings.length) {
    const first = `#/warning/${encodeURIComponent(warnings[0].id)}`;
    const { hotline } = app.state.city;
    return h(
      "div", { class: "buttons" }, linkButton(first, app.t(state === "D" ? "home.d.button" : "home.c.button"), { wide: true }),
      state === "D" && hotline && call(app.t("warning.call"), hotline, { quiet: true }),
    );
  }
  const { button, place } = worker(app, app.t("home.check"), app.t("home.checking"), async () => {
    await app.engine.check();
    await app.route();
  }, { quiet: state === "A" || state === "B1" });
  return [h("div", { class: "buttons" }, state === "B1" && linkButton("#/guide/bluetooth", app.t("home.b1.button")), button), place];
}

function notes(app) {
  const { state, stops, checkProblem, storeProblem, pendingReport, notice, updateReady } = app.state;
  const told = (stops || []).filter((stop) => stop !== state).map((stop) => note("stop", "warn", stopText(app, stop)));
  if (storeProblem) told.push(note("warn", "alert", app.t("refusal.handset_disk_full")));
  if (pendingReport) {
    const key = pendingReport.state === "waiting" ? "home.pending.waiting" : "home.pending.begun";
    told.push(note("send", "info", app.t(key, { at: pendingReport.sendAt ? app.dates.moment(pendingReport.sendAt) : "" })));
  }
  if (checkProblem && NETWORK.includes(checkProblem)) told.push(note("info", "info", app.t("home.problem.offline")));
  else if (checkProblem) told.push(note("warn", "warn", app.t("home.problem.file", { code: checkProblem })));
  if (notice) told.push(note("info", "info", app.t(app.words.has(`notice.${notice}.body`) ? `notice.${notice}.body` : "notice.other.body", { code: notice })));
  if (updateReady) told.push(update(app));
  return told;
}

function update(app) {
  const { button, place } = worker(app, app.t("home.update.button"), app.t("home.updating"), () => app.engine.applyUpdate(), { quiet: true });
  return note("info", "info", p(app.t("home.update")), button, place);
}

function figures(app, visits, sent) {
  const today = app.dates.day(app.dates.now());
  const places = visits.filter((visit) => app.dates.day(visit.inAt) === today).length;
  const figure = (value, key) => h("p", {}, h("b", {}, value), h("small", {}, app.t(key)));
  const heard = app.state.bluetooth && app.state.bluetooth.lastHeard;
  return h(
    "section", { class: "card figures num" }, h("h2", {}, app.t("home.figures")),
    h("div", {}, app.engine.canTrace && figure(heard ? app.dates.clock(heard) : "–", "home.figure.heard"),
      figure(app.words.number(places), "home.figure.places"), figure(app.words.number(timesSent(sent.own)), "home.figure.sent")),
  );
}

function tiles(app) {
  const tile = (href, name, key) => h("li", {}, h("a", { class: "card tile", href }, icon(name, 30), h("span", {}, app.t(key))));
  return h(
    "ul", { class: "tiles full", "aria-label": app.t("home.tiles") },
    tile("#/scan", "scan", "home.tile.scan"), tile("#/gate", "open", "home.tile.gate"), tile("#/report", "send", "home.tile.report"),
    tile("#/help", "help", "home.tile.help"), tile("#/share", "share", "home.tile.share"),
  );
}
