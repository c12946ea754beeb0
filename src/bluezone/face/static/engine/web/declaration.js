// SPDX-License-Identifier: Apache-2.0
/**
 * A declaration to the health authority, sealed so that nobody on the way can read it (docs/protocol.md section 8;
 * RFC 9180).
 */
import { Refusal } from "../refusal.js";
import { concat, pack, utf8 } from "./bytes.js";
import { fromPem } from "./configfile.js";
import { utcDay } from "./days.js";
import { hkdfExpand, hmac, sealGcm } from "./digests.js";
import { ANSWER_SIZE, decodeUpload } from "./messages.js";
import { puzzleHeader } from "./plays.js";

export const DECLARATION_SIZE = 1024;
const PATH = "/v1/declarations";
const INFO = "BZ-DECLARATION-v1";
const PLAIN_SIZE = DECLARATION_SIZE - 65 - 16;
const MAX_TEXT_CHARACTERS = 500;
const MAX_TEXT_BYTES = 918;
const LEVELS = { low: 1, high: 2 };
const KEM = concat(utf8("KEM"), pack("H", 0x0010));
const SUITE = concat(utf8("HPKE"), pack("HHH", 0x0010, 0x0001, 0x0001));

/**
 * The 943 bytes that are sealed. day: local date of the exposure in days since 1970-01-01; level: "low" | "high".
 *
 * Throws declaration_invalid for a number that is none or a text that is too long.
 */
export function encodeDeclaration({ day, level, phone, text }) {
  const invalid = (why) => new Refusal("declaration_invalid", {}, why);
  const words = text.normalize("NFC");
  if (!/^\+?[0-9]{8,15}$/.test(phone)) throw invalid("the telephone number is not 8 to 15 digits");
  if (/[\p{Cc}\p{Cs}]/u.test(words.replace(/\n/g, ""))) throw invalid("text contains a control character");
  const written = utf8(words);
  if (Array.from(words).length > MAX_TEXT_CHARACTERS || written.length > MAX_TEXT_BYTES) throw invalid("text is too long");
  const number = utf8(phone);
  const content = concat(pack("BIBB", 1, day, LEVELS[level], number.length), number, pack("H", written.length), written);
  return concat(content, new Uint8Array(PLAIN_SIZE - content.length));
}

/** Seal for `config.declaration_key` (PEM). Rejects with declaration_key_invalid. */
export async function sealDeclaration(plain, pem) {
  let recipient;
  try {
    recipient = await crypto.subtle.importKey("spki", fromPem(pem), { name: "ECDH", namedCurve: "P-256" }, true, []);
  } catch {
    throw new Refusal("declaration_key_invalid");
  }
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  return sealHpke(plain, recipient, pair, utf8(INFO));
}

/** HPKE base mode, one message: enc || ciphertext. pair: ephemeral; tests give that of the vector. */
export async function sealHpke(plain, recipient, pair, info, aad = new Uint8Array(0)) {
  const raw = async (key) => new Uint8Array(await crypto.subtle.exportKey("raw", key));
  const enc = await raw(pair.publicKey);
  const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: recipient }, pair.privateKey, 256));
  const prk = await extract(KEM, null, "eae_prk", dh);
  const shared = await expand(KEM, prk, "shared_secret", concat(enc, await raw(recipient)), 32);
  const none = new Uint8Array(0);
  const hashes = concat(await extract(SUITE, null, "psk_id_hash", none), await extract(SUITE, null, "info_hash", info));
  const context = concat(Uint8Array.of(0), hashes);
  const secret = await extract(SUITE, shared, "secret", none);
  const key = await expand(SUITE, secret, "key", context, 16);
  const nonce = await expand(SUITE, secret, "base_nonce", context, 12);
  return concat(enc, await sealGcm(key, nonce, plain, aad));
}

/** Send a sealed message; solves a puzzle if asked for one. Rejects with declarations_closed, declarations_full, offline … */
export async function sendDeclaration(client, message, solve) {
  let header = {};
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = decodeUpload(await client.postBytes(PATH, message, ANSWER_SIZE, header));
    if (answer.status === "ok") return;
    if (answer.status !== "puzzle_required") break;
    header = await puzzleHeader(answer.challenge, solve);
  }
  throw new Refusal("declaration_refused", {}, "the server did not accept the declaration");
}

const extract = (suite, salt, label, secret) =>
  hmac(salt === null ? new Uint8Array(32) : salt, concat(utf8("HPKE-v1"), suite, utf8(label), secret));

const expand = (suite, prk, label, info, length) =>
  hkdfExpand(prk, concat(pack("H", length), utf8("HPKE-v1"), suite, utf8(label), info), length);

/** Seal and send what a warned person tells; parts: as the engine has them. Rejects with warning_missing and as above. */
export async function declare(parts, { warningId, phone, text = "" }) {
  const { checking, visits, city, client, environment, sent } = parts;
  const warning = (await checking.warnings(await visits.all())).find((one) => one.id === warningId);
  if (warning === undefined) throw new Refusal("warning_missing", {}, "there is no such warning; nothing was sent");
  const config = await city.held();
  if (config.declarationKey === null) throw new Refusal("declarations_closed");
  const day = utcDay(Date.parse(`${warning.day}T00:00:00Z`) / 1000);
  const message = await sealDeclaration(encodeDeclaration({ day, level: warning.level, phone, text }), config.declarationKey);
  await sent.logged("declared", DECLARATION_SIZE, () => sendDeclaration(client, message, environment.solve));
  return { sent: true };
}
