// SPDX-License-Identifier: Apache-2.0
/**
 * Telling those one shared a room with: from a code to the upload of stays, with consent, and whole after a kill.
 *
 * The pending report is kept before each call, so that after a kill, a reload or an update the same call is made
 * again: the server signs the same blinded value again, and an upload that arrived twice counts once.
 * Source: docs/protocol.md section 4; docs/attacks.md rows 16, 17.
 */
import { exclusively } from "../../locks.js";
import { Refusal } from "../refusal.js";
import { blind, finalize, publicKey } from "./blindrsa.js";
import { concat, fromHex, hex } from "./bytes.js";
import { credentialFromText } from "./codes.js";
import { dayText, localDay, utcDay } from "./days.js";
import { UPLOAD_SIZE, VERIFY_SIZE } from "./messages.js";
import { commitment, infectiousDays, infectiousLevel, slotBytes } from "./payload.js";
import { slotsOf } from "./venueslots.js";
import { KEPT_DAYS } from "./visits.js";

/** Held while something of a report is being sent; no update takes over meanwhile. */
export const reportLock = (store) => `${store.name}-report`;
const CLASSES = { 1: "confirmed", 2: "clinical" };
// docs/protocol.md section 4: an open web page waits U(5, 60 s); the config says the least, and 0 in the demo.
export const LONGEST_WAIT_SECONDS = 60;
const PACKAGE_SECONDS = 3600;
const NONE = { state: "none", sendAt: null, reachAt: null };

export class Reporting {
  /** parts: {store, clock, client, city, visits, plays, sent, environment}. */
  constructor(parts) {
    Object.assign(this, parts);
    this.draft = null;
  }

  /** Ask what a code is worth; it is not used. Rejects with code_*, nothing_to_report, report_pending, offline … */
  async prepare(text) {
    const credential = credentialFromText(text);
    await this.refuseIfCertified();
    const call = () => this.plays.verify1({ chaff: false, credential });
    const answer = await this.logged("code_checked", VERIFY_SIZE, call);
    checkStatus(answer.status);
    // A slot that has not ended by the server's clock would be refused after the code is used: a clock may be ahead.
    const now = Math.min(this.clock.now(), this.client.serverSeconds());
    await this.city.requireTrusted(answer.kid, answer.klass, this.clock.now());
    const offered = (visit) => this.visits.canSend(visit) && utcDay(now) - utcDay(visit.inAt) <= KEPT_DAYS
      && infectiousLevel(utcDay(visit.inAt), answer.onsetDay) !== null;
    // Whoever is still at the place reports the stay until this moment.
    const untilNow = (visit) => (visit.outAt === null ? { ...visit, outAt: now, lasts: true } : visit);
    const visits = (await this.visits.all()).map(untilNow).filter(offered);
    if (!visits.length) throw new Refusal("nothing_to_report", {}, "no stay of the days in which you could infect others");
    this.draft = { credential, klass: answer.klass, kid: answer.kid, visits, now };
    return {
      class: CLASSES[answer.klass], onsetDay: dayText(answer.onsetDay), days: [], infectious: infectiousDays(answer.onsetDay),
      visits: visits.map((visit) => this.visits.shown(visit)),
    };
  }

  /** Exactly what would be sent: {items: {kind, day, hex}[], bytes}. Rejects with nothing_to_report. */
  async preview(ids) {
    const zone = (await this.city.held()).zone;
    const items = this.chosen(ids).slots.map((slot) => ({
      kind: "slot", day: localDay(slot.hour * 3600 + slot.startMinute * 60, zone), hex: hex(slotBytes(slot)),
    }));
    return { items, bytes: UPLOAD_SIZE };
  }

  /** Use the code for a certificate of exactly the chosen stays, and upload after the wait. */
  async send(ids, consent) {
    if (consent !== true) throw new Refusal("consent_missing", {}, "nothing was sent: the owner has not agreed");
    const { slots, visits } = this.chosen(ids);
    return exclusively(reportLock(this.store), async () => {
      await this.refuseIfCertified();
      // Whatever becomes of the report, from here on its owner is a patient.
      await this.store.write({ agreed_at: this.clock.now() });
      await this.store.write({ report: await this.blinded(this.draft, slots, visits), report_outcome: undefined });
      this.draft = null;
      return this.step();
    });
  }

  /** Do what is next for the pending report; safe to repeat. Rejects with offline (all is kept), or a refusal (dropped). */
  goOn() {
    return exclusively(reportLock(this.store), () => this.step());
  }

  /** See interface.js. */
  async state() {
    const pending = await this.store.get("report");
    if (pending === undefined) return (await this.store.get("report_outcome")) || NONE;
    if (!pending.signature) return { state: "begun", sendAt: null, reachAt: null };
    return { state: "waiting", sendAt: pending.uploadAt, reachAt: await this.reachAt(pending.uploadAt) };
  }

  chosen(ids) {
    if (this.draft === null) throw new Refusal("report_not_prepared", {}, "give the code first");
    const visits = this.draft.visits.filter((visit) => ids.includes(visit.id));
    const slots = slotsOf(visits, this.draft.now);
    if (!slots.length) throw new Refusal("nothing_to_report", {}, "no stay is chosen; the code was not used");
    return { visits, slots };
  }

