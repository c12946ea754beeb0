// SPDX-License-Identifier: Apache-2.0
/**
 * BZ-Venue v1: reading the code on a poster, strictly, and what it opens (docs/protocol.md section 6; docs/venues.md).
 *
 * The address in a code is never opened and its host never compared: the city's signature decides.
 */
import { Refusal } from "../refusal.js";
import { concat, fromBase64url, fromHex, fromUtf8, hex, pack, utf8, view } from "./bytes.js";
import { hkdf, hmac, sha256 } from "./digests.js";
import { verifyEd25519 } from "./ed25519.js";

const QR = /^https:\/\/[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?\/v#([A-Za-z0-9_-]{1,600})$/;
const VERSION = 1;
const SIGNED = 0x01;
const TEMPORARY = 0x04;
const LONGEST_TYPE = 12;
const LONGEST_STAY_MINUTES = 1440;
const LONGEST_NAME = 80;
const LONGEST_ADDRESS = 100;
const SIGNATURE_LENGTH = 64;
// Invisible and direction-changing signs could make one name look like another.
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const unknown = (why) => new Refusal("venue_code_unknown", {}, why);

/** The bytes of V in the text of a QR code. Throws venue_code_unknown. */
export function venueBytes(text) {
  const match = typeof text === "string" && text.length < 1000 ? QR.exec(text.trim()) : null;
  const whole = match && fromBase64url(match[1]);
  if (!whole) throw unknown("the text is not the address of a venue code");
  return whole;
}

/**
 * Read V strictly; its signature is not looked at. Throws venue_code_unknown.
 *
 * Returns {whole, type, signed, temporary, stayMinutes, validFrom, validTo (Unix seconds, 0 open), name, address, kid,
 * signature, signedBytes}.
 */
export function parseVenue(whole) {
  const read = new Reader(whole);
  if (read.u8() !== VERSION) throw unknown("another version");
  const type = read.u8();
  const flags = read.u8();
  const stayMinutes = read.u16();
  const validFrom = read.u32();
  const validTo = read.u32();
  read.bytes(16);
  const name = read.text(LONGEST_NAME);
  const address = read.text(LONGEST_ADDRESS);
  const kid = read.u8();
  const signedBytes = whole.subarray(0, read.at);
  const signature = read.bytes(SIGNATURE_LENGTH);
  if (read.at !== whole.length) throw unknown("something stands behind the signature");
  if (type > LONGEST_TYPE || flags & ~(SIGNED | TEMPORARY)) throw unknown("type or flags are out of range");
  if (stayMinutes < 1 || stayMinutes > LONGEST_STAY_MINUTES) throw unknown("the stay is out of range");
  if (validTo !== 0 && validTo <= validFrom) throw unknown("it ends before it begins");
  if (name.trim() === "") throw unknown("the name is blank");
  const flag = (bit) => (flags & bit) !== 0;
  return {
    whole, type, signed: flag(SIGNED), temporary: flag(TEMPORARY), stayMinutes,
    validFrom: validFrom * 60, validTo: validTo * 60, name, address, kid, signature, signedBytes,
  };
}

/**
 * Read the text of a QR code and refuse whatever is not a code of this city in force.
 *
 * keys: {kid: hex of a raw Ed25519 key}; revoked: hex SHA-256 of V; now: Unix seconds.
 * Rejects with venue_code_unknown, venue_foreign, venue_revoked, venue_not_yet, venue_expired, in this order.
 */
export async function openVenue(text, { keys, revoked, now }) {
  const venue = parseVenue(venueBytes(text));
  const key = keys[String(venue.kid)];
  const message = concat(utf8("BZ-VENUE-SIG-v1"), venue.signedBytes);
  if (!venue.signed || key === undefined || !(await verifyEd25519(fromHex(key), venue.signature, message))) {
    throw new Refusal("venue_foreign", {}, "no key of this city signed the code, or it was changed");
  }
  if (revoked.includes(hex(await sha256(venue.whole)))) throw new Refusal("venue_revoked");
  const minute = Math.floor(now / 60) * 60;
  if (minute < venue.validFrom) throw new Refusal("venue_not_yet", { validFrom: venue.validFrom });
  if (venue.validTo !== 0 && minute >= venue.validTo) throw new Refusal("venue_expired", { validTo: venue.validTo });
  return venue;
}

/** The six characters printed on the poster: the first 30 bits of SHA-256(V) in Crockford's base32. */
export async function venueFingerprint(whole) {
  const bits = view(await sha256(whole)).getUint32(0) >>> 2;
  return Array.from({ length: 6 }, (_, place) => CROCKFORD[(bits >>> (25 - 5 * place)) & 31]).join("");
}

/** K_v, 32 bytes, from V whole. */
export const venueKey = (whole) => hkdf(whole, utf8("BZ-VENUE-v1"), 32);

/** K_h of an hour (Unix seconds // 3600), 32 bytes. */
export const slotKey = (key, hour) => hmac(key, concat(utf8("BZ-SLOT"), pack("I", hour)));

/** The tag under which items of an hour are found, 16 bytes. */
export const slotTag = async (key) => (await hmac(key, utf8("BZ-TAG"))).slice(0, 16);

/** The key that opens them, 32 bytes. */
export const slotEncryptionKey = (key) => hmac(key, utf8("BZ-ENC"));

class Reader {
  constructor(bytes) {
    this.whole = bytes;
    this.at = 0;
  }

  bytes(length) {
    if (this.at + length > this.whole.length) throw unknown("the code was cut");
    this.at += length;
    return this.whole.subarray(this.at - length, this.at);
  }

  u8() {
    return this.bytes(1)[0];
  }

  u16() {
    return view(this.bytes(2)).getUint16(0);
  }

  u32() {
    return view(this.bytes(4)).getUint32(0);
  }

  text(longest) {
    const length = this.u8();
    if (length > longest) throw unknown(`a text is ${length} bytes, expected at most ${longest}`);
    let text;
    try {
      text = fromUtf8(this.bytes(length));
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw unknown("a text is not UTF-8");
    }
    if (text.normalize("NFC") !== text || FORBIDDEN.test(text)) throw unknown("a text is not NFC or holds invisible signs");
    return text;
  }
}
