// SPDX-License-Identifier: Apache-2.0
/**
 * The face of one phone: opens the engine, speaks the owner's language, and shows the screen that the address names.
 *
 * A screen is a module with `show(app, parameter) -> {title, tab, body, live, home}`; the first h1 of its body gets the
 * focus when the screen changes, so that a screen reader begins there.
 */
import { Dates } from "./dates.js";
import { h } from "./dom.js";
import { openEngine } from "./engine/interface.js";
import { frame } from "./frame.js";
import { journeyOf } from "./journey.js";
import { inAppBrowser } from "./inapp.js";
import { bootRefused } from "./screens/boot.js";
import { routeOf } from "./routes.js";
import { LANGUAGES, offeredLanguage, Words } from "./words.js";

const DEFAULT_ZONE = "Asia/Ho_Chi_Minh";
const STATUS_MS = 8000;
// One and a half times what browsers begin with.
const LARGE_LETTERS_PX = 24;

export class App {
  constructor(document) {
    this.document = document;
    this.root = document.getElementById("app");
    this.engine = null;
    this.state = null;
    // What a report or a check-in holds between its screens; gone with the page, never stored.
    this.held = {};
    this.shownPath = null;
    // Consent and home have one address: the screen says which of them is shown.
    this.shownScreen = null;
    this.leave = () => {};
    this.turn = 0;
    // The screen that follows what changes, while no other is being made; missed: something changed meanwhile.
    this.live = null;
    this.renewing = false;
    this.missed = false;
  }

  async begin() {
    const { engine: kind, cityKey } = this.document.body.dataset;
    await this.speak(kind === "web" ? chosenOnPages(this.document) || offeredLanguage() : "vi");
    try {
      this.engine = await openEngine(kind, { cityKey: cityKey || null });
      const chosen = kind === "web" ? chosenOnPages(this.document) : null;
      const own = await this.engine.language();
      // Whoever chose a language on the city's pages goes on in it; who chose none, in the browser's.
      if (chosen !== null && chosen !== own) await this.engine.setLanguage(chosen);
      await this.renew();
      await this.speak(chosen || own);
    } catch (error) {
      this.paint(bootRefused(this, error));
      return;
    }
    this.inApp = kind === "web" ? inAppBrowser() : null;
    this.engine.subscribe(() => this.changed());
    addEventListener("hashchange", () => this.route());
    await this.route();
  }

  /** Look at the engine's state again. */
  async renew() {
    this.state = await this.engine.state();
    noteBegun(this.state.started);
    this.datesAnew();
    return this.state;
  }

  /** Use a language from now on. */
  async speak(language) {
    this.words = await Words.load(language);
    this.document.documentElement.lang = this.words.language;
    this.datesAnew();
  }

  datesAnew() {
    const zone = (this.state && this.state.city && this.state.city.zone) || DEFAULT_ZONE;
    this.dates = new Dates(this.words, zone, () => (this.state && this.state.now) || Date.now() / 1000);
  }

  /** Use a language from now on, here and on the city's pages. */
  async choose(language) {
    if (this.engine) await this.engine.setLanguage(language);
    if (this.engine && this.engine.kind === "web") noteOnPages(this.document, language);
    await this.speak(language);
    await this.route();
  }

  t(key, values) {
    return this.words.t(key, values);
  }

  n(key, count, values) {
    return this.words.n(key, count, values);
  }

  /** The health authority's number, or the emergency number before there is one. */
  hotline() {
    return ((this.state && this.state.city && this.state.city.hotline) || "115").replaceAll(" ", "\u00a0");
  }

  /** Where the owner stands today; see journey.js. */
  journey() {
    const { dates } = this;
    return journeyOf(this.state, dates.day(dates.now()), (seconds) => dates.day(seconds));
  }

  /** Whether nothing can be heard over Bluetooth here. */
  get isWeb() {
    return !this.engine || !this.engine.canTrace;
  }

  /** Go to a screen; replace: the present one is not to be come back to. */
  go(path, { replace = false } = {}) {
    if (location.hash === `#${path}`) return this.route();
    if (replace) {
      history.replaceState(null, "", `#${path}`);
      return this.route();
    }
    location.hash = path;
    return Promise.resolve();
  }

