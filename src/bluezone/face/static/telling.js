// SPDX-License-Identifier: Apache-2.0
/**
 * The sentences of the home page's state and of a warning. The word for a phone that traces stands only where Bluetooth
 * has sent and heard within 15 minutes; a browser never says it. No time of day of a contact is known here.
 */
import { fill } from "./words.js";

const BANDS = { "<10": "band.under10", "10-15": "band.10to15", "15-30": "band.15to30", ">30": "band.over30" };
const NEARNESS = { sure: "near.sure", likely: "near.likely", unlikely: "near.unlikely", unclear: "near.unclear" };
const DAY_SECONDS = 86_400;

// What is the owner's own: a code that is only asked about, or the address of a notice, says nothing of a person.
const OWN = ["keys_sent", "visits_sent", "help_asked", "declared"];

/** How often something of the owner's arrived at a server; own: entries of the sent log. */
export function timesSent(own) {
  return own.filter((entry) => OWN.includes(entry.what) && entry.outcome === "accepted").length;
}

const TITLES = {
  positive: "home.positive.title", negative: "home.negative.title", waiting: "home.waiting.title", D: "home.d.title", watch: "home.watch.title",
  C: "home.c.title", B1: "home.b.title", B2: "home.b2.title", B3: "home.b3.title", nothing: "home.nothing.title",
  unchecked: "home.unchecked.title", A: "home.a.title",
};

/** The heading of a state. journey: as journeyOf gives it. */
export function titleOf(app, journey) {
  const { name, until, testDay, ended } = journey;
  if (name === "over") return app.t(`home.over.${ended.kind}.title`);
  if (name.startsWith("B") && !app.isWeb) return app.t("home.b.title");
  return app.t(TITLES[name], { until: until && app.dates.full(until), day: testDay && app.dates.short(testDay) });
}

/** What a state says below its heading, in paragraphs. */
export function stateTexts(app, journey) {
  const { dates, words } = app;
  const { name, warning, isolation, until, testDay, testFrom, day } = journey;
  const { installedAt, checkedAt } = app.state;
  const checked = { day: dates.short(dates.day(installedAt || dates.now())), at: checkedAt && dates.moment(checkedAt) };
  const texts = {
    positive: () => {
      const days = app.n("amount.days", app.state.city.care.isolationDays);
      return [app.t(`home.positive.${patientBy(app, isolation)}`, { day: dates.full(isolation.from), days }), leftText(app, journey)];
    },
    negative: () => [
      app.t("home.negative.text", { until: dates.full(until) }), journey.early && app.t("home.negative.early", { day: dates.short(testDay), from: dates.full(testFrom) }),
      exposureLine(app, warning), leftText(app, journey),
    ],
    waiting: () => [app.t("home.waiting.text", { day: dates.short(testDay), hotline: app.hotline() }), exposureLine(app, warning), leftText(app, journey)],
    watch: () => [exposureLine(app, warning), app.t("home.watch.text", { number: words.number(day) }), leftText(app, journey)],
    C: () => [exposureLine(app, warning), leftText(app, journey)],
    D: () => [exposureLine(app, warning), leftText(app, journey)],
    over: () => [app.t("home.over.text", { until: dates.full(journey.ended.until), hotline: app.hotline() })],
    nothing: () => (app.isWeb ? [app.t("home.nothing.places"), app.t("home.a.web")] : [bluetoothText(app), app.t("home.nothing.near")]),
    unchecked: () => (app.isWeb ? [app.t("home.unchecked.places"), app.t("home.a.web")] : [bluetoothText(app), app.t("home.unchecked.near")]),
    A: () => (app.isWeb ? [app.t("home.a.places", checked), app.t("home.a.web"), app.t("home.a.foot")]
      : [`${bluetoothText(app)} ${app.t("home.a.near", checked)}`, app.t("home.a.foot")]),
  };
  const told = texts[name] ? texts[name]() : [stopText(app, name), app.isWeb && app.t("home.a.web")];
  return told.filter(Boolean);
}

/** Why the owner is a patient: they sent a report, agreed to one that was not sent, or noted a positive test. */
function patientBy(app, { from }) {
  const { agreedAt, reportedAt, pendingReport } = app.state;
  const isSince = (moment) => moment && app.dates.day(moment) >= from;
  if (isSince(reportedAt) && !pendingReport) return "reported";
  return isSince(agreedAt) || pendingReport ? "agreed" : "noted";
}

