// SPDX-License-Identifier: Apache-2.0
/** The code of one event of the owner's own: to show, print, send; to check in oneself; and to remove. */
import { h, p } from "../dom.js";
import { linkButton, sender, worker } from "../parts.js";
import { drawn, modulesOf } from "../qrcode.js";

/** parameter: the event's id; without such an event, the list. */
export async function show(app, parameter) {
  const event = (await app.engine.events()).find(({ id }) => id === parameter);
  if (event === undefined) return (await import("./events.js")).show(app);
  await app.words.read();
  const { dates } = app;
  const now = dates.now();
  const lasts = event.begin <= now && now < event.end;
  const times = app.t("event.times", { day: dates.begun(dates.day(event.begin)), from: dates.clock(event.begin), until: endOf(dates, event) });
  const print = h("button", { type: "button", class: "button", onclick: () => globalThis.print() }, app.t("event.print"));
  return {
    title: event.name, tab: "more",
    body: [
      h("h1", {}, event.name), p(times),
      h(
        "section", { class: "card reading" }, drawn(await modulesOf(event.link), app.t("event.qr.alt", { name: event.name })),
        p(app.t("event.scan")), h("h2", {}, app.t("place.fingerprint")), h("p", { class: "fingerprint" }, event.fingerprint), p(app.t("event.same"), "soft"),
        h("div", { class: "buttons" }, print, lasts && linkButton(`#/v/${event.link.split("#")[1]}`, app.t("event.here"), { quiet: true })),
      ),
      h("section", { class: "card reading unprinted" }, h("h2", {}, app.t("event.send")), sender(app, { title: event.name, text: app.t("event.message", { name: event.name, times }), link: event.link })),
      h("section", { class: "card reading unprinted" }, h("h2", {}, app.t("event.case")), p(app.t("event.case.text", { hotline: app.hotline() }))),
      removing(app, event),
      h("div", { class: "buttons" }, linkButton("#/events", app.t("events.all"), { quiet: true })),
    ],
  };
}

/** On paper, too: the day only where it is another. */
function endOf(dates, { begin, end }) {
  const day = dates.day(end);
  return day === dates.day(begin) ? dates.clock(end) : `${dates.clock(end)} ${dates.short(day)}`;
}

/** Removing takes a second press, because the code is then nowhere but on what was printed. */
function removing(app, event) {
  const place = h("div", {});
  const ask = h("button", { type: "button", class: "button quiet" }, app.t("event.remove"));
  ask.addEventListener("click", () => {
    const { button, place: answer } = worker(app, app.t("visit.forget.yes"), app.t("visit.checkout.busy"), async () => {
      await app.engine.forgetEvent(event.id);
      await app.go("/events", { replace: true });
      app.say(app.t("event.removed"));
    }, { danger: true });
    const keep = h("button", { type: "button", class: "button quiet", onclick: () => { place.replaceChildren(); ask.focus(); } }, app.t("visit.forget.no"));
    place.replaceChildren(h("div", { class: "card note warn", role: "group" }, h("div", {}, p(app.t("event.remove.sure")), h("div", { class: "buttons" }, button, keep), answer)));
    keep.focus();
  });
  return h("section", { class: "card reading unprinted" }, h("div", { class: "buttons" }, ask), place);
}
