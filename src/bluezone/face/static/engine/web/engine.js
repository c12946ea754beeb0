// SPDX-License-Identifier: Apache-2.0
/**
 * The web edition's engine: what a browser can do of Bluezone. It cannot send or hear by Bluetooth, so it never traces.
 *
 * See interface.js for every method. Options of `open`: cityKey (64 hex digits), base (address of the app's folder,
 * for its service worker; null registers none), environment and database (tests).
 */
import { uuid7 } from "../../uuid7.js";
import { Refusal } from "../refusal.js";
import { utf8 } from "./bytes.js";
import { stateOf } from "./checking.js";
import { shownCity } from "./cityconfig.js";
import { localDay } from "./days.js";
import { Errands } from "./errands.js";
import { openParts } from "./parts.js";
import { reportLock } from "./reporting.js";
import { Updates } from "./updates.js";

const LANGUAGES = ["vi", "en"];
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
    this.passes = null;
    if (this.updates === null) this.updates = new Updates(reportLock(this.parts.store), () => this.tell());
    await this.parts.city.pin(this.options.cityKey);
    this.errands = new Errands({ ...this.parts, changed: () => this.changed() });
    const started = (await this.parts.store.get("started")) !== undefined;
    if (this.options.base !== null) await this.updates.register(this.options.base);
    // Not awaited: the screens are there before the network is.
    this.began = started ? this.errands.begin() : Promise.resolve();
  }

  async start({ language = "vi" } = {}) {
    const { store, clock } = this.parts;
    await this.setLanguage(language);
    if ((await store.get("started")) === undefined) await store.write({ started: { at: clock.now() } });
    // Where the browser asks its owner about it, nothing waits for the answer.
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
    await this.updates.askForDailyCheck();
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
    const items = [...warnings, ...(await inbox.list(await this.language()))];
    return {
      started: started !== undefined,
      now: clock.now(),
      state: stateOf(warnings, stale, clockOffBySeconds),
      bluetooth: null,
      installedAt: started === undefined ? null : started.at,
      checkedAt: last.at, nextCheckAt: last.nextAt, checkProblem: last.problem,
      stale, clockOffBySeconds,
      city: await this.city(),
      warnings,
      openVisits: stays.filter((visit) => visit.outAt === null).length,
      unread: items.filter((item) => !item.read).length,
      pendingReport: report.state === "begun" || report.state === "waiting" ? report : null,
      notice: (await inbox.notices())[0] || null,
      updateReady: this.updates.ready,
    };
  }

  async city() {
    const { city, store } = this.parts;
    return shownCity(await city.held(), await this.language(), (await store.get("trust")) || null);
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
    const { name, address, type, stayMinutes, fingerprint, validFrom, validTo, temporary } = await this.parts.visits.read(text);
    return { name, address, type, stayMinutes, fingerprint, validFrom: validFrom || null, validTo: validTo || null, temporary };
  }

  async checkIn(text, { remember = false } = {}) {
    return this.shownAfter(this.parts.visits.checkIn(text, remember));
  }

  async checkOut(id) {
    return this.shownAfter(this.parts.visits.checkOut(id));
  }

  async visits() {
    const { visits } = this.parts;
    return (await visits.all()).map((visit) => visits.shown(visit));
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
    const latestFirst = [...days.keys()].sort().reverse();
    return latestFirst.map((day) => ({ day, visits: days.get(day), identifiersHeard: null }));
  }

  async inbox() {
    return this.parts.inbox.list(await this.language());
  }

  async markRead(id) {
    await this.parts.inbox.markRead(id);
    this.changed();
  }

  async prepareReport(codeOrLink) {
    const { city, clock, reporting } = this.parts;
    if (!(await city.covers(clock.now()))) await this.check();
    return reporting.prepare(codeOrLink);
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

  async reportState() {
    return this.parts.reporting.state();
  }

  async sentLog() {
    return this.parts.sent.read();
  }

  async askForHelp({ channel = "app", contact, place, note = "", unit = "" }) {
    const { client, sent, environment } = this.parts;
    const body = { channel, contact, place, note, unit };
    const text = JSON.stringify(body);
    // The same request sent again after a broken connection is one request.
    if (!this.help || this.help.text !== text) this.help = { text, key: uuid7() };
    const { postWithPuzzle } = await import("./plays.js");
    const call = () => postWithPuzzle(client, "/v1/help", body, { "Idempotency-Key": this.help.key }, environment.solve);
    const { ticket } = await sent.logged("help_asked", utf8(text).length, call);
    this.help = null;
    return { ticket };
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
    return (await this.parts.store.get("language")) || "vi";
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

  async notifications() {
    return this.parts.push.read();
  }

  async allowNotifications() {
    return this.plannedAfter(this.parts.push.allow());
  }

  async turnOffNotifications() {
    return this.plannedAfter(this.parts.push.turnOff());
  }

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
