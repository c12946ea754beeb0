// SPDX-License-Identifier: Apache-2.0
/**
 * The envelope of every file that phones fetch except packages, and the chain of their history (docs/protocol.md
 * section 5).
 */
import { Refusal } from "../refusal.js";
import { concat, fromBase64, fromUtf8, utf8 } from "./bytes.js";
import { sha256 } from "./digests.js";
import { verifyEd25519 } from "./ed25519.js";

export const CHAIN_START = new Uint8Array(32);
export const MAX_SIGNED_BYTES = 2 * 1024 * 1024;

/**
 * The payload of a signed file.
 *
 * kind: "config" | "venues" | "exports"; trusted: {fingerprint: raw public key}.
 * Rejects with signed_file_invalid (another shape, cut) or signature_untrusted.
 */
export async function openSigned(kind, data, trusted) {
  const invalid = (why) => new Refusal("signed_file_invalid", { kind }, why);
  if (data.length > MAX_SIGNED_BYTES) throw invalid(`signed file is ${data.length} bytes`);
  let envelope;
  try {
    envelope = JSON.parse(fromUtf8(data));
  } catch {
    throw invalid(`signed file of ${data.length} bytes is not JSON`);
  }
  const members = envelope !== null && typeof envelope === "object" ? Object.keys(envelope).sort().join() : "";
  if (members !== "kid,payload,sig") throw invalid("signed file does not consist of payload, kid and sig");
  const payload = fromBase64(envelope.payload);
  const signature = fromBase64(envelope.sig);
  if (payload === null || signature === null) throw invalid("payload or signature is not base64");
  const known = typeof envelope.kid === "string" && Object.prototype.hasOwnProperty.call(trusted, envelope.kid);
  const signed = concat(utf8(`BZ-SIGNED-v1\0${kind}\0`), payload);
  if (!known || !(await verifyEd25519(trusted[envelope.kid], signature, signed))) {
    throw new Refusal("signature_untrusted", { kind }, `no trusted key signed this ${kind} file`);
  }
  return payload;
}

/** The chain value after a file. */
export const extendChain = (previous, fileSha256) => sha256(concat(previous, fileSha256));
