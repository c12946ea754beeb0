// SPDX-License-Identifier: Apache-2.0
/** SHA-2, HMAC, HKDF and AES-GCM by WebCrypto. */
import { concat } from "./bytes.js";

const subtle = () => crypto.subtle;

/** SHA-256, 32 bytes. */
export const sha256 = async (bytes) => new Uint8Array(await subtle().digest("SHA-256", bytes));

/** SHA-384, 48 bytes. */
export const sha384 = async (bytes) => new Uint8Array(await subtle().digest("SHA-384", bytes));

/** HMAC-SHA256 of `message`, 32 bytes. */
export async function hmac(key, message) {
  const imported = await subtle().importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle().sign("HMAC", imported, message));
}

/** HKDF-SHA256 (RFC 5869) with an empty salt unless given. */
export async function hkdf(secret, info, length, salt = new Uint8Array(0)) {
  return hkdfExpand(await hmac(salt.length ? salt : new Uint8Array(32), secret), info, length);
}

/** The second half of HKDF: `length` bytes, at most 8,160, of a pseudorandom key. */
export async function hkdfExpand(key, info, length) {
  let block = new Uint8Array(0);
  let made = new Uint8Array(0);
  for (let number = 1; made.length < length; number += 1) {
    block = await hmac(key, concat(block, info, Uint8Array.of(number)));
    made = concat(made, block);
  }
  return made.slice(0, length);
}

/** Plain bytes of AES-GCM (16-byte tag), or null if the key, the nonce or `aad` is another or a byte was changed. */
export async function openGcm(key, nonce, sealed, aad) {
  const imported = await subtle().importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  try {
    return new Uint8Array(await subtle().decrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, imported, sealed));
  } catch {
    return null;
  }
}

/** AES-GCM: encrypted bytes with their 16-byte tag. */
export async function sealGcm(key, nonce, plain, aad) {
  const imported = await subtle().importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return new Uint8Array(await subtle().encrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, imported, plain));
}
