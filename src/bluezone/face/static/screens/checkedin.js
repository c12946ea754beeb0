// SPDX-License-Identifier: Apache-2.0
/** Checked in: until when, and the way back for whoever pressed too soon. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { linkButton, worker } from "../parts.js";

/** The visit that has just begun; without one, the diary. */
export async function show(app) {
  const { visit } = app.held;
  if (!visit) return (await import("./diary.js")).show(app);
  const { clock } = app.dates;
  const undo = worker(app, app.t("checkedin.undo"), app.t("visit.checkout.busy"), async () => {
    await app.engine.forgetVisit(visit.id);
    app.held.visit = null;
    await app.go("/", { replace: true });
    app.say(app.t("checkedin.undone"));
  }, { quiet: true });
  const leave = worker(app, app.t("visit.checkout"), app.t("visit.checkout.busy"), async () => {
    await app.engine.checkOut(visit.id);
    app.held.visit = null;
    await app.go("/diary", { replace: true });
    app.say(app.t("visit.checkedout"));
  }, { quiet: true });
  const told = app.t("checkedin.text", { place: app.held.visitName || app.t("visit.unnamed"), from: clock.call(app.dates, visit.inAt), until: clock.call(app.dates, visit.plannedOutAt) });
  return {
    title: app.t("checkedin.title"), tab: "home",
    body: [
      h("section", { class: "card state calm" }, icon("check", 56), h("h1", {}, app.t("checkedin.title")), p(told), p(app.t("visit.fingerprint", { fingerprint: visit.fingerprint }), "soft num")),
      h("div", { class: "buttons" }, linkButton("#/", app.t("back.home")), leave.button, undo.button), leave.place, undo.place,
    ],
  };
}
