// SPDX-License-Identifier: Apache-2.0
/** Base45 (RFC 9285), the alphabet that a QR code packs into 5.5 bits a character. */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** Text of bytes: two bytes in three letters, a last single byte in two. */
export function base45(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const pair = at + 1 < bytes.length;
    let number = pair ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
    for (let place = 0; place < (pair ? 3 : 2); place += 1) {
      text += ALPHABET[number % 45];
      number = Math.floor(number / 45);
    }
  }
  return text;
}

/** Bytes of a text, or null for one that no encoder writes. */
export function fromBase45(text) {
  if (text.length % 3 === 1) return null;
  const bytes = [];
  for (let at = 0; at < text.length; at += 3) {
    const group = Array.from(text.slice(at, at + 3), (letter) => ALPHABET.indexOf(letter));
    if (group.includes(-1)) return null;
    const number = group.reduce((sum, value, place) => sum + value * 45 ** place, 0);
    if (number >= 256 ** (group.length - 1)) return null;
    if (group.length === 3) bytes.push(number >> 8);
    bytes.push(number & 0xff);
  }
  return Uint8Array.from(bytes);
}