  /** Show what the address names. */
  async route() {
    const turn = ++this.turn;
    this.live = null;
    const path = location.hash.replace(/^#/, "") || "/";
    try {
      await this.renew();
      const { load, parameter } = routeOf(path, this);
      const screen = await load();
      const shown = await screen.show(this, parameter);
      if (turn !== this.turn) return;
      this.leave();
      if (this.hush) this.hush();
      this.reading = null;
      this.leave = shown.leave || (() => {});
      const moved = path !== this.shownPath || screen !== this.shownScreen;
      this.shownPath = path;
      this.shownScreen = screen;
      this.live = shown.live ? { screen, parameter } : null;
      this.paint(shown, moved);
      if (this.missed) this.changed();
    } catch (error) {
      if (turn === this.turn) this.paint(bootRefused(this, error));
    }
  }

  /** Something changed in the engine: show it, unless the owner is in the middle of typing. */
  async changed() {
    this.missed = !this.live || this.renewing;
    if (this.missed) return;
    this.renewing = true;
    const turn = this.turn;
    const { screen, parameter } = this.live;
    try {
      await this.renew();
      const shown = await screen.show(this, parameter);
      if (turn === this.turn) this.paint(shown, false);
    } catch (error) {
      if (turn === this.turn) this.paint(bootRefused(this, error));
    } finally {
      this.renewing = false;
    }
    if (this.missed) this.changed();
  }

  /** Put a screen on the page. moved: the focus goes to its heading; otherwise it stays where it was. */
  paint(shown, moved = true) {
    const focused = this.root.contains(this.document.activeElement) ? nameOf(this.document.activeElement) : null;
    this.document.title = `${shown.title} · Bluezone`;
    const unfolded = new Map(moved ? [] : [...this.root.querySelectorAll("summary")].map((summary) => [nameOf(summary), summary.parentElement.open]));
    const status = this.document.getElementById("status");
    const page = this.document.documentElement;
    page.classList.toggle("large", parseFloat(getComputedStyle(page).fontSize) >= LARGE_LETTERS_PX);
    this.root.replaceChildren(...frame(this, shown));
    for (const summary of this.root.querySelectorAll("summary")) {
      if (unfolded.has(nameOf(summary))) summary.parentElement.open = unfolded.get(nameOf(summary));
    }
    if (!moved && status) this.document.getElementById("status").textContent = status.textContent;
    const heading = this.root.querySelector("h1");
    if (heading) heading.tabIndex = -1;
    if (moved) {
      scrollTo(0, 0);
      if (heading) heading.focus({ preventScroll: true });
    } else if (focused !== null) {
      const again = [...this.root.querySelectorAll("a, button, h1, summary, input")].find((element) => nameOf(element) === focused);
      if (again) again.focus({ preventScroll: true });
    }
  }

  /** Tell in a line what happened; a screen reader reads it out. */
  say(text) {
    const place = this.document.getElementById("status");
    if (!place) return;
    place.replaceChildren(h("span", {}, text));
    setTimeout(() => { if (place.textContent === text) place.replaceChildren(); }, STATUS_MS);
  }
}

// The cookie of the city's pages, on the same origin: the language that its reader chose there or here, nothing else.
const COOKIE = "bluezone-language";
const YEAR_SECONDS = 365 * 86_400;

/** The language chosen on the city's pages, or null. */
function chosenOnPages(document) {
  const found = new RegExp(`(?:^|; )${COOKIE}=([a-z]+)`).exec(document.cookie);
  return found && LANGUAGES.includes(found[1]) ? found[1] : null;
}

function noteOnPages(document, language) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${language}; path=/; max-age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
}

/** By what an element is found again after the screen was made anew; its heading may say something else by then. */
function nameOf(element) {
  if (element.tagName === "H1") return "H1";
  return `${element.tagName} ${element.getAttribute("href") || ""} ${element.id} ${element.textContent}`;
}

/** Whether the page's own copy of the consent is worth showing while it opens (oldbrowser.js reads this). */
function noteBegun(begun) {
  try {
    if (begun) localStorage.setItem("bluezone-begun", "1");
    else localStorage.removeItem("bluezone-begun");
  } catch {
    // Blocked: the consent is then shown for a moment.
  }
}
