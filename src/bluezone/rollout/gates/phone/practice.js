// SPDX-License-Identifier: Apache-2.0
/**
 * A gate to practise at, in a browser: the same page and the same checks with codes made on the spot, no device's code
 * and nobody who is told. The twin of bluezone/edge/gate/practice.py.
 *
 * Its book is its own and is forgotten after seven days; its codes are signed by a key of this page that no other gate
 * knows. What a phone that runs would have answered is put where a box would tell it.
 */
import { base45 } from "./face/engine/web/base45.js";
import { concat, fromBase64url, hex, pack, randomBytes } from "./face/engine/web/bytes.js";
import { publicKeyOf } from "./face/engine/web/ed25519sign.js";
import { passText, readScreen, tokenMessage } from "./face/engine/web/gatepass.js";
import { Book } from "./book.js";
import { Desk } from "./desk.js";

const KEPT_DAYS = 7;
const FORGET_MS = 3_600_000;
const BADGE = "7".repeat(16);
const PIN = "123456";
// scrypt of the PIN, as the office would have sent it.
const PIN_HASH = "e64adbc11f9d29165febc71fb566ee9590b11613725cada04e324689b4f727f6";
const GATE = { number: "00000000", name: "Cổng tập huấn", agency: "không gửi số đi", closed: false };
const TICKET = "TAP-HUAN";
const RUNNING = 7;
const KID = 1;
const SALT_LENGTH = 48;
const ALWAYS = 2 ** 31;

export class PracticeDesk extends Desk {
  constructor(book) {
    super(book);
    this.heard = new Set();
    this.key = null;
    this.check.weekKeys = async () => (this.key ? [this.key.week] : []);
    const judge = async (session) => (this.heard.has(hex(session)) ? "proven" : "not_heard");
    this.box = { radioOff: null, joined: async () => undefined, look: async () => {}, judge };
  }

  /** Nobody is told anything; only what can no longer be undone is entered, and what is old forgotten. */
  startExchange() {
    setInterval(() => this.book.purge(KEPT_DAYS, { all: true }).catch(() => {}), FORGET_MS);
  }

  async state() {
    return { ...(await super.state()), training: true, tablets: undefined };
  }

  async send() {
    return {};
  }

  async help() {
    return { ticket: TICKET };
  }

  badge() {
    return { badge: `BZGK:${BADGE}`, pin: PIN };
  }

  /** {text} of a code as somebody would hold it before the gate now. kind: of panels.js. */
  async practise({ kind }) {
    const session = randomBytes(16);
    if (kind === "running") this.heard.add(hex(session));
    if (kind === "running" || kind === "screenshot") return { text: phonePass(RUNNING, session) };
    if (kind === "off") return { text: phonePass(0, session) };
    if (kind === "browser") return { text: await this.browserPass(session) };
    return { text: "https://example.org/" };
  }

  async browserPass(session) {
    this.key = this.key || await makeKey();
    const { challenge } = readScreen(this.check.screen(GATE.number).text);
    const seed = randomBytes(32);
    const opk = await publicKeyOf(seed);
    const signed = await crypto.subtle.sign({ name: "RSA-PSS", saltLength: SALT_LENGTH }, this.key.secret, tokenMessage(opk));
    return passText(challenge, { kid: KID, seed, opk, token: new Uint8Array(signed) }, session, this.book.now());
  }
}

/** A pass A of a phone. flags: what it says of its Bluetooth. */
const phonePass = (flags, session) => `BZG1:${base45(concat(pack("BBI", 1, flags, 1), session))}`;

async function makeKey() {
  const algorithm = { name: "RSA-PSS", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-384" };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { n } = await crypto.subtle.exportKey("jwk", publicKey);
  const week = { kid: KID, purpose: "gate", use_from: 0, accept_until: ALWAYS, n: hex(fromBase64url(n)), e: 65_537 };
  return { secret: privateKey, week };
}

/** Open this device's practice gate; what was practised more than seven days ago is gone. */
export async function openPractice() {
  const book = await Book.open("bluezone-gate-training");
  const entry = { badge: BADGE, name: "Người tập", salt: "0".repeat(32), hash: PIN_HASH };
  await book.store.write({
    me: { device: 0, token: null, name: "", agency: "" }, gate: GATE, roster: [{ ...entry, since: "2020-01-01", until: "" }], shifts: undefined,
  });
  await book.purge(KEPT_DAYS, { all: true });
  return new PracticeDesk(book);
}
