// SPDX-License-Identifier: Apache-2.0
/**
 * How a gate in a browser checks passes: those of browsers whole (docs/protocol.md section 7), those that Bluetooth
 * proves with the gate's box, where there is one. The twin of bluezone/edge/gate/check.py, all in memory: nothing of a
 * pass is ever written down.
 */
import { verify, publicKey } from "./face/engine/web/blindrsa.js";
import { base45, fromBase45 } from "./face/engine/web/base45.js";
import { concat, equal, fromHex, hex, pack, randomBytes, utf8, view } from "./face/engine/web/bytes.js";
import { verifyEd25519 } from "./face/engine/web/ed25519.js";
import { tokenMessage } from "./face/engine/web/gatepass.js";

export const CHALLENGE_SECONDS = 30;
const USED_SECONDS = 120;
const A_LENGTH = 22;
const B_LENGTH = 384;
const MOST_LETTERS = 600;
const BLUETOOTH_ON = 1;
const ALL_FLAGS = 7;
const SCREEN_KIND = 3;

export class GateCheck {
  /**
   * weekKeys: async () => the config's week keys. seconds: on a clock that nobody sets; now: Unix seconds, only to
   * choose the week of a key and the day of a one-time key. hear: async (session) => what a box heard of the phone that
   * shows it: "proven", "not_heard", "pass_used", null where no box can say.
   */
  constructor(weekKeys, seconds, now, hear) {
    this.weekKeys = weekKeys;
    this.hear = hear;
    this.seconds = seconds;
    this.now = now;
    this.turn = -1;
    this.shown = [];
    this.used = new Map();
    this.marks = new Set();
    this.markDay = -1;
  }

  /** {text, seconds_left} of the code on this screen; a new one every 30 seconds. gateId: 8 hex digits. */
  screen(gateId) {
    this.advance();
    const text = `BZGQ:${base45(concat(pack("B", SCREEN_KIND), fromHex(gateId), this.shown[0]))}`;
    return { text, seconds_left: CHALLENGE_SECONDS - (this.seconds() % CHALLENGE_SECONDS) };
  }

  /** What a scanned text shows: a verdict's name or a refusal's code. A browser's pass that is good is used up by it. */
  async judge(text) {
    const pass = readPass(text);
    if (pass === null) return "not_a_bluezone_code";
    this.advance();
    const session = hex(pass.session);
    if (this.used.has(session)) return "pass_used";
    const found = pass.kind === "A" ? await this.judgeA(pass) : await this.judgeB(pass);
    if (found !== "fresh" && found !== "proven") return found;
    // Between the question and the answer the same pass may have been judged once more.
    if (this.used.has(session) || (pass.kind === "B" && this.marks.has(hex(pass.opk)))) return "pass_used";
    this.used.set(session, this.seconds());
    if (pass.kind === "B") this.marks.add(hex(pass.opk));
    return found;
  }

  async judgeA(pass) {
    const heard = await this.hear(pass.session);
    if (heard === "proven" || heard === "pass_used") return heard;
    if (!(pass.flags & BLUETOOTH_ON)) return "installed_off";
    return heard || "not_checked";
  }

  async judgeB(pass) {
    if (!this.shown.some((challenge) => equal(challenge, pass.challenge))) return "pass_expired";
    if (!(await verifyEd25519(pass.opk, pass.signature, concat(utf8("BZ-PASS-v1"), pass.unsigned)))) return "not_a_bluezone_code";
    const now = this.now();
    const key = (await this.weekKeys()).find(({ kid, purpose }) => kid === pass.kid && purpose === "gate");
    if (!key || now < key.use_from || now >= key.accept_until) return "pass_expired";
    return (await verify(publicKey(key), tokenMessage(pass.opk), pass.token)) ? "fresh" : "not_a_bluezone_code";
  }

  advance() {
    const now = this.seconds();
    const turn = Math.floor(now / CHALLENGE_SECONDS);
    if (turn !== this.turn) {
      // After a gap the challenge before is older than its time and is not accepted any more.
      this.shown = [randomBytes(8), ...(turn === this.turn + 1 ? this.shown.slice(0, 1) : [])];
      this.turn = turn;
    }
    for (const [session, at] of this.used) if (at <= now - USED_SECONDS) this.used.delete(session);
    const day = Math.floor(this.now() / 86_400);
    // A challenge lives a minute, so yesterday's keys cannot come back.
    if (day !== this.markDay) this.marks.clear();
    this.markDay = day;
  }
}

/** {kind: "A" | "B", flags, session, …} of a text that an app of ours wrote, or null. */
export function readPass(text) {
  const kind = { "BZG1:": "A", "BZG2:": "B" }[text.slice(0, 5)];
  const bytes = kind && text.length <= MOST_LETTERS ? fromBase45(text.slice(5)) : null;
  if (!bytes || bytes.length !== (kind === "A" ? A_LENGTH : B_LENGTH)) return null;
  if (bytes[0] !== (kind === "A" ? 1 : 2) || bytes[1] & ~ALL_FLAGS) return null;
  const shared = { kind, flags: bytes[1], session: bytes.slice(6, 22) };
  if (kind === "A") return shared;
  return {
    ...shared, challenge: bytes.slice(22, 30), opk: bytes.slice(30, 62), kid: view(bytes).getUint16(62), token: bytes.slice(64, 320),
    signature: bytes.slice(320), unsigned: bytes.slice(0, 320),
  };
}
