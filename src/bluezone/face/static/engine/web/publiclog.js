// SPDX-License-Identifier: Apache-2.0
/**
 * The city's public log as this browser sees it: what needs a quorum of witnesses, who watches, what does not fit
 * (docs/protocol.md section 9). What needs no quorum is never held up by it: the owner is told, and the look goes on.
 */
import { Refusal } from "../refusal.js";
import { fromBase64, fromHex, hex, utf8 } from "./bytes.js";
import { sha256 } from "./digests.js";
import { JsonMembers } from "./jsonmembers.js";
import {
  checkConsistency, checkProof, cosignedAt, leafHash, logKey, MOST_BYTES, openCheckpoint, readHashes, readNote, readProof, readText,
} from "./lognotes.js";

const HEAD = "bluezone-log/v1";
const MOST_WITNESSES = 16;
const AHEAD_SECONDS = 3600;
const PATIENCE_SECONDS = 86_400;
const UNWATCHED_SECONDS = 3 * 86_400;
const HERE = /^(?:localhost|.*\.localhost|127(?:\.[0-9]+){3}|0(?:\.0){3})$/;
const SPLIT_VIEW = "split_view";

// Leaves

const leaf = (...words) => utf8([HEAD, ...words].join(" "));
const configLeaf = (config) => leaf("config", config.number, config.sha256);
const headLeaf = (kind, { epoch = 0, number, chain }) => leaf(kind, epoch, number, chain);
const policyLeaf = async (number, payload) => leaf("witnesses", number, hex(await sha256(payload)));
const epochLeaf = async (record) => leaf("epoch", hex(await sha256(fromBase64(record))));

/** Members sorted by their bytes: a browser would put numbers among them first, in their order. */
const sorted = (members) => Object.keys(members).sort().map((name) => `${JSON.stringify(name)}:${members[name]}`).join();

async function cityKeysLeaf(config) {
  const venues = Object.entries(config.venueKeys).map(([kid, key]) => [kid, JSON.stringify(key)]);
  const told = sorted({
    declaration_key: JSON.stringify(config.declarationKey), export_keys: JSON.stringify(config.exportKeys),
    push_key: JSON.stringify(config.pushKey), recovery_key: JSON.stringify(config.recoveryKey),
    venue_keys: `{${sorted(Object.fromEntries(venues))}}`,
  });
  return leaf("city-keys", hex(await sha256(utf8(`{${told}}`))));
}

function bringsCityKey(config, held) {
  if (!config.exportKeys.every((key) => held.exportKeys.includes(key))) return true;
  if (!Object.entries(config.venueKeys).every(([kid, key]) => held.venueKeys[kid] === key)) return true;
  return ["declarationKey", "pushKey", "recoveryKey"].some((name) => config[name] !== null && config[name] !== held[name]);
}

// Who watches

/** A record of who watches: {payload, proof, quorum, witnesses: {name, operator, key}[]}; rejects with witnesses_invalid. */
function readRecord(record) {
  const code = "witnesses_invalid";
  const outer = JsonMembers.parse(fromBase64(record) || new Uint8Array(0), code);
  const payload = fromBase64(outer.text("policy"));
  if (payload === null) throw new Refusal(code, {}, "who watches is not base64");
  const read = JsonMembers.parse(payload, code);
  const witnesses = read.each("witnesses").map((one) => ({
    name: one.text("name", "[a-z0-9][a-z0-9.-]{0,100}(?:/[A-Za-z0-9._~-]{1,80})?"),
    operator: one.text("operator", "[^\\x00-\\x1f\\x7f]{1,100}"),
    key: fromHex(one.text("key", "[0-9a-f]{64}")),
  }));
  const quorum = read.integer("quorum", 1);
  const names = new Set(witnesses.map((one) => one.name));
  if (quorum > witnesses.length || witnesses.length > MOST_WITNESSES || names.size < witnesses.length) {
    throw new Refusal(code, {}, `a quorum of ${quorum} cannot come of ${witnesses.length} witnesses`);
  }
  return { payload, proof: outer.text("proof", "[^]*"), quorum, witnesses };
}

