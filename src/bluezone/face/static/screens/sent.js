// SPDX-License-Identifier: Apache-2.0
/** Everything of the owner's that ever left this device; random packets on a line of their own. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { timesSent } from "../telling.js";

const LOOKS = { accepted: "ok", refused: "warn", not_reached: "warn", unknown: "warn" };

/** The sent log, latest first. */
export async function show(app) {
  const { own, chaff } = await app.engine.sentLog();
  const rows = [...own].sort((one, other) => other.at - one.at).map((entry) => row(app, entry));
  return {
    title: app.t("sent.title"), tab: "more", live: true,
    body: [
      h("h1", {}, app.t("sent.title")),
      h("section", { class: "card" }, p(h("strong", {}, app.n("sent.own", timesSent(own)))), p(app.t("sent.chaff", { count: app.words.number(chaff) }))),
      h("section", { class: "card" }, rows.length ? h("ul", { class: "rows" }, rows) : p(app.t("sent.empty"))),
    ],
  };
}

function row(app, { at, what, bytes, outcome, days = [] }) {
  // A key's day is a day of UTC.
  const begins = what === "keys_sent" && days.length ? app.dates.span(days[0]).at : "00:00";
  const told = { days: days.map((day) => app.dates.short(begins === "00:00" ? day : app.dates.span(day).day)).join(", "), at: begins };
  const listed = days.length ? app.t(begins === "00:00" ? "sent.days" : "sent.days.span", told) : null;
  const under = [app.dates.moment(at), app.t("sent.bytes", { bytes: app.words.number(bytes) }), listed].filter(Boolean).join(" · ");
  return h("li", {}, h("div", { class: "row" }, icon("send"), h("span", {}, app.t(`sent.what.${what}`), " ", h("span", { class: `tag ${LOOKS[outcome]}` }, app.t(`sent.outcome.${outcome}`)), h("small", { class: "num" }, under))));
}
