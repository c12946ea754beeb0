// SPDX-License-Identifier: Apache-2.0
/**
 * A new epoch: how a city goes on after part of its history was lost, and what a phone asks before it goes along
 * (docs/protocol.md section 5 "Epochs"). The record is signed by the recovery key, which is on no server.
 */
import { Refusal } from "../refusal.js";
import { fromBase64, fromHex } from "./bytes.js";
import { fingerprint } from "./ed25519.js";
import { JsonMembers } from "./jsonmembers.js";
import { openSigned } from "./signedjson.js";

// What this edition follows; it fetches no export files.
export const KINDS = ["config", "venues"];
const LEAST_SECONDS = 7 * 86_400;
const CODE = "epoch_invalid";
const refused = (why, message) => new Refusal("epoch_refused", { why }, `${why}: ${message}`);

/**
 * The record of an epoch: {number, openedAt, config, venues: {first, ancestor, head (hex)}}.
 *
 * pinned: {key (hex), first: whether it stood in the first config ever accepted, at} or undefined. Rejects with
 * epoch_refused, signature_untrusted, epoch_invalid.
 */
export async function openEpoch(record, pinned, now) {
  if (pinned === undefined) throw refused("no_key", "this phone was never told of a recovery key");
  if (!pinned.first && now - pinned.at < LEAST_SECONDS) throw refused("new_key", "the recovery key is less than a week old");
  const key = fromHex(pinned.key);
  const data = fromBase64(record);
  if (data === null) throw new Refusal(CODE, {}, "the record of an epoch is not base64");
  const read = JsonMembers.parse(await openSigned("epoch", data, { [await fingerprint(key)]: key }), CODE);
  return {
    number: read.integer("number", 1), openedAt: read.integer("opened_at"),
    config: branch(read.inner("config")), exports: branch(read.inner("exports")), venues: branch(read.inner("venues")),
  };
}

/**
 * Check that a phone may go along; rejects with epoch_refused.
 *
 * held: {number, acceptedAt or null, seen: {kind: number}, heads: {kind: {number: hex}}}; now: trusted Unix seconds.
 */
export function checkEpoch(epoch, held, now) {
  if (epoch.number !== held.number + 1) throw refused("number", `epoch ${epoch.number} does not follow ${held.number}`);
  if (held.acceptedAt !== null && now - held.acceptedAt < LEAST_SECONDS) {
    throw refused("too_soon", "this phone went along with another epoch less than a week ago");
  }
  for (const kind of KINDS) {
    const { first, ancestor, head } = epoch[kind];
    if (first <= held.seen[kind]) throw refused("rolled_back", `${kind} go on with ${first}`);
    // Of what a phone has not come to yet it knows no head: then the files must lead there from where it stands.
    if (ancestor <= held.seen[kind] && held.heads[kind][ancestor] !== head) {
      throw refused("ancestor", `${kind} ${ancestor} is not as this phone knows it`);
    }
  }
}

/** Check that the first config of an epoch brings no key that the held one did not have, week keys excepted. */
export function checkFirstConfig(config, epoch, held) {
  if (config.number !== epoch.config.first || config.history.length || config.epochs.length !== epoch.number) {
    throw refused("first_config", `config ${config.number} does not begin epoch ${epoch.number}`);
  }
  if (config.generatedAt < held.generatedAt) throw refused("rolled_back", `it is of ${config.generatedAt}`);
  for (const name of ["declarationKey", "pushKey", "recoveryKey"]) {
    if (config[name] !== null && config[name] !== held[name]) throw refused("new_key", name);
  }
  if (!config.exportKeys.every((key) => held.exportKeys.includes(key))) throw refused("new_key", "exportKeys");
  if (!Object.entries(config.venueKeys).every(([kid, key]) => held.venueKeys[kid] === key)) throw refused("new_key", "venueKeys");
}

/** Refuse an epoch that comes with a week key that was never announced. */
export const refuseNewWeekKey = () => { throw refused("new_key", "weekKeys"); };

/** Refuse an epoch whose last config of the old history is not the one it names. */
export const refuseAncestor = (number) => { throw refused("ancestor", `config ${number} is not the one that the epoch names`); };

function branch(read) {
  const one = { first: read.integer("first", 1), ancestor: read.integer("ancestor"), head: read.text("head", "[0-9a-f]{64}") };
  if (one.ancestor >= one.first) throw new Refusal(CODE, {}, "an epoch goes on with a number that is not above its ancestor");
  return one;
}