/** The policy after these records, or null. */
const policyOf = (records) => (records.length ? readRecord(records[records.length - 1]) : null);

/** Those that can count: not on a host of the city or under its key, and one of each operator, host and key. */
function counted(policy, config, cityKey) {
  const bare = (host) => host.replace(/:[0-9]+$/, "");
  const own = [bare(config.publicHost), bare(config.officeHost)];
  const taken = new Set([hex(cityKey)]);
  return policy.witnesses.filter(({ name, operator, key }) => {
    const host = name.split("/")[0];
    const marks = [hex(key), `host ${host}`, `operator ${operator.toLowerCase().split(/\s+/).filter(Boolean).join(" ")}`];
    if (own.includes(host) || HERE.test(host) || marks.some((mark) => taken.has(mark))) return false;
    marks.forEach((mark) => taken.add(mark));
    return true;
  });
}

/** [witness, when] of those that count and have cosigned a checkpoint. */
async function signedBy(policy, note, config, cityKey, now) {
  const found = counted(policy, config, cityKey).map(async (one) => [one, await cosignedAt(note, one)]);
  return (await Promise.all(found)).filter(([, moment]) => moment !== null && moment <= now + AHEAD_SECONDS);
}

async function requireQuorum(policy, proof, content, config, cityKey, now) {
  const missing = (why) => new Refusal("witness_quorum_missing", {}, why);
  try {
    await checkProof(proof, content, await logKey(cityKey));
  } catch (refusal) {
    throw missing(`the log does not hold what it should: ${refusal.code}`);
  }
  const signed = await signedBy(policy, proof.note, config, cityKey, now);
  if (signed.length < policy.quorum) throw missing(`${signed.length} witnesses have signed, expected ${policy.quorum}`);
}

async function followWitnesses(config, held, cityKey, now) {
  const refused = (why) => new Refusal("witnesses_refused", {}, why);
  if (!held.witnesses.every((record, place) => config.witnesses[place] === record)) throw refused("who watches was changed");
  let policy = policyOf(held.witnesses);
  for (let number = held.witnesses.length; number < config.witnesses.length; number += 1) {
    const following = readRecord(config.witnesses[number]);
    if (policy !== null) {
      try {
        const content = await policyLeaf(number, following.payload);
        await requireQuorum(policy, readProof(utf8(following.proof)), content, held, cityKey, now);
      } catch (refusal) {
        throw refused(`those who watched have not agreed: ${refusal.code}`);
      }
    }
    policy = following;
  }
}

/** What this browser knows of the log. cityKey: () -> promise of the pinned key. */
export class PublicLog {
  constructor(store, client, cityKey) {
    Object.assign(this, { store, client, cityKey });
  }

  /** Rejects with witnesses_refused or witness_quorum_missing where a config needs those who watch, and lacks them. */
  async requireAgreed(config, held, now) {
    await followWitnesses(config, held, await this.cityKey(), now);
    if (bringsCityKey(config, held)) await this.require(await cityKeysLeaf(config), held, now);
  }

  /** The same for an epoch: its record, and the first config in it. */
  async requireEpoch(record, first, held, now) {
    await this.require(await epochLeaf(record), held, now);
    await this.requireAgreed(first, held, now);
  }

  /** Rejects with witness_quorum_missing unless the quorum of the config held has signed for a leaf. */
  async require(content, held, now) {
    const policy = policyOf(held.witnesses);
    if (policy === null) return;
    let proof;
    try {
      proof = readProof(await this.get(`proof/${hex(await leafHash(content))}`));
    } catch (refusal) {
      if (refusal.code === "offline") throw refusal;
      throw new Refusal("witness_quorum_missing", {}, "the log does not show what witnesses should have signed");
    }
    await requireQuorum(policy, proof, content, held, await this.cityKey(), now);
  }

