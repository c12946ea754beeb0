// SPDX-License-Identifier: Apache-2.0
/**
 * The web edition's engine: what a browser can do of Bluezone. It cannot send or hear by Bluetooth, so it never traces.
 *
 * See interface.js for every method. Options of `open`: cityKey (64 hex digits), base (address of the app's folder,
 * for its service worker; null registers none), environment and database (tests).
 */
import { LANGUAGES, offeredLanguage } from "../../words.js";
import { Refusal } from "../refusal.js";
import { actsOf, stateOf, stopsOf } from "./checking.js";
import { localDay } from "./days.js";
import { Errands } from "./errands.js";
import { openParts } from "./parts.js";
import { reportLock } from "./reporting.js";
import { Updates } from "./updates.js";

const CHANNEL = "bluezone-web";

/** Open the engine of this browser; see interface.js. Rejects with browser_unsupported, storage_unavailable, trust_*. */
export async function open(options = {}) {
  if (!globalThis.isSecureContext || !globalThis.crypto || !crypto.subtle || !globalThis.indexedDB) {
    throw new Refusal("browser_unsupported", {}, "the page needs HTTPS, WebCrypto and IndexedDB");
  }
  const engine = new WebEngine(options);
  await engine.begin();
  return engine;
}

/** Whether a check ended well after a stay was over: only then was all of a stay compared. checkedAt: Unix seconds or null. */
const isCompared = (stays, checkedAt) => stays.some(({ outAt }) => outAt !== null && outAt <= checkedAt);

class WebEngine {
  kind = "web";
  canTrace = false;

  constructor({ cityKey = null, base = new URL("../../", import.meta.url).href, environment, database } = {}) {
    this.options = { cityKey, base, environment, database };
    this.listeners = new Set();
    this.channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;
    if (this.channel) this.channel.onmessage = ({ data }) => this.heard(data);
    this.updates = null;
  }

  async begin() {
    this.parts = await openParts(this.options);
    this.passes = this.help = null;
    if (this.updates === null) this.updates = new Updates(reportLock(this.parts.store), () => this.tell());
    await this.parts.city.pin(this.options.cityKey);
    this.errands = new Errands({ ...this.parts, changed: () => this.changed() });
    const started = (await this.parts.store.get("started")) !== undefined;
    // Neither is awaited: the screens are there before the network is.
    this.registered = this.options.base === null ? Promise.resolve() : this.updates.register(this.options.base).then(() => this.tell());
    this.began = started ? this.errands.begin() : Promise.resolve();
  }

  async start({ language = "vi" } = {}) {
    const { store, clock } = this.parts;
    await this.setLanguage(language);
    if ((await store.get("started")) === undefined) await store.write({ started: { at: clock.now() } });
    // Where the browser asks its owner about it, nothing waits for the answer.
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
    this.registered.then(() => this.updates.askForDailyCheck()).catch(() => {});
    this.changed();
    this.began = this.errands.begin();
    return this.state();
  }

  async state() {
    const { store, clock, checking, files, reporting, visits, inbox } = this.parts;
    const started = await store.get("started");
    const stays = await visits.all();
    const warnings = await checking.warnings(stays);
    const last = await checking.last();
    const stale = await files.isStale(clock.now());
    const clockOffBySeconds = clock.errorSeconds();
    const report = await reporting.state();
    const stops = stopsOf(stale, clockOffBySeconds);
    const reportedAt = (await store.get("reported_at")) || null;
    const items = [...warnings, ...(await inbox.list(await this.language()))];
    return {
      started: started !== undefined,
      now: clock.now(),
      state: stateOf(warnings, stops), stops,
      bluetooth: null,
      installedAt: started === undefined ? null : started.at,
      checkedAt: last.at, nextCheckAt: last.nextAt, checkProblem: last.problem,
      stale, clockOffBySeconds,
      city: await this.city(),
      warnings,
      lastWarning: (await store.get("last_warning")) || null, checkedDays: (await store.get("checked_days")) || [],
      hasEvidence: stays.length > 0, compared: isCompared(stays, last.at),
      reportedAt, agreedAt: (await store.get("agreed_at")) || reportedAt,
      acts: actsOf(await store.get("journal")),
      openVisits: stays.filter((visit) => visit.outAt === null).length,
      unread: items.filter((item) => !item.read).length,
      pendingReport: report.state === "begun" || report.state === "waiting" ? report : null,
      notice: (await inbox.notices())[0] || null,
      updateReady: this.updates.ready,
    };
  }

  async city() {
    return this.parts.city.shown(await this.language());
  }

  async check() {
    try {
      await this.parts.checking.check();
    } finally {
      this.changed();
    }
    return this.state();
  }

  async readVenue(text) {
    // Whoever came by a poster reads it before the first look has brought the key that signed it.
    const { city, checking } = this.parts;
    if ((await city.held()) === null) await this.errands.attempt(() => checking.check());
    const { name, address, type, fingerprint, validFrom, validTo, temporary, event = false, ...venue } = await this.parts.visits.read(text);
    const stayMinutes = event ? Math.floor((validTo - this.parts.clock.now()) / 60) : venue.stayMinutes;
    return { name, address, type, stayMinutes, fingerprint, validFrom: validFrom || null, validTo: validTo || null, temporary, event };
  }

