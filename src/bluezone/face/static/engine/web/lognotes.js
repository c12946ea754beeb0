// SPDX-License-Identifier: Apache-2.0
/** The formats of the city's public log: the tree of hashes, signed notes, cosignatures, proofs (RFC 6962, C2SP). */
import { Refusal } from "../refusal.js";
import { concat, equal, fromBase64, fromUtf8, hex, utf8, view } from "./bytes.js";
import { sha256 } from "./digests.js";
import { fingerprint, verifyEd25519 } from "./ed25519.js";

const LOG_KEY = 1;
const WITNESS_KEY = 4;
export const MOST_BYTES = 64 * 1024;
const MOST_SIGNATURES = 64;
const MOST_HASHES = 63;
const invalid = (why) => new Refusal("log_note_invalid", {}, why);
const unproved = (why) => new Refusal("log_proof_invalid", {}, why);

// The tree of hashes (RFC 6962); sizes are whole numbers up to 2**53, so halves are taken without shifts.

export const leafHash = (content) => sha256(concat(Uint8Array.of(0), content));
const nodeHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right));
const half = (number) => Math.floor(number / 2);

/** The hash that each further one of a proof leads to, and what is left of the path; see `checkInclusion`. */
async function climb(place, last, hashes, step) {
  for (const other of hashes) {
    if (last === 0) throw unproved("the proof is too long");
    const left = place % 2 === 1 || place === last;
    await step(other, left);
    while (left && place % 2 === 0 && place) [place, last] = [half(place), half(last)];
    [place, last] = [half(place), half(last)];
  }
  return last;
}

/** Check that a leaf (its hash) is number `number` of a tree; rejects with log_proof_invalid. */
export async function checkInclusion(leaf, number, size, hashes, root) {
  if (number < 0 || number >= size) throw unproved(`leaf ${number} cannot be in a log of ${size}`);
  let value = leaf;
  const last = await climb(number, size - 1, hashes, async (other, left) => {
    value = left ? await nodeHash(other, value) : await nodeHash(value, other);
  });
  if (last || !equal(value, root)) throw unproved(`leaf ${number} is not in the log of ${size}`);
}

/** Check that a tree begins with all of an older one; rejects with log_proof_invalid. one, other: {size, root}. */
export async function checkConsistency(one, other, hashes) {
  const refused = () => unproved(`the log of ${other.size} does not continue the log of ${one.size}`);
  if (one.size < 1 || one.size > other.size) throw refused();
  if (one.size === other.size) {
    if (hashes.length || !equal(one.root, other.root)) throw refused();
    return;
  }
  let [place, last] = [one.size - 1, other.size - 1];
  const whole = Number.isInteger(Math.log2(one.size)) && 2 ** Math.round(Math.log2(one.size)) === one.size;
  const path = whole ? [one.root, ...hashes] : hashes;
  if (!path.length) throw refused();
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  let [old, value] = [path[0], path[0]];
  const left = await climb(place, last, path.slice(1), async (next, onLeft) => {
    if (onLeft) [old, value] = [await nodeHash(next, old), await nodeHash(next, value)];
    else value = await nodeHash(value, next);
  });
  if (left || !equal(old, one.root) || !equal(value, other.root)) throw refused();
}

// Signed notes, checkpoints, cosignatures and proofs (C2SP)

const keyId = async ({ name, kind, key }) =>
  hex((await sha256(concat(utf8(`${name}\n`), Uint8Array.of(kind), key))).slice(0, 4));

/** The log of the city that has this key. */
export const logKey = async (key) => ({ name: `bluezone/${await fingerprint(key)}`, kind: LOG_KEY, key });

