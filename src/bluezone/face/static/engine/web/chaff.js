// SPDX-License-Identifier: Apache-2.0
/**
 * Random packets: rehearsals of a report, so that nobody who watches the network can tell who is reporting.
 *
 * The same three calls by the same code, on average once in five days, in addition to real ones; a page can only play
 * while it is open (said in docs/web-edition.md). Source: docs/protocol.md section 4 "Chaff"; docs/attacks.md row 16.
 */
import { blind, finalize, publicKey } from "./blindrsa.js";
import { concat, fromHex, hex } from "./bytes.js";
import { LINK } from "./codes.js";
import { DAY_SECONDS } from "./days.js";
import { commitment, slotBytes } from "./payload.js";
import { LONGEST_WAIT_SECONDS } from "./reporting.js";

const PLAYS_PER_DAY = 0.2;
const SLOTS_IN_A_PLAY = 6;
// Between the first call and the second an owner reads what would be sent and agrees.
const READING_SECONDS = [15, 180];

export class Chaff {
  /** parts: {store, clock, city, plays, environment}. */
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** Do what is due; returns whether something was sent. Refusals of the server are of no interest. */
  async goOn() {
    const now = this.clock.now();
    const kept = (await this.store.get("chaff")) || { next: null, second: null, pending: null, played: 0 };
    if (kept.pending !== null && now >= kept.pending.uploadAt) {
      await this.store.write({ chaff: { ...kept, pending: null } });
      await this.plays.upload(requestOf(kept.pending));
      return true;
    }
    if (kept.second && now >= kept.second.at) {
      await this.store.write({ chaff: { ...kept, second: null } });
      await this.certify(now, { ...kept, second: null }, fromHex(kept.second.value));
      return true;
    }
    if (kept.next === null || kept.next - now > 100 * DAY_SECONDS) {
      await this.store.write({ chaff: { ...kept, next: this.drawn(now) } });
      return false;
    }
    if (now < kept.next) return false;
    // Drawn before playing: a page without network does not play twice as often afterwards.
    const next = { ...kept, next: this.drawn(now), played: kept.played + 1 };
    await this.store.write({ chaff: next });
    await this.play(now, next);
    return true;
  }

  /** When the next thing is due, Unix seconds, or null. */
  async nextAt() {
    const kept = await this.store.get("chaff");
    if (kept === undefined) return null;
    const begun = [kept.second && kept.second.at, kept.pending && kept.pending.uploadAt].filter(Boolean);
    return kept.next === null ? null : Math.min(kept.next, ...begun);
  }

  drawn(now) {
    return now + this.environment.exponential(PLAYS_PER_DAY) * DAY_SECONDS;
  }

  async play(now, kept) {
    if ((await this.city.held()) === null) return;
    const value = this.environment.randomBytes(16);
    await this.plays.verify1({ chaff: true, credential: { kind: LINK, value } });
    const at = now + this.environment.uniform(...READING_SECONDS);
    await this.store.write({ chaff: { ...kept, second: { at, value: hex(value) } } });
  }

  async certify(now, kept, value) {
    const config = await this.city.held();
    if (config === null) return;
    const { randomBytes } = this.environment;
    const credential = { kind: LINK, value };
    const key = await this.city.chaffKey(now);
    const rand = randomBytes(32);
    const salt = randomBytes(32);
    const slots = this.slots(now);
    const message = concat(rand, await commitment(salt, [], slots));
    const { blinded, inverse } = await blind(publicKey(key), message, { randomBytes });
    const answer = await this.plays.verify2({ chaff: true, credential, kid: key.kid, blinded });
    if (answer.status !== "ok") return;
    const signature = await finalize(publicKey(key), message, answer.blindSignature, inverse);
    const most = Math.min(LONGEST_WAIT_SECONDS, config.verifyToUploadSeconds);
    const wait = this.environment.uniform(Math.min(config.webMinimumSeconds, most), most);
    const pending = {
      kid: key.kid, rand: hex(rand), salt: hex(salt), slots: slots.map(hex), signature: hex(signature),
      uploadAt: this.clock.now() + wait,
    };
    await this.store.write({ chaff: { ...kept, pending } });
  }

  slots(now) {
    const hour = Math.floor(now / 3600);
    return Array.from({ length: SLOTS_IN_A_PLAY }, (_, place) => slotBytes({
      hour: hour - 3 * (place + 1), slotKey: this.environment.randomBytes(32), startMinute: 0, endMinute: 60,
    }));
  }
}

function requestOf(pending) {
  return {
    chaff: true, kid: pending.kid, rand: fromHex(pending.rand), signature: fromHex(pending.signature),
    salt: fromHex(pending.salt), keys: [], slots: pending.slots.map(fromHex),
  };
}