  checkIn = async (text, { remember = false } = {}) => this.shownAfter(this.parts.visits.checkIn(text, remember));

  checkOut = async (id) => this.shownAfter(this.parts.visits.checkOut(id));

  async visits() {
    return (await this.parts.visits.all()).map((visit) => this.parts.visits.shown(visit));
  }

  async forgetVisit(id) {
    await this.parts.visits.forget(id);
    this.changed();
  }

  async diary() {
    const { zone } = await this.city();
    const days = new Map();
    for (const visit of await this.visits()) {
      const day = localDay(visit.inAt, zone);
      days.set(day, [...(days.get(day) || []), visit]);
    }
    return [...days.keys()].sort().reverse().map((day) => ({ day, visits: days.get(day), identifiersHeard: null }));
  }

  inbox = async () => this.parts.inbox.list(await this.language());

  async markRead(id) {
    await this.parts.inbox.markRead(id);
    this.changed();
  }

  async prepareReport(codeOrLink) {
    if (!(await this.parts.city.covers(this.parts.clock.now()))) await this.check();
    return this.parts.reporting.prepare(codeOrLink);
  }

  async previewReport({ visits = [] } = {}) {
    return this.parts.reporting.preview(visits);
  }

  async sendReport({ visits = [], consent = false } = {}) {
    try {
      return await this.parts.reporting.send(visits, consent);
    } finally {
      this.changed();
      await this.errands.attempt(() => this.errands.report());
    }
  }

  reportState = async () => this.parts.reporting.state();

  sentLog = async () => this.parts.sent.read();

  journal = async () => (await this.book()).all();

  writeJournal = async (entry) => this.shownAfterChange((await this.book()).write(entry));

  removeJournal = async (id) => this.shownAfterChange((await this.book()).remove(id));

  events = async () => (await this.ownEvents()).all();

  async makeEvent(told) {
    // The code's address has the city's host, which comes with the first look.
    const { city, checking } = this.parts;
    if ((await city.held()) === null) await this.errands.attempt(() => checking.check());
    return this.shownAfterChange((await this.ownEvents()).make(told));
  }

  forgetEvent = async (id) => this.shownAfterChange((await this.ownEvents()).forget(id));

  async ownEvents() {
    return new (await import("./events.js")).Events(this.parts);
  }

  async book() {
    return new (await import("./journal.js")).Journal(this.parts);
  }

  async askForHelp({ channel = "app", contact, place, note = "", unit = "" }) {
    this.help = this.help || new (await import("./helprequest.js")).HelpRequest(this.parts);
    return this.help.send({ channel, contact, place, note, unit });
  }

  async declare(told) {
    return (await import("./declaration.js")).declare(this.parts, told);
  }

  async showPass({ screen = "" } = {}) {
    if (!this.passes) this.passes = new (await import("./passes.js")).Passes(this.parts);
    return this.passes.show(screen);
  }

  async passState() {
    return { answered: null };
  }

  async hidePass() {}

  async beginAnew() {
    await this.parts.city.beginAnew();
    this.changed();
    return this.state();
  }

  async setLanguage(code) {
    if (!LANGUAGES.includes(code)) throw new Refusal("language_unknown", { code });
    await this.parts.store.write({ language: code });
    this.changed();
  }

  async language() {
    return (await this.parts.store.get("language")) || offeredLanguage();
  }

  /** Destroy the key, then everything under it; the engine then stands as before the first run. */
  async erase() {
    this.errands.stop();
    await this.errands.attempt(() => this.parts.push.unsubscribe());
    await this.parts.store.erase();
    if (this.channel) this.channel.postMessage("erased");
    await this.begin();
    this.tell();
  }

  /** callback() after each change, of this tab or another; returns what ends it. */
  subscribe(callback) {
    this.listeners.add(callback);
    return () => this.listeners.delete(callback);
  }

  /** A browser meets nobody by Bluetooth: there is nothing that the lists of other cities could be compared with. */
  chooseNeighbour = () => Promise.reject(new Refusal("not_offered", {}, "this edition follows its own city alone"));

  notifications = async () => this.parts.push.read();

  allowNotifications = async () => this.plannedAfter(this.parts.push.allow());

  turnOffNotifications = async () => this.plannedAfter(this.parts.push.turnOff());

  async applyUpdate() {
    return this.updates.apply();
  }

  /** Let go of timers and store. */
  async close() {
    this.errands.stop();
    this.parts.store.close();
    if (this.channel) this.channel.close();
  }

  async shownAfter(changing) {
    return this.parts.visits.shown(await this.shownAfterChange(changing));
  }

  async plannedAfter(changing) {
    const result = await this.shownAfterChange(changing);
    await this.errands.sleep();
    return result;
  }

  async shownAfterChange(changing) {
    const result = await changing;
    this.changed();
    return result;
  }

  changed() {
    if (this.channel) this.channel.postMessage("changed");
    this.tell();
  }

  tell() {
    for (const callback of this.listeners) callback();
  }

  async heard(said) {
    if (said === "erased") {
      this.errands.stop();
      this.parts.store.close();
      await this.begin();
    }
    this.tell();
  }
}
