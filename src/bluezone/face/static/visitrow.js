// SPDX-License-Identifier: Apache-2.0
/** One visit: where, from when, until when; check out while it lasts, remove it at any time. */
import { h, p } from "./dom.js";
import { worker } from "./parts.js";

/** The name of a visit as its owner kept it. */
export function placeName(app, visit) {
  return visit.label || app.t("visit.unnamed");
}

/** The visit with what can be done about it. removable: whether removing it is offered here. */
export function visitRow(app, visit, { removable = true } = {}) {
  const { clock } = app.dates;
  const times = { from: clock.call(app.dates, visit.inAt), until: clock.call(app.dates, visit.outAt || visit.plannedOutAt) };
  const place = h("div", {});
  return h(
    "article", { class: "visit" },
    h("h3", {}, placeName(app, visit)),
    p(h("span", { class: "num soft" }, app.t(visit.outAt === null ? "visit.open" : "visit.over", times), " · ", app.t("visit.fingerprint", { fingerprint: visit.fingerprint }))),
    h("div", { class: "buttons" }, visit.outAt === null ? checkOut(app, visit, place) : null, removable && forget(app, visit, place)), place,
  );
}

function checkOut(app, visit, place) {
  const { button, place: answer } = worker(app, app.t("visit.checkout"), app.t("visit.checkout.busy"), async () => {
    await app.engine.checkOut(visit.id);
    await app.route();
    app.say(app.t("visit.checkedout"));
  });
  place.append(answer);
  return button;
}

/** Removing takes a second press, because it cannot be undone. */
function forget(app, visit, place) {
  const ask = h("button", { type: "button", class: "button quiet" }, app.t("visit.forget"), h("span", { class: "sr" }, `: ${placeName(app, visit)}`));
  ask.addEventListener("click", () => {
    const { button, place: answer } = worker(app, app.t("visit.forget.yes"), app.t("visit.checkout.busy"), async () => {
      await app.engine.forgetVisit(visit.id);
      await app.route();
      app.say(app.t("visit.forgotten"));
    }, { danger: true });
    const keep = h("button", { type: "button", class: "button quiet", onclick: () => { place.replaceChildren(); ask.focus(); } }, app.t("visit.forget.no"));
    place.replaceChildren(h("div", { class: "card note warn", role: "group" }, h("div", {}, p(app.t("visit.forget.sure")), h("div", { class: "buttons" }, button, keep), answer)));
    keep.focus();
  });
  return ask;
}
