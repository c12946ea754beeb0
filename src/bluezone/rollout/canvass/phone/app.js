// SPDX-License-Identifier: Apache-2.0
/** The app of one canvass phone: opens what it holds, speaks the canvasser's language, shows what the address names. */
import { h } from "./face/dom.js";
import { mark } from "./face/icons.js";
import { Words } from "./face/words.js";
import { Box } from "./box.js";
import { doorsNow } from "./doors.js";
import { plantPractice } from "./practice.js";
import { shippedScript } from "./script.js";
import { syncLine } from "./state.js";
import { Sync } from "./sync.js";

const SCREENS = {
  "": () => import("./screens/list.js"),
  door: () => import("./screens/door.js"),
  map: () => import("./screens/map.js"),
  facts: () => import("./screens/facts.js"),
  new: () => import("./screens/facts.js"),
  backlog: () => import("./screens/backlog.js"),
  connect: () => import("./screens/connect.js"),
};
const STATUS_MS = 6000;
const PRACTICE = "canvass-practice";

export class App {
  constructor(document) {
    this.document = document;
    this.root = document.getElementById("app");
    this.shownPath = null;
    this.turn = 0;
    // What the list screen was looking at, so that coming back from a door loses nothing.
    this.looking = { filter: "open", search: "", turf: null, top: 0 };
  }

  async begin() {
    await this.speak("vi");
    try {
      this.shipped = await shippedScript();
      await this.openBox(await practises() ? PRACTICE : "canvass");
    } catch (error) {
      this.root.replaceChildren(h("main", { id: "main" }, h("h1", {}, this.t("boot.failed")), h("p", {}, this.refusal(error.code))));
      return;
    }
    addEventListener("hashchange", () => this.route());
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
    await this.route();
  }

  async openBox(name) {
    if (this.box) this.box.close();
    this.box = await Box.open(name);
    this.sync = new Sync(this.box, (state) => this.synced(state));
    await this.renew();
    await this.speak((this.me && this.me.language) || "vi");
    if (name !== PRACTICE) this.sync.start();
  }

  /** Read again what the phone holds. */
  async renew() {
    const { box } = this;
    const [me, told, entries, photos, asides, emptied, own, maps] = await Promise.all(
      [box.me(), box.told(), box.entries(), box.photos(), box.asides(), box.emptied(), box.script(), box.maps()]);
    const script = own ? own.script : this.shipped;
    Object.assign(this, { me, told, entries, photos, asides, emptied, script, maps, lists: doorsNow(told.lists, entries) });
  }

  /** A door by its key, with the list it is on. */
  find(key) {
    for (const list of this.lists) {
      const door = list.doors.find((one) => one.door === key);
      if (door) return { list, door };
    }
    return null;
  }

  /** The city's time, Unix seconds. */
  cityNow() {
    return this.box.cityNow(this.me);
  }

  async speak(language) {
    const { default: catalogue } = language === "en" ? await import("./words/en.js") : await import("./words/vi.js");
    this.words = new Words(language === "en" ? "en" : "vi", catalogue);
    this.document.documentElement.lang = this.words.language;
  }

  t(key, values) {
    return this.words.t(key, values);
  }

  n(key, count, values) {
    return this.words.n(key, count, values);
  }

  /** A refusal's sentence; one without words of its own is named. */
  refusal(code) {
    const key = `refusal.${code}`;
    return this.words.has(key) ? this.t(key) : this.t("refusal.other", { code: code || "?" });
  }

  go(path) {
    if (location.hash === `#${path}`) return this.route();
    location.hash = path;
    return Promise.resolve();
  }

  async route() {
    const turn = ++this.turn;
    const path = location.hash.replace(/^#/, "") || "/";
    // The screen that is being left shows nothing anew any more: it would show the next one twice.
    if (path !== this.shownPath) this.live = null;
    await this.renew();
    const [name, parameter = ""] = path.replace(/^\//, "").split("/");
    const held = this.me && (this.me.token || this.me.practice);
    const wanted = held || name === "backlog" ? name : "connect";
    const screen = await (SCREENS[wanted] || SCREENS[""])();
    const shown = screen.show(this, decodeURIComponent(parameter), name);
    if (turn !== this.turn) return;
    if (this.leave) this.leave();
    this.leave = shown.leave || null;
    this.live = shown.live || null;
    this.paint(shown, path !== this.shownPath);
    this.shownPath = path;
  }

  paint(shown, moved) {
    this.document.title = `${shown.title} · Bluezone`;
    const language = this.words.language === "vi" ? "en" : "vi";
    const other = h("button", { type: "button", class: "button quiet small", lang: language, onclick: () => this.switchTo(language) },
      language === "en" ? "English" : "Tiếng Việt");
    const practice = this.me && this.me.practice ? h("p", { class: "practice", role: "note" }, this.t("practice.banner")) : null;
    this.root.replaceChildren(
      h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); this.root.querySelector("h1").focus(); } }, this.t("skip")),
      practice || "",
      h("header", {}, shown.back ? h("a", { class: "brand back", href: shown.back }, this.t("back")) : h("a", { class: "brand", href: "#/" }, mark(), this.t("brand")), other),
      h("main", { id: "main" }, h("div", { id: "sync" }, syncLine(this)), h("div", { id: "saying", role: "status" }, this.saying()), shown.body),
      shown.bar ? h("div", { class: "bottom" }, shown.bar) : "",
    );
    const heading = this.root.querySelector("h1");
    if (heading) heading.tabIndex = -1;
    if (moved) {
      scrollTo(0, shown.top || 0);
      if (heading) heading.focus({ preventScroll: true });
    }
  }

  async switchTo(language) {
    await this.box.note({ language });
    await this.speak(language);
    await this.route();
  }

  /** The state of the backlog has changed: say it, and show the list anew where nobody is typing. */
  async synced(state) {
    if (state.emptied) {
      location.hash = "/connect";
      await this.openBox("canvass");
      await this.box.noteEmptied();
      await this.renew();
      return this.route();
    }
    await this.renew();
    const place = this.document.getElementById("sync");
    if (place) place.replaceChildren(syncLine(this));
    if (!(this.me && (this.me.token || this.me.practice)) && !["/connect", "/backlog"].includes(this.shownPath)) return this.route();
    if (this.live) this.live();
    return undefined;
  }

  /** Send soon: the canvasser has just saved something. */
  soon() {
    setTimeout(() => this.sync.now(), 300);
  }

  /** Tell in a line what happened, for a moment, on the screen that the address names now: not above the next door. */
  say(text) {
    this.said = { text, until: Date.now() + STATUS_MS, at: location.hash };
    const show = () => {
      const place = this.document.getElementById("saying");
      if (place) place.replaceChildren(this.saying());
    };
    show();
    setTimeout(show, STATUS_MS + 50);
  }

  saying() {
    return this.said && this.said.until > Date.now() && this.said.at === location.hash ? h("p", { class: "card said" }, this.said.text) : "";
  }

  /** Begin or end practice: made-up doors in a store of their own, of which nothing is sent. */
  async practise(on) {
    if (on) {
      await this.openBox(PRACTICE);
      await plantPractice(this.box, this.words.language);
      await this.renew();
    } else {
      await this.box.erase();
      this.box = null;
      await this.openBox("canvass");
    }
    location.hash = "/";
    await this.route();
  }
}

/** Whether practice goes on in this browser; week-old practice is erased. */
async function practises() {
  const box = await Box.open(PRACTICE);
  const me = await box.me();
  if (me && me.practice > Date.now() / 1000 - 7 * 86400) {
    box.close();
    return true;
  }
  await box.erase();
  return false;
}