/** A signed note: {text, signatures: {name, id (hex), value}[], data}; rejects with log_note_invalid. */
export function readNote(data) {
  let whole;
  try {
    whole = fromUtf8(data);
  } catch {
    throw invalid("a note is no text");
  }
  const end = whole.lastIndexOf("\n\n");
  if (data.length > MOST_BYTES || end < 0 || !whole.endsWith("\n")) throw invalid("this is no signed note");
  const lines = whole.slice(end + 2, -1).split("\n");
  if (lines.length > MOST_SIGNATURES) throw invalid("a note has too many signatures");
  const signatures = lines.map((line) => {
    const [, name, encoded] = /^— ([!-*,-~]{1,200}) (.+)$/.exec(line) || [];
    const raw = fromBase64(encoded);
    if (raw === null || raw.length <= 4) throw invalid("a line below a note is no signature");
    return { name, id: hex(raw.slice(0, 4)), value: raw.slice(4) };
  });
  return { text: whole.slice(0, end + 1), signatures, data: whole };
}

/** What the log has signed: {size, root}; rejects with log_note_untrusted, log_note_invalid. */
export async function openCheckpoint(note, log) {
  const id = await keyId(log);
  const signed = utf8(note.text);
  const mine = note.signatures.filter((one) => one.name === log.name && one.id === id);
  const good = await Promise.all(mine.map((one) => verifyEd25519(log.key, one.value, signed)));
  if (!good.includes(true)) throw new Refusal("log_note_untrusted", {}, "the checkpoint is not of this log");
  const [, origin, size, root] = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n$/.exec(note.text) || [];
  const raw = fromBase64(root);
  if (raw === null || raw.length !== 32 || !Number.isSafeInteger(Number(size))) throw invalid("the note is no checkpoint");
  if (origin !== log.name) throw new Refusal("log_note_untrusted", {}, `the checkpoint is of ${origin}`);
  return { size: Number(size), root: raw };
}

/** When a witness cosigned a checkpoint, Unix seconds, or null. */
export async function cosignedAt(note, witness) {
  const id = await keyId({ ...witness, kind: WITNESS_KEY });
  let latest = null;
  for (const one of note.signatures) {
    if (one.name !== witness.name || one.id !== id || one.value.length !== 72) continue;
    const moment = view(one.value).getUint32(0) * 2 ** 32 + view(one.value).getUint32(4);
    const signed = utf8(`cosignature/v1\ntime ${moment}\n${note.text}`);
    if (Number.isSafeInteger(moment) && (await verifyEd25519(witness.key, one.value.slice(8), signed))) {
      latest = Math.max(moment, latest || 0);
    }
  }
  return latest;
}

/** Hashes of lines of base64; rejects with log_note_invalid. */
export function readHashes(lines) {
  const hashes = lines.map(fromBase64);
  if (hashes.length > MOST_HASHES || hashes.some((one) => one === null || one.length !== 32)) throw invalid("these are no hashes");
  return hashes;
}

/** A proof that can be handed on: {number, hashes, note}; rejects with log_note_invalid. */
export function readProof(data) {
  const text = readText(data);
  const end = text.indexOf("\n\n");
  const [head, index, ...hashes] = text.slice(0, Math.max(end, 0)).split("\n");
  const [, number] = /^index (0|[1-9][0-9]{0,15})$/.exec(index || "") || [];
  if (head !== "c2sp.org/tlog-proof@v1" || number === undefined) throw invalid("this is no proof of a leaf");
  return { number: Number(number), hashes: readHashes(hashes), note: readNote(utf8(text.slice(end + 2))) };
}

/** UTF-8 text; rejects with log_note_invalid. */
export function readText(data) {
  try {
    return fromUtf8(data);
  } catch {
    throw invalid("a proof is no text");
  }
}

/** Check that a log has signed a tree with this leaf in it; its checkpoint. */
export async function checkProof(proof, content, log) {
  const checkpoint = await openCheckpoint(proof.note, log);
  await checkInclusion(await leafHash(content), proof.number, checkpoint.size, proof.hashes, checkpoint.root);
  return checkpoint;
}