/** How many days are left of what the rules ask for. */
function leftText(app, { left }) {
  return left > 0 ? app.n("home.left", left) : app.t("home.left.last");
}

/** Only a phone whose Bluetooth has both sent and heard within 15 minutes is called what this says. */
function bluetoothText(app) {
  return app.state.bluetooth && app.state.bluetooth.running ? app.t("running.a") : app.t("home.a.listening");
}

/** What the owner is told of a radio that does not send or hear, by the code of the refusal; else it is called off. */
const RADIO_CAUSES = {
  bluetooth_permission_missing: "home.b1.permission",
  location_permission_missing: "home.b1.location", location_off: "home.b1.location",
  advertising_refused: "home.b1.unheard", advertising_unsupported: "home.b1.unheard",
  bluetooth_absent: "home.b1.failed", scan_refused: "home.b1.failed",
  radio_failed: "home.b1.failed", radio_unavailable: "home.b1.failed",
};

/** Why warnings may be missing now. */
export function stopText(app, stop) {
  const { bluetooth, clockOffBySeconds, now } = app.state;
  if (stop === "B1") {
    const since = bluetooth && bluetooth.offSince;
    const cause = RADIO_CAUSES[bluetooth && bluetooth.problem] || "home.b1";
    return since ? app.t(cause, { at: app.dates.moment(since) }) : app.t("home.b1.never");
  }
  if (stop === "B3") return app.t("home.b3", { amount: app.dates.amount(clockOffBySeconds) });
  const listed = app.state.listMadeAt || app.state.checkedAt;
  if (!listed) return app.t("home.b2.never");
  const age = (now || Date.now() / 1000) - listed;
  return app.n("home.b2.days", Math.max(1, Math.round(age / DAY_SECONDS)));
}

/** One warning in words: day, how long a case was heard, and how sure it is that the two were near. */
export function exposureLine(app, warning) {
  const values = {
    day: app.dates.begun(warning.day), minutes: app.t(BANDS[warning.minutesBand]),
    place: warning.label || app.t("home.place.unnamed"),
  };
  if (warning.kind === "venue") return app.t(warning.level === "high" ? "home.d.venue" : "home.c.venue", values);
  return `${app.t("home.near", values)} ${app.t(NEARNESS[warning.certainty], { near: nearText(app, warning.nearMinutes) })}`;
}

/** Minutes likely near: a range, or what they do not exceed. */
function nearText(app, near) {
  if (!near) return "";
  const [from, to] = near;
  if (from <= 0) return app.t("near.upto", { to });
  return from === to ? app.t("near.about", { to }) : app.t("near.range", { from, to });
}

/** Whether nothing can be told about how near it was. */
const unclear = (warning) => warning.kind === "near" && warning.certainty === "unclear";

/** Whose words a warning has: a low one, however sure, asks its owner to watch and to mask, never to stay apart. */
function kindsOf(warning) {
  if (unclear(warning)) return ["unclear"];
  const kinds = warning.kind === "venue" ? ["venue"] : [];
  return warning.level === "high" ? kinds : [...kinds, "low"];
}

/** The heading of a warning. */
export function warningTitle(app, warning) {
  if (unclear(warning)) return app.t("warning.title.unclear");
  return app.t(warning.level === "high" ? "warning.title.high" : "warning.title.low");
}

/** A text of a warning: the health authority's from the signed config, else our own. name: "step_1", "lead", "doubt" … */
export function warningText(app, warning, name) {
  const values = {
    hotline: app.hotline(), day: app.dates.full(warning.day),
    until: app.dates.full(warning.watchUntil),
  };
  const signed = app.state.city.texts || {};
  const kind = kindsOf(warning).find((one) => signed[`${one}_${name}`] || app.words.has(`warning.${one}.${name}`));
  const text = signed[kind ? `${kind}_${name}` : name];
  const told = text ? fill(text, values) : app.t(kind ? `warning.${kind}.${name}` : `warning.${name}`, values);
  return name.startsWith("step_") ? strongFirst(whole(told)) : whole(told);
}

/** Telephone numbers stay on one line. */
function whole(text) {
  return text.replace(/(\d) (?=\d)/g, "$1\u00a0");
}

/** The first sentence of a step stands out, unless its author marked something. */
function strongFirst(text) {
  return text.includes("**") ? text : text.replace(/^([^.!?]+[.!?])(?=\s|$)/, "**$1**");
}
