// SPDX-License-Identifier: Apache-2.0
/** Bytes as the protocol writes them: big-endian numbers, hex, strict base64 and base64url. */

const encoder = new TextEncoder();

/** UTF-8 bytes of a text. */
export const utf8 = (text) => encoder.encode(text);

/** Text of UTF-8 bytes; throws TypeError for bytes that are none. A leading U+FEFF stays, as in Python. */
export const fromUtf8 = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

/** Join arrays of bytes. */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether two arrays hold the same bytes; takes as long wherever they differ. */
export function equal(left, right) {
  if (left.length !== right.length) return false;
  let different = 0;
  for (let i = 0; i < left.length; i += 1) different |= left[i] ^ right[i];
  return different === 0;
}

/** Lower-case hex. */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Bytes of hex; the caller has checked its form. */
export function fromHex(text) {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Standard base64 with padding. */
export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Bytes of standard base64 with padding, or null; `atob` alone would pass over spaces and missing padding. */
export function fromBase64(text) {
  if (typeof text !== "string" || text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** base64url without padding. */
export const base64url = (bytes) => base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** Bytes of canonical base64url without padding, or null for any other text. */
export function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const padded = text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat((4 - (text.length % 4)) % 4);
  const bytes = fromBase64(padded);
  return bytes !== null && base64url(bytes) === text ? bytes : null;
}

const SIZES = { B: 1, H: 2, I: 4 };

/** Big-endian numbers one after another: pack("BHI", 1, 2, 3) is 7 bytes. */
export function pack(format, ...values) {
  const parts = Array.from(format, (size, place) => {
    const bytes = new Uint8Array(SIZES[size]);
    const view = new DataView(bytes.buffer);
    if (size === "B") view.setUint8(0, values[place]);
    else if (size === "H") view.setUint16(0, values[place]);
    else view.setUint32(0, values[place]);
    return bytes;
  });
  return concat(...parts);
}

/** A view for reading numbers out of bytes. */
export const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Order of two arrays of bytes, as Python orders bytes. */
export function compare(left, right) {
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i += 1) if (left[i] !== right[i]) return left[i] - right[i];
  return left.length - right.length;
}

/** The number written in bytes, most significant first. */
export const toBigInt = (bytes) => BigInt(`0x${hex(bytes) || "0"}`);

/** `length` bytes of a number, most significant first. */
export const fromBigInt = (number, length) => fromHex(number.toString(16).padStart(2 * length, "0"));

/** Random bytes from the browser's generator. */
export const randomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));
