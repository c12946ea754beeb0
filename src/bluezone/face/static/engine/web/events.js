// SPDX-License-Identifier: Apache-2.0
/**
 * Codes for events of the owner's own: made here, kept here, and listed by nobody else.
 *
 * The same bounds as handset/venues.py. Source: docs/venues.md "Events"; docs/attacks.md row 63.
 */
import { Refusal } from "../refusal.js";
import { base64url, hex } from "./bytes.js";
import { originOf } from "./cityconfig.js";
import { sha256 } from "./digests.js";
import { EVENT_MINUTES, eventBytes, parseEvent, venueBytes, venueFingerprint } from "./venue.js";

const MOST = 20;
const KEPT_SECONDS = 14 * 86_400;
const FURTHEST_SECONDS = 60 * 86_400;
const LATE_SECONDS = 3600;

export class Events {
  /** parts: {store, clock, city, environment}. */
  constructor({ store, clock, city, environment }) {
    Object.assign(this, { store, clock, city, environment });
  }

  /** Every event until two weeks after its end, the earliest first; see contract.js. */
  async all() {
    const oldest = this.clock.now() - KEPT_SECONDS;
    const kept = await Promise.all(((await this.store.get("events")) || []).map(shown));
    return kept.filter(({ end }) => end >= oldest).sort((one, other) => one.begin - other.begin);
  }

  /** Make a code. Rejects with event_invalid, events_full, venue_config_missing (a link needs the city's host). */
  async make({ name, begin, minutes }) {
    const config = await this.city.held();
    if (config === null) throw new Refusal("venue_config_missing", {}, "no config yet: check once while online");
    const now = this.clock.now();
    const inTime = Number.isInteger(begin) && begin >= now - LATE_SECONDS && begin <= now + FURTHEST_SECONDS;
    const lasts = Number.isInteger(minutes) && minutes >= EVENT_MINUTES.least && minutes <= EVENT_MINUTES.most;
    if (!inTime || !lasts) throw new Refusal("event_invalid", {}, "the event begins or lasts out of bounds");
    let whole;
    try {
      whole = eventBytes({ name, begin, minutes, seed: this.environment.randomBytes(16) });
    } catch (refusal) {
      throw new Refusal("event_invalid", {}, refusal.message);
    }
    const link = `${originOf(config.publicHost)}/v#${base64url(whole)}`;
    return this.store.exclusively(async () => {
      const links = (await this.all()).map((event) => event.link);
      if (links.length >= MOST) throw new Refusal("events_full");
      await this.store.write({ events: [...links, link] });
      return shown(link);
    });
  }

  /** Remove one; a stay at it stays. One that is gone already is no error. */
  forget(id) {
    return this.store.exclusively(async () => {
      const kept = (await this.all()).filter((event) => event.id !== id);
      await this.store.write({ events: kept.length ? kept.map(({ link }) => link) : undefined });
    });
  }
}

async function shown(link) {
  const whole = venueBytes(link);
  const { name, validFrom: begin, validTo: end } = parseEvent(whole);
  return { id: hex(await sha256(whole)).slice(0, 16), name, fingerprint: await venueFingerprint(whole), begin, end, link };
}
