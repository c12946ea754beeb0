// SPDX-License-Identifier: Apache-2.0
/** What every screen has around it: the way past, the mark, the language, the four parts. */
import { h } from "./dom.js";
import { icon, mark } from "./icons.js";

const TABS = [["home", "#/"], ["diary", "#/diary"], ["inbox", "#/inbox"], ["more", "#/more"]];

/** What is said where the phone could not read, by what it answers. */
const UNREAD = { engine_missing: "voice.engine", voice_missing: "voice.missing", failed: "voice.failed" };

/** The nodes of a whole page. shown: as a screen gives it. */
export function frame(app, shown) {
  const main = h("main", { id: "main", class: shown.home ? "home" : null }, shown.body);
  return [
    h("a", { class: "skip", href: "#main", onclick: (event) => past(event, main) }, app.t("skip")),
    header(app, main),
    app.state && app.state.started ? navigation(app, shown.tab) : null,
    main,
    h("div", { id: "status", role: "status", "aria-live": "polite" }),
  ].filter(Boolean);
}

/** To the content without changing the address, which names the screen. */
function past(event, main) {
  event.preventDefault();
  const heading = main.querySelector("h1");
  if (heading) heading.focus();
}

/** The name under which the city records a screen: the part of the address that names it; of home, with its state. */
function recordingName(app) {
  const [name] = (app.shownPath || "/").replace(/^\//, "").split("/");
  return name || `home-${app.journey().name.toLowerCase()}`;
}

/** The button that reads the screen aloud, and stops it; it stays pressed when the screen is made anew meanwhile. */
function reader(app, main) {
  const text = h("span", { class: "sr" });
  const button = h("button", { type: "button", id: "voice", class: "button quiet small", onclick: () => readOrStop(app, main) }, icon("voice"), text);
  return showReading(app, button);
}

function showReading(app, button = app.document.getElementById("voice")) {
  button.querySelector(".sr").textContent = app.t(app.reading ? "voice.stop" : "voice.read");
  button.setAttribute("aria-pressed", String(Boolean(app.reading)));
  return button;
}

async function readOrStop(app, main) {
  const { canSpeak, hush, play, readAloud, readByPhone, recordingsByPhone } = await import("./voice.js");
  if (app.reading) {
    hush();
    app.reading = null;
    showReading(app);
    return;
  }
  const mine = {};
  const still = () => {
    if (app.reading !== mine) return;
    app.reading = null;
    showReading(app);
  };
  Object.assign(app, { hush, reading: mine });
  showReading(app);
  const { language } = app.words;
  if (!app.isWeb) recordingsByPhone();
  if (await play(app.held.voice || language, recordingName(app), still).catch(() => false)) {
    if (app.reading === null) hush();
    return;
  }
  if (app.reading !== mine) return;
  const byPhone = !app.isWeb && !canSpeak();
  const problem = byPhone ? UNREAD[await readByPhone(app.engine, main, language)] : !(await readAloud(main, language, still)) && "voice.missing";
  if (app.reading !== mine) return;
  if (byPhone || problem) still();
  if (problem) app.say(app.t(problem));
}

function header(app, main) {
  const other = app.words.language === "vi" ? "en" : "vi";
  const change = async () => {
    await app.choose(other);
    app.document.getElementById("language").focus();
  };
  return h(
    "header", {},
    h("a", { class: "brand", href: "#/" }, mark(), "Bluezone"),
    h("div", { class: "tools" }, reader(app, main),
    app.engine && h("button", { type: "button", id: "language", class: "button quiet small", lang: other, onclick: change }, app.t("language.other"))),
  );
}

function navigation(app, tab) {
  const { unread } = app.state;
  const links = TABS.map(([name, href]) => {
    const count = name === "inbox" && unread > 0
      ? [h("span", { class: "count", "aria-hidden": "true" }, unread > 99 ? "99+" : unread), h("span", { class: "sr" }, `, ${app.t("nav.unread", { count: unread })}`)]
      : null;
    return h("li", {}, h("a", { href, "aria-current": tab === name ? "page" : null }, icon(name), h("span", {}, app.t(`nav.${name}`), count && count[1]), count && count[0]));
  });
  return h("nav", { id: "nav", "aria-label": app.t("nav.label") }, h("ul", {}, links));
}
