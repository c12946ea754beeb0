// SPDX-License-Identifier: Apache-2.0
/**
 * The gate's box in this tablet's network: a gate program (bluezone/edge/gate/box.py) that hears over Bluetooth what no
 * browser can. What a phone showed stays here; the box is asked whether its answer was on the air.
 *
 *     "BZGB:" | Base45 of (JSON {gate, host} | 8 bytes HMAC-SHA256), which the office and the box show
 *
 * Browsers that let a page of the city ask a device of the local network ask the keeper once whether it may.
 */
import { Refusal } from "./face/engine/refusal.js";
import { fromBase45 } from "./face/engine/web/base45.js";
import { concat, equal, fromHex, fromUtf8, hex, randomBytes, utf8 } from "./face/engine/web/bytes.js";
import { hmac } from "./face/engine/web/digests.js";

export const PREFIX = "BZGB:";
const PORT = 8018;
const SHARE_MAC_LENGTH = 8;
const MAC_LENGTH = 16;
const MARK_LENGTH = 8;
const RESPONSE_LENGTH = 16;
// A box in the same room answers within some milliseconds; a keeper is not kept waiting for one that is gone.
const ANSWER_MS = 1500;
// So long the browser's own question may stand before the keeper has answered it.
const PROMPT_MS = 60_000;
// Why a box that was joined cannot be asked, by what the browser says of the right to ask it.
const AWAY = { granted: "box_away", prompt: "box_prompt", denied: "box_denied", none: "box_browser" };

/** The right of a page that came over TLS to ask the local network: a PermissionState, "none" where there is no such right. */
async function rightToAsk() {
  if (location.protocol !== "https:") return "granted";
  return navigator.permissions.query({ name: "local-network-access" }).then((right) => right.state, () => "none");
}

const macOf = async (key, label, content, length = MAC_LENGTH) =>
  (await hmac(fromHex(key), concat(utf8(label), content))).slice(0, length);

export class Box {
  /** gate: async () => {number, sharing_key}, as the office told them. */
  constructor(book, gate) {
    this.book = book;
    this.gate = gate;
    this.air = [];
    this.radioOff = "box_away";
  }

  /** Where the box is: {gate, host}, or null for a tablet without one. */
  async joined() {
    const kept = await this.book.store.get("box");
    return kept && kept.gate === (await this.gate()).number ? kept : null;
  }

  /** Join the box whose code was read. Rejects with box_foreign; then nothing has changed. */
  async join(text) {
    const bytes = fromBase45(text.slice(PREFIX.length));
    const content = bytes && bytes.slice(0, -SHARE_MAC_LENGTH);
    const { number, sharing_key: key } = await this.gate();
    const good = content && key && equal(bytes.slice(-SHARE_MAC_LENGTH), await macOf(key, "BZ-GATE-BOX-v1", content, SHARE_MAC_LENGTH));
    const told = good ? JSON.parse(fromUtf8(content)) : {};
    if (!good || told.gate !== number) throw new Refusal("box_foreign");
    await this.book.store.write({ box: told });
    // The browser's question must not hold the queue up.
    const looking = this.look();
    if ((await rightToAsk()) !== "prompt") await looking;
  }

  async leave() {
    await this.book.store.write({ box: undefined });
  }

  /** Ask how things stand: "no_radio" without a box, one of AWAY where it does not answer, its own reason, or null. */
  async look() {
    const box = await this.joined();
    if (box === null) {
      this.radioOff = "no_radio";
      return;
    }
    const right = await rightToAsk();
    if (right === "prompt" && this.radioOff !== null) this.radioOff = AWAY.prompt;
    await this.ask(box, [], "", right === "prompt" ? PROMPT_MS : ANSWER_MS).catch(() => this.isAway());
  }

  /** "proven", "not_heard", "pass_used", or null where no box can say. session: k_sess of a pass A. */
  async judge(session) {
    const box = await this.joined();
    if (box === null || this.radioOff === AWAY.prompt) return null;
    try {
      if (!this.air.length) await this.ask(box, [], "");
      const known = this.air.join();
      const told = await this.askOf(box, session);
      // The challenge on the air has changed since: what the phone answers to the new one was not asked for.
      const last = told.finding === "not_heard" && this.air.join() !== known ? await this.askOf(box, session) : told;
      return last.radio_off === null ? last.finding : null;
    } catch {
      await this.isAway();
      return null;
    }
  }

  async isAway() {
    this.radioOff = AWAY[await rightToAsk()];
  }

  async askOf(box, session) {
    const answers = await Promise.all(this.air.map(async (challenge) =>
      hex((await hmac(session, concat(utf8("BZ-GATE-v1"), fromHex(challenge)))).slice(0, RESPONSE_LENGTH))));
    return this.ask(box, answers, hex((await hmac(session, utf8("BZ-USED-v1"))).slice(0, MARK_LENGTH)));
  }

  /** {air, radio_off, finding} as the box tells it. Rejects where it does not answer, or another answers for it. */
  async ask(box, answers, mark, patience = ANSWER_MS) {
    const { sharing_key: key } = await this.gate();
    const { device } = await this.book.me();
    const content = utf8(JSON.stringify({ tablet: device, nonce: hex(randomBytes(16)), answers, mark }));
    const said = hex(await macOf(key, "BZ-BOX-ASK-v1", content));
    const stopper = new AbortController();
    const timer = setTimeout(() => stopper.abort(), patience);
    let bytes;
    try {
      // As plain text, so that the browser asks once and not twice.
      const answer = await fetch(`http://${box.host}:${PORT}/box`, {
        method: "POST", body: said + fromUtf8(content), headers: { "Content-Type": "text/plain" },
        credentials: "omit", cache: "no-store", signal: stopper.signal,
      });
      bytes = new Uint8Array(await answer.arrayBuffer());
    } finally {
      clearTimeout(timer);
    }
    const mac = bytes.slice(0, 2 * MAC_LENGTH);
    const told = bytes.slice(2 * MAC_LENGTH);
    if (!equal(mac, utf8(hex(await macOf(key, "BZ-BOX-ANSWER-v1", concat(utf8(said), told)))))) throw new Refusal("box_foreign");
    const read = JSON.parse(fromUtf8(told));
    this.air = read.air;
    this.radioOff = read.radio_off;
    return read;
  }
}
