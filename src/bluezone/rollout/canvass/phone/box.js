// SPDX-License-Identifier: Apache-2.0
/**
 * What a canvass phone holds: who it is, its lists, and the outbox of what was entered, in one store that is written
 * whole. An entry is on the disk before the screen says so, and survives reload, update and kill.
 *
 * Entries are numbered from 1 without gaps, so that the ward sees when one is missing.
 */
import { Outbox } from "./face/outbox.js";
import { Store } from "./face/engine/web/store.js";
import { uuid7 } from "./face/uuid7.js";
import { later, nextClock } from "./clock.js";

export const FORM = 1;

export class Box extends Outbox {
  /** name: "canvass", or "canvass-practice", which is never sent. */
  static async open(name = "canvass", { now = () => Date.now() / 1000 } = {}) {
    return new Box(await Store.open(`bluezone-outbox-${name}`), name, now);
  }

  /** {token, device, name, agency, run, offset, language, practice}, or null before the phone was connected. */
  async me() {
    return (await this.store.get("me")) || null;
  }

  /** Whether the ward had this phone emptied and nobody has connected it since: said also after the app was closed. */
  async emptied() {
    return (await this.store.get("emptied")) === true;
  }

  noteEmptied() {
    return this.store.write({ emptied: true });
  }

  /** {as_of, lists, ended, at}: what the server told last. */
  async told() {
    return (await this.store.get("told")) || { as_of: "", lists: [], ended: [], at: null };
  }

  /** {as_of, script}: the city's script that the server told last, or null for the one that came with the app. */
  async script() {
    return (await this.store.get("script")) || null;
  }

  /** Maps under the doors by their fingerprints. */
  async maps() {
    return Object.fromEntries((await this.store.all("map/")).map(([name, map]) => [name.slice("map/".length), map]));
  }

  /** Entries in the order of entering, with their numbers; refused ones too. */
  async entries() {
    return (await this.store.all("entry/")).map(([, entry]) => entry);
  }

  /** What is known of the photographs that are still here; `jpeg` opens one. */
  async photos() {
    return (await this.store.all("photo/")).map(([, photo]) => photo);
  }

  jpeg(id) {
    return this.store.get(`jpeg/${id}`);
  }

  async asides() {
    return (await this.store.all("aside/")).map(([, aside]) => aside);
  }

  /** Connect the phone. A run goes on while entries of it wait; otherwise a new one begins. */
  connect(me) {
    return this.store.exclusively(async () => {
      const before = await this.me();
      const waits = (await this.store.all("entry/")).length > 0;
      const run = waits && before ? before.run : newRun();
      const fresh = waits && before ? {} : { number: 0, clock: undefined };
      await this.store.write({ ...fresh, told: undefined, emptied: undefined, me: { offset: 0, language: "vi", lot: "", ...(before || {}), ...me, run } });
    });
  }

  /** Change some of what the phone knows of itself. */
  note(more) {
    return this.store.exclusively(async () => {
      const me = await this.me();
      if (me) await this.store.write({ me: { ...me, ...more } });
    });
  }

  /** The city's time, as far as the server has told it; Unix seconds. */
  cityNow(me) {
    return this.now() + ((me && me.offset) || 0);
  }

  /**
   * Keep an entry, with its photograph, whole or not at all; resolves with its id when it is on the disk.
   *
   * door, turf, made: of the household. visit: or null. facts: {field: {value, base}}; base: the version that was shown.
   * photo: {jpeg: base64, size} or null.
   */
  keep({ door, turf, made = false, visit = null, facts = {}, photo = null }) {
    return this.store.exclusively(async () => {
      const me = await this.me();
      const now = this.cityNow(me);
      const number = ((await this.store.get("number")) || 0) + 1;
      let clock = await this.store.get("clock");
      const changes = {};
      for (const [name, { value, base }] of Object.entries(facts)) {
        clock = nextClock(now, later(clock, base), `${me.device}${me.run}`);
        changes[name] = { value, clock, bases: [base || ""] };
      }
      const id = uuid7(now);
      const body = { id, number, form: FORM, turf, door, at: Math.floor(now) };
      if (made) body.made = true;
      if (visit) body.visit = visit;
      if (Object.keys(changes).length) body.changes = changes;
      const records = { number, [entryName(number)]: { id, kind: "entry", body, at: this.now(), attempts: 0, nextAt: 0, refused: null, number } };
      if (clock) records.clock = clock;
      if (photo) {
        records[`photo/${id}`] = { id, door, at: Math.floor(now), size: photo.size, refused: null };
        // Apart, so that counting what waits does not open every picture.
        records[`jpeg/${id}`] = photo.jpeg;
      }
      if (visit && visit.lot) records.me = { ...me, lot: visit.lot };
      await this.store.write(records);
      return id;
    });
  }

  /** Take over an answer: entries it speaks of leave, what was kept aside is remembered, lists are the new ones. */
  takeOver(answer, sent) {
    return this.store.exclusively(async () => {
      const me = await this.me();
      const told = await this.told();
      const records = { me: { ...me, name: answer.name, agency: answer.agency, offset: roundOff(answer.server_time - this.now()) } };
      const spoken = new Map(answer.verdicts.map((one) => [one.id, one]));
      for (const entry of sent) {
        const verdict = spoken.get(entry.id);
        if (!verdict) continue;
        records[entryName(entry.number)] = undefined;
        if (verdict.state === "aside") {
          records[`aside/${entry.id}`] = { id: entry.id, door: entry.body.door, at: entry.body.at, reason: verdict.reason };
        }
      }
      const lists = answer.lists === null ? told.lists : answer.lists;
      const wanted = new Set(lists.map(({ map }) => map));
      for (const [name, map] of Object.entries(answer.maps || {})) records[`map/${name}`] = map;
      for (const name of Object.keys(await this.maps())) if (!wanted.has(name)) records[`map/${name}`] = undefined;
      let clock = await this.store.get("clock");
      for (const door of lists.flatMap((list) => list.doors)) for (const version of Object.values(door.versions)) clock = later(clock, version);
      if (clock) records.clock = clock;
      if (answer.script) records.script = { as_of: answer.script_as_of, script: answer.script };
      records.told = { as_of: answer.as_of, lists, ended: answer.ended, at: this.now() };
      await this.store.write(records);
    });
  }

  /** Nobody's doors any more: the phone was cut off. What waits stays, sealed, until it is connected again. */
  async forgetDoors() {
    await this.store.exclusively(async () => {
      const me = await this.me();
      const maps = Object.fromEntries(Object.keys(await this.maps()).map((name) => [`map/${name}`, undefined]));
      await this.store.write({ ...maps, told: undefined, me: me ? { ...me, token: null } : undefined });
    });
  }

  /** The picture has arrived, or (code) never will and stays here to be seen. */
  settlePhoto(photo, code = null) {
    if (code) return this.store.write({ [`photo/${photo.id}`]: { ...photo, refused: code } });
    return this.store.write({ [`photo/${photo.id}`]: undefined, [`jpeg/${photo.id}`]: undefined });
  }

  /** Take something out that somebody has read: a photograph or a note on an entry kept aside. */
  dismiss(kind, id) {
    return this.store.write({ [`${kind}/${id}`]: undefined, [`jpeg/${id}`]: undefined });
  }
}

const entryName = (number) => `entry/${String(number).padStart(12, "0")}`;
// A second or two is the way of the answer, not the watch.
const roundOff = (seconds) => (Math.abs(seconds) < 5 ? 0 : Math.round(seconds));

function newRun() {
  return Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
