// SPDX-License-Identifier: Apache-2.0
/** What a place's code says, with name and fingerprint, before anything is noted. */
import { h, p } from "../dom.js";
import { choice, linkButton, note, refusalNote, worker } from "../parts.js";

/** parameter: the code from a link (#/v/…), else what was scanned or typed. */
export async function show(app, parameter) {
  const text = parameter ? linkOf(app, parameter) : app.held.venueText;
  const scan = linkButton("#/scan", app.t("place.not"), { quiet: true });
  if (!text) return (await import("./scan.js")).show(app);
  let venue;
  try {
    venue = await app.engine.readVenue(text);
  } catch (error) {
    return { title: app.t("scan.title"), tab: "home", body: [h("h1", {}, app.t("scan.title")), refusalNote(app, error, () => app.route()), h("div", { class: "buttons" }, linkButton("#/scan", app.t("home.tile.scan")))] };
  }
  const remember = choice("remember", app.t("place.remember"), { checked: true, hint: app.t("place.remember.hint") });
  const { button, place } = worker(app, app.t("place.checkin"), app.t("place.checkin.busy"), async () => {
    app.held.visit = await app.engine.checkIn(text, { remember: remember.input.checked });
    app.held.visitName = venue.name;
    app.held.venueText = null;
    await app.go("/checked-in", { replace: true });
  }, { icon: "place" });
  return { title: venue.name, tab: "home", body: [h("h1", {}, app.t(venue.event ? "place.title.event" : "place.title")), card(app, venue, remember, h("div", { class: "buttons" }, button, scan), place)] };
}

function card(app, venue, remember, buttons, answer) {
  return h(
    "section", { class: "card reading" }, h("h2", {}, venue.name), venue.address && p(venue.address),
    h("h3", {}, app.t("place.fingerprint")), h("p", { class: "fingerprint" }, venue.fingerprint), p(app.t(venue.event ? "place.fingerprint.event" : "place.fingerprint.hint"), "soft"),
    p(app.t("place.stay", { amount: app.dates.amount(venue.stayMinutes * 60) })),
    venue.event ? note("info", "info", app.t("place.event")) : venue.temporary && p(app.t("place.temporary")),
    venue.validTo && p(app.t("place.until", { at: app.dates.moment(venue.validTo) })),
    remember.row, p(app.t("place.local"), "soft"), buttons, answer,
  );
}

/** The whole link of a code that came behind this page's own address. */
function linkOf(app, code) {
  return /^https?:/.test(code) ? code : `${app.state.city.publicOrigin || location.origin}/v#${code}`;
}
