// SPDX-License-Identifier: Apache-2.0
/** The list of guides with pictures. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";

/** name: [icon, drawings of its steps]. Those with Bluetooth are the handset's alone, those about installing the web's. */
export const GUIDES = {
  open: { name: "open", steps: ["menu", "address", "install"], web: true },
  bluetooth: { name: "bluetooth", steps: ["settings", "toggle", "home"], handset: true },
  place: { name: "scan", steps: ["poster", "place", "leave"] },
  event: { name: "scan", steps: ["qr", "poster", "digits"] },
  report: { name: "send", steps: ["call", "digits", "choose", "agree"] },
  warned: { name: "alert", steps: ["stay", "call", "thermometer"] },
  patient: { name: "home_stay", steps: ["stay", "call", "thermometer", "digits"] },
  family: { name: "help", steps: ["qr", "install", "bell"] },
};

/** The guides that this engine can follow. */
export function guidesOf(app) {
  return Object.entries(GUIDES).filter(([, guide]) => !(guide.web && !app.isWeb) && !(guide.handset && app.isWeb)).map(([key]) => key);
}

/** The list. */
export async function show(app) {
  await app.words.read();
  return {
    title: app.t("guides.title"), tab: "more",
    body: [
      h("h1", {}, app.t("guides.title")), p(app.t("guides.lead")),
      h("section", { class: "card" }, h("ul", { class: "rows" }, guidesOf(app).map((key) => h("li", {}, h("a", { href: `#/guide/${key}` }, icon(GUIDES[key].name), h("span", {}, app.t(`guide.${key}.title`))))))),
    ],
  };
}
