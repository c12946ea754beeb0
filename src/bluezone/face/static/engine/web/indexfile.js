// SPDX-License-Identifier: Apache-2.0
/**
 * The signed index of venue packages, and how a phone follows it without being led back or aside (docs/protocol.md
 * section 5).
 */
import { Refusal } from "../refusal.js";
import { equal, fromHex, hex } from "./bytes.js";
import { JsonMembers } from "./jsonmembers.js";
import { CHAIN_START, extendChain } from "./signedjson.js";

export const STALE_SECONDS = 36 * 3600;
const SHA256 = "[0-9a-f]{64}";
// A name goes into an address: no separators, no leading dot.
const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}";

/**
 * Read an index's payload, its signature already checked; rejects with index_invalid.
 *
 * Returns {kind, number, generatedAt, configSha256, chainBefore, entries: {number, name, sha256, size}[], firstNumber,
 * revoked: hex SHA-256 of codes no longer in force, registered: how many are}.
 */
export function decodeIndex(payload) {
  const read = JsonMembers.parse(payload, "index_invalid");
  const kind = read.text("kind", "exports|venues");
  const index = {
    kind,
    number: read.integer("number"),
    generatedAt: read.integer("generated_at"),
    configSha256: read.text("config_sha256", SHA256),
    chainBefore: read.text("chain_before", SHA256),
    entries: read.each("entries").map(entryOf),
    revoked: kind === "venues" ? read.texts("revoked", SHA256) : [],
    registered: kind === "venues" ? read.integer("registered") : 0,
    epoch: read.has("epoch") ? read.integer("epoch", 1) : 0,
    earlier: read.has("earlier") ? read.each("earlier").map(entryOf) : [],
    earlierChain: read.has("earlier") ? read.text("earlier_chain", SHA256) : null,
  };
  index.firstNumber = index.number - index.entries.length + 1;
  if (index.entries.some((entry, place) => entry.number !== index.firstNumber + place)) {
    throw new Refusal("index_invalid", {}, `entries do not run up to number ${index.number} without a gap`);
  }
  if (index.firstNumber < 1 || (index.firstNumber === 1 && index.chainBefore !== hex(CHAIN_START))) {
    throw new Refusal("index_invalid", {}, "the chain before file 1 is not zero");
  }
  const numbers = index.earlier.map((entry) => entry.number);
  if (numbers.length && (!index.epoch || numbers.some((number, i) => number >= (numbers[i + 1] || index.firstNumber)))) {
    throw new Refusal("index_invalid", {}, "the files from before the epoch are not in the order of their numbers");
  }
  return index;
}

function entryOf(entry) {
  return {
    number: entry.integer("number", 1),
    name: entry.text("name", NAME),
    sha256: entry.text("sha256", SHA256),
    size: entry.integer("size", 1),
  };
}

/** Every chain value (hex) that an index tells, by the number of the file it stands behind; rejects with index_invalid. */
export async function headsOf(index) {
  const told = {};
  for (const [before, entries] of [[index.earlierChain, index.earlier], [index.chainBefore, index.entries]]) {
    if (before === null) continue;
    let value = fromHex(before);
    told[(entries.length ? entries[0].number : index.firstNumber) - 1] = before;
    for (const entry of entries) {
      value = await extendChain(value, fromHex(entry.sha256));
      told[entry.number] = hex(value);
    }
  }
  const last = index.earlier[index.earlier.length - 1];
  if (last !== undefined && told[last.number] !== index.chainBefore) {
    throw new Refusal("index_invalid", {}, "the chain of the files from before the epoch does not lead to those after it");
  }
  return told;
}

/** The chain value after file `upTo`; rejects with index_gap below what is listed, index_rolled_back above it. */
export async function chainValue(index, upTo) {
  const details = { listed: index.number, held: upTo };
  if (upTo < index.firstNumber - 1) throw new Refusal("index_gap", details);
  if (upTo > index.number) throw new Refusal("index_rolled_back", details);
  let value = fromHex(index.chainBefore);
  for (const entry of index.entries.slice(0, upTo - index.firstNumber + 1)) {
    value = await extendChain(value, fromHex(entry.sha256));
  }
  return value;
}

/**
 * The entries to fetch, oldest first, when the index continues what is held.
 *
 * Rejects with index_rolled_back, index_history_differs, index_gap; what is held stays.
 */
export async function followIndex(index, heldNumber, heldChain) {
  if (!equal(await chainValue(index, heldNumber), heldChain)) {
    throw new Refusal("index_history_differs", { held: heldNumber });
  }
  return index.entries.slice(heldNumber - index.firstNumber + 1);
}
