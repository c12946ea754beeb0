// SPDX-License-Identifier: Apache-2.0
/** Notices on this device: what they say, what they need, on and off. */
import { h, p } from "../dom.js";
import { note, worker } from "../parts.js";

/** The state of notices and the button that changes it. */
export async function show(app) {
  const { supported, state } = await app.engine.notifications();
  const act = (key, busy, work) => {
    const { button, place } = worker(app, app.t(key), app.t(busy), async () => { await work(); await app.route(); }, { quiet: key === "notifications.off" });
    return [h("div", { class: "buttons" }, button), place];
  };
  const told = !supported ? note("info", "warn", app.t("notifications.unsupported"))
    : state === "denied" ? note("info", "warn", app.t("notifications.denied"))
      : state === "off" ? act("notifications.allow", "notifications.allowing", () => app.engine.allowNotifications())
        : [note("ok", "ok", app.t(state === "on" ? "notifications.on" : "notifications.waiting")), app.engine.turnOffNotifications && act("notifications.off", "notifications.turning.off", () => app.engine.turnOffNotifications())];
  return {
    title: app.t("notifications.title"), tab: "more",
    body: [h("h1", {}, app.t("notifications.title")), h("section", { class: "card reading" }, p(app.t("notifications.text")), p(app.t("notifications.address"))), told],
  };
}
