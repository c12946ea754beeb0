// SPDX-License-Identifier: Apache-2.0
/** Verification codes and links as people type, paste and scan them (docs/protocol.md section 4). */
import { Refusal } from "../refusal.js";
import { concat, fromBase64url, utf8 } from "./bytes.js";

export const DIGITS = 0;
export const LINK = 1;
// The longer for times in which many wrong codes come.
const CODE_LENGTHS = [12, 16];
const LONGEST_TEXT = 200;
// The quasigroup of order 10 of protocol/codes.py (Damm 2004): every single wrong digit and every swap shows.
const DAMM = [
  "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
  "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
];
// Dashes and spaces of every kind, and the invisible marks that chat programs put into copied text.
const SEPARATORS = /[\p{Pd}\p{Zs}\p{Zl}\p{Zp}\p{Cf}\p{Cc}\u2212._]/gu;
const LINK_TEXT = /^(?:https?:\/\/[^/\s?#]+\/r#)?([A-Za-z0-9_-]{22})$/;

/** The check digit of ASCII digits; "0" for a string that already ends in its own. */
export function dammDigit(digits) {
  let interim = 0;
  for (const digit of digits) interim = Number(DAMM[interim][Number(digit)]);
  return String(interim);
}

/** The 12 or 16 digits in what a person typed. Throws code_malformed; the text is never repeated. */
export function parseCode(text) {
  const refusal = (why) => new Refusal("code_malformed", {}, why);
  if (text.length > LONGEST_TEXT) throw refusal("text is too long for a code");
  const digits = text.normalize("NFKC").replace(SEPARATORS, "");
  if (!/^[0-9]*$/.test(digits)) throw refusal("the code contains something that is not a digit");
  if (!CODE_LENGTHS.includes(digits.length)) throw refusal(`the code has ${digits.length} digits, expected ${CODE_LENGTHS.join(" or ")}`);
  if (dammDigit(digits) !== "0") throw refusal("the check digit does not fit the code");
  return digits;
}

/** The 16 bytes of a link, whole or only the part behind `#`; the host is not compared. Throws code_malformed. */
export function parseLink(text) {
  const match = text.length <= LONGEST_TEXT ? LINK_TEXT.exec(text.trim()) : null;
  const link = match && fromBase64url(match[1]);
  if (!link) throw new Refusal("code_malformed", {}, "the text is not a reporting link, or was cut or changed");
  return link;
}

/** {kind, value: 16 bytes} of a code or a link. Throws code_malformed. */
export function credentialFromText(text) {
  if (LINK_TEXT.test(text.trim())) return { kind: LINK, value: parseLink(text) };
  return { kind: DIGITS, value: concat(utf8(parseCode(text)), new Uint8Array(4)).subarray(0, 16) };
}
