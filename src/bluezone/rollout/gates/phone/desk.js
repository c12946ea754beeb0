// SPDX-License-Identifier: Apache-2.0
/**
 * What the gate page asks, answered on this device: the twin of the gate program (bluezone/edge/gate/desk.py) in a
 * browser. Without a box (box.js) it proves nothing over Bluetooth, and says so.
 */
import { call, enrol } from "./face/devicecalls.js";
import { Refusal } from "./face/engine/refusal.js";
import { CityConfig } from "./face/engine/web/cityconfig.js";
import { Client } from "./face/engine/web/client.js";
import { TrustedClock } from "./face/engine/web/clock.js";
import { browserEnvironment } from "./face/engine/web/environment.js";
import { Book, UNDO_SECONDS, directionOf } from "./book.js";
import { Box, PREFIX as BOX_PREFIX } from "./box.js";
import { GateCheck } from "./check.js";
import { Exchange } from "./exchange.js";
import { PREFIX, shareText, takeShare } from "./sharing.js";
import { Shifts } from "./shifts.js";

export { Refusal };

const BY_HAND = ["screen_seen", "asked_before", "installed_off", "helped", "told", "no_smartphone", "out"];
const VERDICT_OF = { proven: "running", fresh: "valid_code" };
const NO_NUMBER = "00000000";
const LOOK_AT_BOX_MS = 2000;

export class Desk {
  constructor(book) {
    const environment = browserEnvironment();
    const clock = new TrustedClock(environment, { floor: 0, offset: book.offset });
    this.book = book;
    this.city = new CityConfig(book.store, new Client(environment), clock, () => import("./face/engine/web/publiclog.js"));
    const weekKeys = async () => ((await this.city.held()) || { weekKeys: [] }).weekKeys;
    this.box = new Box(book, () => this.gate());
    const hear = (session) => this.box.judge(session);
    this.check = new GateCheck(weekKeys, () => performance.now() / 1000, () => book.now(), hear);
    this.shifts = new Shifts(book);
    this.exchange = new Exchange(book, this.city);
    this.last = null;
    this.working = false;
  }

  /** Exchange the office's code and begin. Rejects with {code}. */
  async connect(code) {
    const { token, device, name, agency } = await enrol(code, "gate");
    await this.book.connect({ token, device, name, agency });
    // The key whose config is believed is the web edition's of this origin; once known, no other is (CityConfig.pin).
    const edition = await fetch("/app/", { credentials: "omit" }).then((answer) => answer.text()).catch(() => "");
    const [, key] = /data-city-key="([0-9a-f]{64})"/.exec(edition) || [];
    if (key) await this.city.pin(key);
    await this.exchange.now();
  }

  /** Send, settle, and keep the screen on, from now on. */
  work() {
    if (this.working) return;
    this.working = true;
    this.startExchange();
    setInterval(() => this.book.settle().catch(() => {}), 1000 * UNDO_SECONDS / 2);
    const lookAtBox = () => this.box.look().catch(() => {}).then(() => setTimeout(lookAtBox, LOOK_AT_BOX_MS));
    lookAtBox();
    const stayOn = () => { if (!document.hidden && navigator.wakeLock) navigator.wakeLock.request("screen").catch(() => {}); };
    document.addEventListener("visibilitychange", stayOn);
    stayOn();
  }

  startExchange() {
    this.exchange.start();
  }

  async gate() {
    return (await this.book.store.get("gate")) || {};
  }

  async state() {
    this.work();
    const { book } = this;
    const gate = await this.gate();
    const duty = await this.shifts.onDuty();
    const { day, tablets } = await book.others();
    const unsent = (await book.unsent()).reduce((sum, [, , , count]) => sum + count, 0);
    return {
      gate, public_origin: location.origin, zone: book.zone, now: book.now(), training: false,
      clock_wrong: book.clockIsWrong, radio_off: this.box.radioOff, box: await this.box.joined(), screen: this.check.screen(gate.number || NO_NUMBER),
      duty: duty && await this.shifts.told(duty), inside: await book.inside(), today: await book.totals(day, { until: day }),
      unsent, undated: await book.undated(), synced_at: this.exchange.at, sync_problem: this.exchange.problem, undo: this.undoable(),
      tablets: Object.keys(tablets).length, can_practise: true,
    };
  }

  undoable() {
    if (this.last === null) return null;
    const left = UNDO_SECONDS - (performance.now() / 1000 - this.last.moment);
    return left > 0 ? { number: this.last.id, seconds_left: left, direction: directionOf(this.last.verdict), verdict: this.last.verdict } : null;
  }

  /** Check a scanned text; a code that is enough by itself is counted. */
  async judge({ text }) {
    if (text.startsWith(PREFIX)) {
      await takeShare(this.book, await this.gate(), text);
      return { finding: "shared", verdict: null };
    }
    if (text.startsWith(BOX_PREFIX)) {
      await this.box.join(text);
      return { finding: "box_joined", verdict: null };
    }
    const finding = await this.check.judge(text);
    return VERDICT_OF[finding] ? { finding, ...(await this.count(VERDICT_OF[finding])) } : { finding, verdict: null };
  }

  /** Count a passage that the attendant vouches for; what only a code can show is never entered by hand. */
  async enter({ verdict }) {
    if (!BY_HAND.includes(verdict)) throw new Refusal("passage_invalid");
    return this.count(verdict);
  }

  async count(verdict) {
    const id = await this.book.enter(verdict);
    this.last = { id, verdict, moment: performance.now() / 1000 };
    return { verdict, number: id };
  }

  async undo({ number }) {
    this.last = null;
    return { undone: await this.book.undo(number) };
  }

  signIn({ badge, pin }) {
    return this.shifts.signIn(badge, pin);
  }

  signOut() {
    return this.shifts.signOut();
  }

  async send() {
    await this.exchange.now();
    return {};
  }

  async leaveBox() {
    await this.box.leave();
    await this.box.look();
    return {};
  }

  async practice({ on }) {
    setPractice(on);
    return {};
  }

  async share() {
    const gate = await this.gate();
    if (!gate.sharing_key) throw new Refusal("share_too_early");
    return { text: await shareText(this.book, gate) };
  }

  /** Ask for help for somebody at the gate; the contact is not kept here. */
  async help({ contact }) {
    const { name: place = "" } = await this.gate();
    const asked = { channel: "gate", contact, place, note: "", unit: null };
    return call("/v1/help", (await this.book.me()).token, JSON.stringify(asked));
  }
}

let desk = null;

export const practises = () => localStorage.getItem("practice") === "1";

/** Practise from now on, or no more; the page is opened anew. */
export function setPractice(on) {
  if (on) localStorage.setItem("practice", "1");
  else localStorage.removeItem("practice");
  location.assign("./");
}

/** Open what this device holds, once. Rejects with storage_unavailable. */
export async function openDesk() {
  if (desk === null) desk = practises() ? await (await import("./practice.js")).openPractice() : new Desk(await Book.open());
  return desk;
}

/** What the page asks, by name, as the gate program's page asks it. Rejects with Refusal. */
export async function ask(name, given = null) {
  try {
    return await (await openDesk())[name](given || {});
  } catch (error) {
    if (error.code === "storage_full" || error.code === "storage_unavailable") throw new Refusal("gate_book_unusable");
    throw error.code ? error : Object.assign(error, { code: "program", details: {} });
  }
}
