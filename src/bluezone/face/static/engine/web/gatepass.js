// SPDX-License-Identifier: Apache-2.0
/**
 * The pass of a browser (GatePass v1, pass B): it proves that this page was here a moment ago, never that Bluetooth runs.
 *
 * Source: docs/protocol.md section 7; the twin of bluezone/protocol/gate/passes.py.
 */
import { Refusal } from "../refusal.js";
import { base45, fromBase45 } from "./base45.js";
import { concat, pack, utf8 } from "./bytes.js";
import { signEd25519 } from "./ed25519sign.js";

const SCREEN_PREFIX = "BZGQ:";
const PASS_PREFIX = "BZG2:";
const SCREEN_LENGTH = 13;
const SCREEN_KIND = 3;
const PASS_KIND = 2;
const NO_BLUETOOTH = 0;
const STEP_SECONDS = 15;

/** {gateId, challenge} of a gate's screen. Throws gate_screen_unknown. */
export function readScreen(text) {
  const bytes = text.startsWith(SCREEN_PREFIX) ? fromBase45(text.slice(SCREEN_PREFIX.length)) : null;
  if (bytes === null || bytes.length !== SCREEN_LENGTH || bytes[0] !== SCREEN_KIND) {
    throw new Refusal("gate_screen_unknown", {}, "this is no gate's screen");
  }
  return { gateId: bytes.slice(1, 5), challenge: bytes.slice(5) };
}

/** What a gate(week) key signs blind for a one-time public key. */
export const tokenMessage = (opk) => concat(utf8("BZ-OPK-v1"), opk);

/** The QR text of a pass. token: {kid, seed, opk, token}: seed is forgotten by the caller afterwards. */
export async function passText(challenge, { kid, seed, opk, token }, session, now) {
  const step = Math.floor(now / STEP_SECONDS);
  const unsigned = concat(pack("BBI", PASS_KIND, NO_BLUETOOTH, step), session, challenge, opk, pack("H", kid), token);
  const signature = await signEd25519(seed, concat(utf8("BZ-PASS-v1"), unsigned));
  return PASS_PREFIX + base45(concat(unsigned, signature));
}
