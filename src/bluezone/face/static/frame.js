// SPDX-License-Identifier: Apache-2.0
/** What every screen has around it: the way past, the mark, the language, the four parts. */
import { h } from "./dom.js";
import { icon, mark } from "./icons.js";

const TABS = [["home", "#/"], ["diary", "#/diary"], ["inbox", "#/inbox"], ["more", "#/more"]];

/** The nodes of a whole page. shown: as a screen gives it. */
export function frame(app, shown) {
  const main = h("main", { id: "main", class: shown.home ? "home" : null }, shown.body);
  return [
    h("a", { class: "skip", href: "#main", onclick: (event) => past(event, main) }, app.t("skip")),
    header(app),
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

function header(app) {
  const other = app.words.language === "vi" ? "en" : "vi";
  const change = async () => {
    if (app.engine) await app.engine.setLanguage(other);
    await app.speak(other);
    await app.route();
    app.document.getElementById("language").focus();
  };
  return h(
    "header", {},
    h("a", { class: "brand", href: "#/" }, mark(), "Bluezone"),
    app.engine && h("button", { type: "button", id: "language", class: "button quiet small", lang: other, onclick: change }, app.t("language.other")),
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
