// SPDX-License-Identifier: Apache-2.0
/** Which screen an address names. Screens are loaded when they are first asked for. */

const SCREENS = {
  "": () => import("./screens/home.js"),
  welcome: () => import("./screens/welcome.js"),
  about: () => import("./screens/about.js"),
  diary: () => import("./screens/diary.js"),
  inbox: () => import("./screens/inbox.js"),
  message: () => import("./screens/message.js"),
  scan: () => import("./screens/scan.js"),
  place: () => import("./screens/place.js"),
  v: () => import("./screens/place.js"),
  "checked-in": () => import("./screens/checkedin.js"),
  gate: () => import("./screens/gate.js"),
  warning: () => import("./screens/warning.js"),
  report: () => import("./screens/reportcode.js"),
  r: () => import("./screens/reportcode.js"),
  "report-choose": () => import("./screens/reportchoose.js"),
  "report-read": () => import("./screens/reportread.js"),
  "report-done": () => import("./screens/reportdone.js"),
  sent: () => import("./screens/sent.js"),
  help: () => import("./screens/help.js"),
  events: () => import("./screens/events.js"),
  event: () => import("./screens/event.js"),
  care: () => import("./screens/care.js"),
  journal: () => import("./screens/journal.js"),
  symptoms: () => import("./screens/symptoms.js"),
  declare: () => import("./screens/declare.js"),
  share: () => import("./screens/share.js"),
  more: () => import("./screens/more.js"),
  faq: () => import("./screens/faq.js"),
  guides: () => import("./screens/guides.js"),
  guide: () => import("./screens/guide.js"),
  language: () => import("./screens/language.js"),
  notifications: () => import("./screens/notifications.js"),
  neighbours: () => import("./screens/neighbours.js"),
  anew: () => import("./screens/anew.js"),
  erase: () => import("./screens/erase.js"),
  "erase-sure": () => import("./screens/erasesure.js"),
};
// What may be read before the owner agreed to anything.
const BEFORE_CONSENT = ["about", "faq", "guides", "guide", "language", "share", "erase", "erase-sure"];
const UNKNOWN = () => import("./screens/unknown.js");

/** The names of all screens, for tests. */
export const SCREEN_NAMES = Object.keys(SCREENS);

/** {load, parameter} of a path such as "/warning/near-2026-11-25". */
export function routeOf(path, app) {
  const [name, ...rest] = path.replace(/^\//, "").split("/");
  const parameter = rest.map(decoded).join("/");
  if (app.inApp !== null && app.inApp !== undefined && !app.held.staysInApp) return { load: () => import("./screens/inapp.js"), parameter };
  if (!app.state.started && !BEFORE_CONSENT.includes(name)) {
    // Whoever came by a poster or a link gets there after agreeing.
    if (name && name !== "welcome") app.held.wanted = path;
    return { load: SCREENS.welcome, parameter: "" };
  }
  return { load: Object.hasOwnProperty.call(SCREENS, name) ? SCREENS[name] : UNKNOWN, parameter };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
