// SPDX-License-Identifier: Apache-2.0
/**
 * Ed25519 by WebCrypto where the browser has it (Chrome 137, Firefox 129, Safari 17), else by noble-ed25519.
 *
 * Only verification: the web edition signs nothing with Ed25519, so no secret passes through JavaScript's arithmetic.
 */
import { verifyAsync } from "../../vendor/noble-ed25519.js";
import { hex } from "./bytes.js";
import { sha256 } from "./digests.js";

const SMALL_ORDER_SAFE = { zip215: false };
let native; // undefined until asked, then whether WebCrypto has it

/** Whether `signature` (64 bytes) is the key's (32 raw bytes) over `message`. `how`: tests choose one of the two. */
export async function verifyEd25519(publicKey, signature, message, how = "either") {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (how !== "vendored" && native !== false) {
    const answer = await byWebCrypto(publicKey, signature, message);
    if (answer !== null) return answer;
    if (how === "native") return false;
  }
  return byNoble(publicKey, signature, message);
}

/** The first 16 hex digits of SHA-256 of the raw public key: its `kid` in signed files, also shown on the portal. */
export const fingerprint = async (publicKey) => hex(await sha256(publicKey)).slice(0, 16);

async function byWebCrypto(publicKey, signature, message) {
  let key;
  try {
    key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    native = true;
  } catch (error) {
    // A key that is no point is refused with DataError by browsers that have the algorithm.
    if (native === true || error.name === "DataError") return false;
    native = false;
    return null;
  }
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
}

async function byNoble(publicKey, signature, message) {
  try {
    return await verifyAsync(signature, message, publicKey, SMALL_ORDER_SAFE);
  } catch {
    return false;
  }
}