  async refuseIfCertified() {
    const pending = await this.store.get("report");
    if (pending && pending.signature) throw new Refusal("report_pending", {}, "a report goes by itself; no new code is needed");
  }

  async blinded(draft, slots, visits) {
    const key = await this.city.requireTrusted(draft.kid, draft.klass, this.clock.now());
    const { randomBytes } = this.environment;
    const rand = randomBytes(32);
    const salt = randomBytes(32);
    const sent = slots.map(slotBytes);
    const message = concat(rand, await commitment(salt, [], sent));
    const { blinded, inverse } = await blind(publicKey(key), message, { randomBytes });
    return {
      kind: draft.credential.kind, credential: hex(draft.credential.value), klass: draft.klass, kid: draft.kid,
      rand: hex(rand), salt: hex(salt), slots: sent.map(hex), visits: visits.map((visit) => visit.id),
      blinded: hex(blinded), inverse: inverse.toString(16), signature: "", uploadAt: 0,
    };
  }

  async step() {
    let pending = await this.store.get("report");
    if (pending === undefined) return this.state();
    if (!pending.signature) pending = await this.certify(pending);
    const wait = pending.uploadAt - this.clock.now();
    if (wait > LONGEST_WAIT_SECONDS) {
      // The clock was set back meanwhile; a report does not wait for it.
      await this.store.write({ report: { ...pending, uploadAt: this.clock.now() + LONGEST_WAIT_SECONDS } });
    }
    return wait > 0 ? this.state() : this.upload(pending);
  }

  async certify(pending) {
    const key = publicKey(await this.orDrop(() => this.city.requireTrusted(pending.kid, pending.klass, this.clock.now())));
    const credential = { kind: pending.kind, value: fromHex(pending.credential) };
    const request = { chaff: false, credential, kid: pending.kid, blinded: fromHex(pending.blinded) };
    const answer = await this.logged("certificate_asked", VERIFY_SIZE, () => this.plays.verify2(request));
    await this.orDrop(async () => {
      checkStatus(answer.status);
      if (answer.kid !== pending.kid) throw new Refusal("report_refused", {}, "the server signed with another key");
    });
    const message = concat(fromHex(pending.rand), await commitment(fromHex(pending.salt), [], pending.slots.map(fromHex)));
    // A signature by another key would mark this upload: it is not used, and the right one is asked for again.
    const signature = await finalize(key, message, answer.blindSignature, BigInt(`0x${pending.inverse}`));
    const uploadAt = this.clock.now() + (await this.waitSeconds());
    const certified = { ...pending, signature: hex(signature), uploadAt, credential: "", inverse: "" };
    await this.store.write({ report: certified });
    return certified;
  }

  async waitSeconds() {
    const config = await this.city.held();
    const most = Math.min(LONGEST_WAIT_SECONDS, config.verifyToUploadSeconds);
    return this.environment.uniform(Math.min(config.webMinimumSeconds, most), most);
  }

  async upload(pending) {
    const request = {
      chaff: false, kid: pending.kid, rand: fromHex(pending.rand), signature: fromHex(pending.signature),
      salt: fromHex(pending.salt), keys: [], slots: pending.slots.map(fromHex),
    };
    const answer = await this.logged("visits_sent", UPLOAD_SIZE, () => this.plays.upload(request));
    await this.orDrop(async () => {
      if (answer.status !== "ok") throw new Refusal("report_refused", { status: answer.status });
    });
    const now = this.clock.now();
    const outcome = { state: "sent", sendAt: now, publishAt: now + PACKAGE_SECONDS, reachAt: await this.reachAt(now) };
    await this.store.exclusively(async () => {
      const changes = { report: undefined, report_outcome: outcome, reported_at: now };
      for (const id of pending.visits) {
        const visit = await this.store.get(`visit/${id}`);
        if (visit) changes[`visit/${id}`] = { ...visit, reported: true };
      }
      await this.store.write(changes);
    });
    return outcome;
  }

  /** Run what may find that the report cannot go on; then it is dropped, and why is kept. */
  async orDrop(work) {
    try {
      return await work();
    } catch (refusal) {
      await this.store.write({ report: undefined, report_outcome: { ...NONE, state: "refused", code: refusal.code } });
      throw refusal;
    }
  }

  /** By when it will have reached phones that look as often as the config says. */
  async reachAt(sendAt) {
    const config = await this.city.held();
    return sendAt + PACKAGE_SECONDS + config.pollSeconds;
  }

  logged(what, bytes, call) {
    return this.sent.logged(what, bytes, call, (answer) => answer.status === "ok");
  }
}

function checkStatus(status) {
  if (status === "ok") return;
  const code = { code_invalid: "code_wrong", code_used: "code_used_or_expired", code_expired: "code_used_or_expired" }[status];
  throw new Refusal(code || "report_refused", { status }, `the server answered ${status}; no stays were sent`);
}