  /** Look whether the log grew, holds what this browser has, and is watched; tells by a notice and never rejects. */
  async look(config, head, now) {
    try {
      await this.compare(config, head, now);
    } catch (refusal) {
      if (refusal.code === "offline" || refusal.code === "storage_full") return;
      if (refusal.code === SPLIT_VIEW) {
        await this.store.write({ log_notice: SPLIT_VIEW });
        return;
      }
      const kept = await this.kept();
      const missingSince = kept.missingSince || now;
      await this.store.write({ log: { ...kept, missingSince } });
      if (now - missingSince >= PATIENCE_SECONDS) await this.tell("log_missing");
    }
  }

  async compare(config, head, now) {
    const log = await logKey(await this.cityKey());
    const newest = readNote(await this.get("checkpoint"));
    await this.take(newest, await openCheckpoint(newest, log), log);
    const seen = [newest];
    for (const content of [configLeaf(config), ...(head ? [headLeaf("venues", head)] : [])]) {
      const proof = readProof(await this.get(`proof/${hex(await leafHash(content))}`));
      const checkpoint = await checkProof(proof, content, log);
      if (seen.every((note) => note.text !== proof.note.text)) await this.take(proof.note, checkpoint, log);
      seen.push(proof.note);
    }
    await this.noteWatchers(config, seen, now);
  }

  /** Check a signed checkpoint against the one held, and hold the larger. */
  async take(note, checkpoint, log) {
    const kept = await this.kept();
    if (!kept.note) return this.store.write({ log: { ...kept, note: note.data } });
    const heldNote = readNote(utf8(kept.note));
    const held = await openCheckpoint(heldNote, log);
    const [one, other] = held.size <= checkpoint.size ? [held, checkpoint] : [checkpoint, held];
    const lines = one.size < other.size ? await this.get(`consistency/${one.size}/${other.size}`) : new Uint8Array(0);
    try {
      await checkConsistency(one, other, readHashes(readText(lines).split("\n").slice(0, -1)));
    } catch {
      await this.store.write({ log: { ...kept, evidence: kept.evidence || [kept.note, note.data] } });
      throw new Refusal(SPLIT_VIEW);
    }
    return checkpoint.size > held.size ? this.store.write({ log: { ...kept, note: note.data } }) : undefined;
  }

  async noteWatchers(config, notes, now) {
    const policy = policyOf(config.witnesses);
    const kept = await this.kept();
    const moments = { ...kept.moments };
    for (const note of notes) {
      for (const [witness, moment] of await signedBy(policy, note, config, await this.cityKey(), now)) {
        moments[hex(witness.key)] = Math.max(moment, moments[hex(witness.key)] || 0);
      }
    }
    const fresh = policy.witnesses.map((one) => moments[hex(one.key)] || 0).sort((one, other) => other - one);
    const watchedSince = kept.watchedSince || now;
    await this.store.write({ log: { ...kept, moments, watchedSince, missingSince: null } });
    const unwatched = Math.max(fresh[policy.quorum - 1], watchedSince) < now - UNWATCHED_SECONDS;
    await this.tell(unwatched ? "log_unwatched" : undefined);
  }

  /** {name, operator, at: when it last cosigned what was seen here, or null}[] of those that count. */
  async watchers(config) {
    const policy = config === null ? null : policyOf(config.witnesses);
    if (policy === null) return [];
    const { moments = {} } = await this.kept();
    const those = counted(policy, config, await this.cityKey());
    return those.map(({ name, operator, key }) => ({ name, operator, at: moments[hex(key)] || null }));
  }

  /** Two signed checkpoints that contradict each other, or null. */
  async evidence() {
    return (await this.kept()).evidence || null;
  }

  // Contradiction is not taken back by a later answer that fits.
  async tell(code) {
    if ((await this.store.get("log_notice")) !== SPLIT_VIEW) await this.store.write({ log_notice: code });
  }

  get(path) {
    return this.client.get(`/v1/log/${path}`, MOST_BYTES);
  }

  async kept() {
    return (await this.store.get("log")) || {};
  }
}
