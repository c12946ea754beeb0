// SPDX-License-Identifier: Apache-2.0
/**
 * Requests and answers of a report, to the byte: one size whatever they carry, filled with chance (docs/protocol.md
 * section 4).
 */
import { Refusal } from "../refusal.js";
import { concat, pack, view } from "./bytes.js";
import { encodeKeys, encodeSlots } from "./payload.js";

export const VERIFY_SIZE = 1024;
export const UPLOAD_SIZE = 4096;
export const ANSWER_SIZE = 1024;
export const STATUS = Object.freeze([
  "ok", "code_invalid", "code_used", "code_expired", "kid_refused",
  "bad_request", "puzzle_required", "signature_invalid", "keys_refused",
]);
const VERSION = 1;
const PUZZLE_SIZE = 40;
const NO_PUZZLE = new Uint8Array(PUZZLE_SIZE);

/** Verify 1. request: {chaff, credential: {kind, value}, puzzle?: 40 bytes}. */
export const encodeVerify1 = (request, randomBytes) =>
  filled(verifyHeader(request, 1), VERIFY_SIZE, request, randomBytes);

/** Verify 2. request: as verify 1, and kid, blinded (256 bytes). */
export const encodeVerify2 = (request, randomBytes) =>
  filled(concat(verifyHeader(request, 2), pack("H", request.kid), request.blinded), VERIFY_SIZE, request, randomBytes);

/** Upload. request: {chaff, kid, rand, signature, salt, keys, slots: 38 bytes each, puzzle?}. */
export function encodeUpload(request, randomBytes) {
  const head = concat(pack("BBH", VERSION, request.chaff ? 1 : 0, request.kid), request.rand, request.signature, request.salt);
  return filled(concat(head, encodeKeys(request.keys), encodeSlots(request.slots)), UPLOAD_SIZE, request, randomBytes);
}

/** {status, challenge?, klass, kid, onsetDay} of an answer to verify 1. Throws bad_answer. */
export function decodeVerify1(body) {
  const answer = decode(body);
  if (answer.status !== "ok") return answer;
  const read = view(body);
  const klass = read.getUint8(2);
  if (klass > 2) throw new Refusal("bad_answer", {}, `class is ${klass}`);
  return { ...answer, klass, kid: read.getUint16(3), onsetDay: read.getInt32(5) };
}

/** {status, challenge?, kid, blindSignature} of an answer to verify 2. Throws bad_answer. */
export function decodeVerify2(body) {
  const answer = decode(body);
  if (answer.status !== "ok") return answer;
  return { ...answer, kid: view(body).getUint16(2), blindSignature: body.slice(4, 260) };
}

/** {status, challenge?} of an answer to an upload. Throws bad_answer. */
export const decodeUpload = (body) => decode(body);

function verifyHeader({ chaff, credential }, step) {
  return concat(pack("BBBB", VERSION, chaff ? 1 : 0, step, credential.kind), credential.value);
}

function filled(content, size, { puzzle = NO_PUZZLE }, randomBytes) {
  return concat(content, randomBytes(size - PUZZLE_SIZE - content.length), puzzle);
}

function decode(body) {
  if (body.length !== ANSWER_SIZE) throw new Refusal("bad_answer", {}, `answer is ${body.length} bytes`);
  if (body[0] !== VERSION || body[1] >= STATUS.length) {
    throw new Refusal("bad_answer", {}, `answer has version ${body[0]} and status ${body[1]}`);
  }
  const status = STATUS[body[1]];
  return status === "puzzle_required" ? { status, challenge: body.slice(2, 34) } : { status };
}
