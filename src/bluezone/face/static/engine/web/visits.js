// SPDX-License-Identifier: Apache-2.0
/**
 * One's own stays: checked in offline, checked out by hand or by themselves, forgotten after 14 days.
 *
 * V is dropped at check-in; a stay keeps one key for each hour it can touch, and its name only if the owner wants it.
 * Source: docs/protocol.md section 6; docs/venues.md "A stay"; docs/attacks.md row 23.
 */
import { Refusal } from "../refusal.js";
import { hex } from "./bytes.js";
import { DAY_SECONDS } from "./days.js";
import { STALE_SECONDS } from "./indexfile.js";
import { uuid7 } from "../../uuid7.js";
import { isEvent, openVenue, slotKey, venueBytes, venueFingerprint, venueKey } from "./venue.js";
import { hoursTouched, KEPT_AFTER_SECONDS, slotsOf } from "./venueslots.js";

export const KEPT_DAYS = 14;

export class Visits {
  constructor(store, clock, city) {
    this.store = store;
    this.clock = clock;
    this.city = city;
  }

  /** What a code says, if it is one of this city in force. Rejects as openVenue, and with venue_config_missing. */
  async read(text) {
    const config = await this.city.held();
    // An event's code is signed by nobody, so that no key is needed for it.
    if (config === null && !isEvent(venueBytes(text))) {
      throw new Refusal("venue_config_missing", {}, "no config yet: check once while online");
    }
    const held = await this.store.get("venues");
    const rules = { keys: config ? config.venueKeys : {}, revoked: held ? held.revoked : [], now: this.clock.now() };
    const venue = await openVenue(text, rules);
    return { ...venue, fingerprint: await venueFingerprint(venue.whole) };
  }

  /** Begin a stay; a second reading of the same poster gives the stay that lasts. Rejects as `read`, storage_full. */
  async checkIn(text, remember) {
    const venue = await this.read(text);
    const key = await venueKey(venue.whole);
    const now = this.clock.now();
    const plannedOutAt = venue.event ? venue.validTo : now + venue.stayMinutes * 60;
    const hours = hoursTouched(now, plannedOutAt + KEPT_AFTER_SECONDS);
    const keys = Object.fromEntries(await Promise.all(hours.map(async (hour) => [hour, hex(await slotKey(key, hour))])));
    return this.store.exclusively(async () => {
      const open = (await this.settled()).find((one) => one.outAt === null && one.fingerprint === venue.fingerprint);
      if (open) return open;
      const visit = {
        id: uuid7(this.clock.now()), label: remember ? venue.name : null, fingerprint: venue.fingerprint,
        inAt: now, outAt: null, plannedOutAt, keys, reported: false, hits: {}, event: venue.event === true,
      };
      await this.store.write({ [`visit/${visit.id}`]: visit });
      return visit;
    });
  }

  /** End a stay now. Rejects with visit_missing; a stay that has ended stays as it is. */
  checkOut(id) {
    return this.store.exclusively(async () => {
      const visit = (await this.settled()).find((one) => one.id === id);
      if (visit === undefined) throw new Refusal("visit_missing");
      if (visit.outAt !== null) return visit;
      const ended = endedAt(visit, Math.max(visit.inAt, this.clock.now()));
      await this.store.write({ [`visit/${id}`]: ended });
      return ended;
    });
  }

  /** Remove a stay with its keys. Rejects with visit_missing. */
  forget(id) {
    return this.store.exclusively(async () => {
      if ((await this.store.get(`visit/${id}`)) === undefined) throw new Refusal("visit_missing");
      await this.store.write({ [`visit/${id}`]: undefined });
    });
  }

  /** Every stay of the last 14 days, earliest first, after what ended by itself has ended. */
  all() {
    return this.store.exclusively(() => this.settled());
  }

  /** As `all`; call it inside `store.exclusively`. */
  async settled() {
    const now = this.clock.now();
    const changes = {};
    const kept = [];
    for (const [name, visit] of await this.store.all("visit/")) {
      const old = visit.plannedOutAt < now - KEPT_DAYS * DAY_SECONDS;
      // A clock that no signed file has confirmed lately may be wrong by years; it removes nothing.
      if (old && now - this.clock.floor <= STALE_SECONDS) {
        changes[name] = undefined;
      } else if (visit.outAt === null && visit.plannedOutAt <= now) {
        changes[name] = endedAt(visit, visit.plannedOutAt);
        kept.push(changes[name]);
      } else kept.push(visit);
    }
    if (Object.keys(changes).length) await this.store.write(changes);
    return kept;
  }

  /** Whether a stay can be part of a report: ended, long enough, not reported before. */
  canSend(visit) {
    return visit.outAt !== null && !visit.reported && slotsOf([visit], this.clock.now()).length > 0;
  }

  /** A stay as the screens see it. */
  shown(visit) {
    const { id, label, fingerprint, inAt, outAt, plannedOutAt } = visit;
    return { id, label, fingerprint, inAt, outAt, plannedOutAt, canSend: this.canSend(visit), event: visit.event === true };
  }
}

/** A stay after its end: the keys of hours that it can no longer touch are gone. */
function endedAt(visit, outAt) {
  const needed = new Set(hoursTouched(visit.inAt, outAt + KEPT_AFTER_SECONDS).map(String));
  const keys = Object.fromEntries(Object.entries(visit.keys).filter(([hour]) => needed.has(hour)));
  return { ...visit, outAt, keys };
}
