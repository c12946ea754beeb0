// SPDX-License-Identifier: Apache-2.0
/**
 * Blind RSA (RFC 9474, RSABSSA-SHA384-PSS): the phone's half.
 *
 * Arithmetic with BigInt is not constant in time: another program on the same machine that measures it closely could
 * learn about the blinding factor, not about a key, since the phone has none. JavaScript offers nothing better.
 */
import { Refusal } from "../refusal.js";
import { base64url, concat, fromBigInt, pack, toBigInt } from "./bytes.js";
import { sha384 } from "./digests.js";

const HASH_LENGTH = 48;
const SALT_LENGTH = 48;

/** A public key {n, e: BigInt, length: bytes}; n is hex, its form checked by the config's reader. */
export function publicKey({ n, e }) {
  const modulus = BigInt(`0x${n}`);
  return { n: modulus, e: BigInt(e), bits: modulus.toString(2).length, length: Math.ceil(modulus.toString(2).length / 8) };
}

/**
 * Hide a message from its signer.
 *
 * options: salt (48 random bytes), r (a random unit modulo n); both are given in tests only.
 * Returns {blinded: bytes, inverse: BigInt}. Rejects with blind_signature_invalid.
 */
export async function blind(key, message, { salt, r, randomBytes } = {}) {
  const encoded = toBigInt(await encodePss(message, key.bits - 1, salt || randomBytes(SALT_LENGTH)));
  const factor = r || randomUnit(key, randomBytes);
  const inverse = invert(factor, key.n);
  if (inverse === null || invert(encoded, key.n) === null) throw invalid("message or factor shares a factor with the modulus");
  return { blinded: fromBigInt((encoded * power(factor, key.e, key.n)) % key.n, key.length), inverse };
}

/** Unblind the signer's answer and verify it: the signature's bytes. Rejects with blind_signature_invalid. */
export async function finalize(key, message, blindSignature, inverse, saltLength = SALT_LENGTH) {
  if (blindSignature.length !== key.length) throw invalid(`blind signature is ${blindSignature.length} bytes`);
  const signature = fromBigInt((toBigInt(blindSignature) * inverse) % key.n, key.length);
  if (!(await verify(key, message, signature, saltLength))) throw invalid("the answer is no signature of this message by this key");
  return signature;
}

/** Whether a signature is the key's RSASSA-PSS signature, salt length included; by WebCrypto. */
export async function verify(key, message, signature, saltLength = SALT_LENGTH) {
  const exponent = fromBigInt(key.e, Math.ceil(key.e.toString(16).length / 2));
  const jwk = { kty: "RSA", n: base64url(fromBigInt(key.n, key.length)), e: base64url(exponent), ext: true };
  const imported = await crypto.subtle.importKey("jwk", jwk, { name: "RSA-PSS", hash: "SHA-384" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "RSA-PSS", saltLength }, imported, signature, message);
}

/** base ** exponent mod modulus. */
export function power(base, exponent, modulus) {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** The inverse of a number modulo n, or null if they share a factor. */
export function invert(number, modulus) {
  let [low, high, lowFactor, highFactor] = [number % modulus, modulus, 1n, 0n];
  while (low > 1n) {
    const quotient = high / low;
    [low, high] = [high - quotient * low, low];
    [lowFactor, highFactor] = [highFactor - quotient * lowFactor, lowFactor];
  }
  if (low !== 1n) return null;
  return ((lowFactor % modulus) + modulus) % modulus;
}

const invalid = (why) => new Refusal("blind_signature_invalid", {}, why);

function randomUnit(key, randomBytes) {
  for (;;) {
    const drawn = toBigInt(randomBytes(key.length));
    if (drawn > 0n && drawn < key.n) return drawn;
  }
}

/** EMSA-PSS encoding with SHA-384 (RFC 8017 section 9.1.1). */
async function encodePss(message, bits, salt) {
  const length = Math.ceil(bits / 8);
  const digest = await sha384(concat(new Uint8Array(8), await sha384(message), salt));
  const block = concat(new Uint8Array(length - salt.length - HASH_LENGTH - 2), Uint8Array.of(1), salt);
  const mask = await mgf1(digest, block.length);
  const masked = block.map((byte, place) => byte ^ mask[place]);
  masked[0] &= 0xff >> (8 * length - bits);
  return concat(masked, digest, Uint8Array.of(0xbc));
}

/** MGF1 with SHA-384 (RFC 8017 section B.2.1). */
async function mgf1(seed, length) {
  const blocks = [];
  for (let number = 0; number * HASH_LENGTH < length; number += 1) blocks.push(await sha384(concat(seed, pack("I", number))));
  return concat(...blocks).slice(0, length);
}
