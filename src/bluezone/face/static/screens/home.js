// SPDX-License-Identifier: Apache-2.0
/** Home: one state, what to do, and the figures beneath it. Source: design "One state, said in words". */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { call, linkButton, note, worker } from "../parts.js";
import { gauge, stripCard } from "../strip.js";
import { stateTexts, stopText, timesSent, titleOf, warningTitle } from "../telling.js";
import { todayCard } from "../today.js";
import { visitRow } from "../visitrow.js";

const NETWORK = ["offline", "server_answer_refused", "server"];

/** The home screen. */
export async function show(app) {
  const [visits, sent, today, strip] = await Promise.all([app.engine.visits(), app.engine.sentLog(), todayCard(app), stripCard(app)]);
  const journey = app.journey();
  const open = visits.filter((visit) => visit.outAt === null);
  const here = open.length ? h("section", { class: "card" }, h("h2", {}, app.t("home.here")), open.map((visit) => visitRow(app, visit, { removable: false }))) : null;
  return {
    title: titleOf(app, journey), tab: "home", home: true, live: true,
    body: [
      stateCard(app, journey),
      h("div", { class: "side" }, today, here, ...notes(app, journey), today ? null : figures(app, visits, sent), strip),
      tiles(app),
      h("p", { class: "soft full foot" }, app.t(app.isWeb ? "home.only.here.web" : "home.only.here"), " ", h("a", { href: "#/sent" }, app.t("home.all.sent"))),
    ],
  };
}

function stateCard(app, journey) {
  const { name, look, icon: drawn } = journey;
  return h(
    "section", { class: `card state ${look}`, "data-state": name }, icon(drawn, 56), h("h1", {}, titleOf(app, journey)),
    stateTexts(app, journey).map((text) => p(text)), journey.warning && !journey.isolation && gauge(app, journey.warning), others(app, journey.isolation ? app.state.warnings : journey.others),
    p(h("small", { class: "num" }, checkedLine(app))), action(app, journey),
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

function action(app, journey) {
  const { name, warning, isolation, ended } = journey;
  const { hotline } = app.state.city;
  const check = worker(app, app.t("home.check"), app.t("home.checking"), async () => {
    await app.engine.check();
    await app.route();
  }, { quiet: !["B2", "B3", "unchecked"].includes(name) });
  const calling = hotline && (isolation || ["D", "negative", "waiting"].includes(name) || ended) && call(app.t("warning.call"), hotline, { quiet: true });
  const first = {
    B1: () => linkButton("#/guide/bluetooth", app.t("home.b1.button")),
    nothing: () => linkButton("#/scan", app.t("home.tile.scan")),
    over: () => endRead(app, ended),
  }[name];
  const todo = isolation ? linkButton("#/care", app.t("home.care.button"), { wide: true })
    : warning && linkButton(`#/warning/${encodeURIComponent(warning.id)}`, app.t(name === "D" ? "home.d.button" : "home.c.button"), { wide: true });
  return [h("div", { class: "buttons" }, todo, first && first(), calling, check.button), check.place];
}

/** The end was read: it is not told again. */
function endRead(app, ended) {
  return worker(app, app.t("home.over.button"), app.t("today.noting"), async () => {
    await app.engine.writeJournal({ day: ended.until, kind: "ended", text: "", marks: [] });
    await app.route();
  }).button;
}

function notes(app, { name }) {
  const { stops, checkProblem, storeProblem, pendingReport, notice, updateReady } = app.state;
  const told = (stops || []).filter((stop) => stop !== name).map((stop) => note("stop", "warn", stopText(app, stop)));
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
