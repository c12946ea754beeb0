// SPDX-License-Identifier: Apache-2.0
/**
 * Two tablets of a gate tell each other what they counted without a network: one shows a QR code, the other reads it.
 *
 *     "BZGS:" | Base45 of (JSON {gate, day, tablets: {device: {verdict: count}}} | 8 bytes HMAC-SHA256)
 *
 * The key comes from the office with the gate's name, so that a code that a visitor made is not believed. What a tablet
 * learnt from a third one is in its code as well.
 */
import { Refusal } from "./face/engine/refusal.js";
import { base45, fromBase45 } from "./face/engine/web/base45.js";
import { concat, equal, fromHex, fromUtf8, utf8 } from "./face/engine/web/bytes.js";
import { hmac } from "./face/engine/web/digests.js";

export const PREFIX = "BZGS:";
const MAC_LENGTH = 8;

async function macOf(key, content) {
  return (await hmac(fromHex(key), concat(utf8("BZ-GATE-SHARE-v1"), content))).slice(0, MAC_LENGTH);
}

/** The code of what this tablet knows of today. gate: {number, sharing_key}. Waiting passages are not in it yet. */
export async function shareText(book, gate) {
  const { day, tablets } = await book.others();
  const me = await book.me();
  const own = await book.totals(day, { settled: true, until: day });
  const content = utf8(JSON.stringify({ gate: gate.number, day, tablets: { ...tablets, [me.device]: own } }));
  return PREFIX + base45(concat(content, await macOf(gate.sharing_key, content)));
}

/** Take over another tablet's code. Rejects with share_foreign, share_old; then nothing has changed. */
export async function takeShare(book, gate, text) {
  const bytes = fromBase45(text.slice(PREFIX.length));
  const content = bytes && bytes.slice(0, -MAC_LENGTH);
  if (!content || !gate.sharing_key || !equal(bytes.slice(-MAC_LENGTH), await macOf(gate.sharing_key, content))) {
    throw new Refusal("share_foreign");
  }
  const told = JSON.parse(fromUtf8(content));
  if (!(await book.merge(told.day, told.tablets))) throw new Refusal("share_old");
}
