// SPDX-License-Identifier: Apache-2.0
/**
 * BZ-Venue v1: reading the code of a place or an event, strictly, and what it opens (docs/protocol.md section 6;
 * docs/venues.md).
 *
 * The address in a code is never opened and its host never compared: the city's signature decides.
 */
import { Refusal } from "../refusal.js";
import { concat, fromBase64url, fromHex, fromUtf8, hex, pack, utf8, view } from "./bytes.js";
import { hkdf, hmac, sha256 } from "./digests.js";
import { verifyEd25519 } from "./ed25519.js";

const QR = /^https?:\/\/[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?\/v#([A-Za-z0-9_-]{1,600})$/;
const VERSION = 1;
const EVENT_VERSION = 2;
export const EVENT_MINUTES = { least: 15, most: 1440 };
// Nobody vouches for an event's name, and it stands in a warning: it must not carry a number to call or an address.
// By its constructor, because a build for Chrome 90 writes it so.
const NUMBER_OR_ADDRESS = new RegExp("\\p{Nd}(?:[\\s.()+-]*\\p{Nd}){8}|:\\/\\/|www\\.", "iu");
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
 * Read E, the code of an event, strictly: whoever holds one made it, and nobody signed it. Throws venue_code_unknown.
 *
 * Returns what parseVenue does, but for what is signed; `event` is true.
 */
export function parseEvent(whole) {
  const read = new Reader(whole);
  if (read.u8() !== EVENT_VERSION) throw unknown("another version");
  const begin = read.u32();
  const minutes = read.u16();
  read.bytes(16);
  const name = read.text(LONGEST_NAME);
  if (read.at !== whole.length) throw unknown("something stands behind the name");
  const lasts = minutes >= EVENT_MINUTES.least && minutes <= EVENT_MINUTES.most;
  if (!lasts || begin + minutes >= 2 ** 32) throw unknown("the event is too short or too long");
  if (name.trim() === "" || NUMBER_OR_ADDRESS.test(name)) throw unknown("the name is blank, or holds a telephone number or an address");
  return { whole, event: true, type: 0, temporary: true, validFrom: begin * 60, validTo: (begin + minutes) * 60, name, address: "" };
}

/** E of a new event. begin: Unix seconds; minutes, name: as parseEvent takes them; seed: 16 random bytes. */
export function eventBytes({ name, begin, minutes, seed }) {
  const written = utf8(name.trim().normalize("NFC"));
  if (!written.length || written.length > LONGEST_NAME) throw unknown("the name is blank or too long");
  const version = new Uint8Array([EVENT_VERSION]);
  const length = new Uint8Array([written.length]);
  const whole = concat(version, pack("I", Math.floor(begin / 60)), pack("H", minutes), seed, length, written);
  parseEvent(whole);
  return whole;
}

/**
 * Read the text of a QR code and refuse whatever is not a code of this city in force, or of an event that lasts.
 *
 * keys: {kid: hex of a raw Ed25519 key}; revoked: hex SHA-256 of V; now: Unix seconds.
 * Rejects with venue_code_unknown, venue_foreign, venue_revoked, venue_not_yet, venue_expired, in this order.
 */
export async function openVenue(text, { keys, revoked, now }) {
  const whole = venueBytes(text);
  const venue = isEvent(whole) ? parseEvent(whole) : await signedVenue(whole, keys);
  if (revoked.includes(hex(await sha256(venue.whole)))) throw new Refusal("venue_revoked");
  const minute = Math.floor(now / 60) * 60;
  if (minute < venue.validFrom) throw new Refusal("venue_not_yet", { validFrom: venue.validFrom });
  if (venue.validTo !== 0 && minute >= venue.validTo) throw new Refusal("venue_expired", { validTo: venue.validTo });
  return venue;
}

/** Whether it is an event's code and no venue's. */
export const isEvent = (whole) => whole[0] === EVENT_VERSION;

async function signedVenue(whole, keys) {
  const venue = parseVenue(whole);
  const key = keys[String(venue.kid)];
  const message = concat(utf8("BZ-VENUE-SIG-v1"), venue.signedBytes);
  if (!venue.signed || key === undefined || !(await verifyEd25519(fromHex(key), venue.signature, message))) {
    throw new Refusal("venue_foreign", {}, "no key of this city signed the code, or it was changed");
  }
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
