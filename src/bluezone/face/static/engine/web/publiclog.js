// SPDX-License-Identifier: Apache-2.0
/**
 * The city's public log as this browser reads it, leaf by leaf: of each name the first leaf counts, keys for
 * certificates have to be among them, and some changes need a quorum of witnesses (docs/protocol.md section 9). What else
 * does not fit holds nothing up: the owner is told, and the look goes on.
 */
import { Refusal } from "../refusal.js";
import { equal, fromBase64, fromHex, hex, utf8 } from "./bytes.js";
import { sha256 } from "./digests.js";
import { JsonMembers } from "./jsonmembers.js";
import { ReadLeaves } from "./logleaves.js";
import {
  checkConsistency, checkProof, cosignedAt, leafHash, logKey, MOST_BYTES, openCheckpoint, provableSize, readHashes, readNote,
  readProof, readText, rootOf, subtreesOf, unpackLeaves,
} from "./lognotes.js";

const HEAD = "bluezone-log/v1";
const MOST_WITNESSES = 16;
const AHEAD_SECONDS = 3600;
const PATIENCE_SECONDS = 86_400;
const UNWATCHED_SECONDS = 3 * 86_400;
const HERE = /^(?:localhost|.*\.localhost|127(?:\.[0-9]+){3}|0(?:\.0){3})$/;
const READING_PAUSE_SECONDS = 8 * 3600;
const MOST_LEAVES = 512;
// How many leaves are read where nothing was read for long: those of some seven weeks.
const READ_BACK = 4 * MOST_LEAVES;
const SPLIT_VIEW = "split_view";
const SECOND_LEAF = "log_second_leaf";
const LASTING = [SPLIT_VIEW, SECOND_LEAF];
const leafMissing = (why) => new Refusal("log_leaf_missing", {}, why);

// Leaves

const leaf = (...words) => utf8([HEAD, ...words].join(" "));
const configLeaf = (config) => leaf("config", config.number, config.sha256);
const headLeaf = (kind, { epoch = 0, number, chain }) => leaf(kind, epoch, number, chain);
const policyLeaf = async (number, payload) => leaf("witnesses", number, hex(await sha256(payload)));
const epochLeaf = async (record, ...number) => leaf("epoch", ...number, hex(await sha256(fromBase64(record))));

/** A week key's leaf, if it was first announced in this epoch. */
async function weekKeyLeaf(key, epoch) {
  const members = [key.kid, key.purpose, key.klass, key.week, key.use_from, key.accept_until, key.n, key.e];
  const digest = hex(await sha256(utf8(JSON.stringify(members))));
  return leaf("week-key", epoch, key.purpose, key.klass, key.week, key.kid, digest);
}

/** The leaves that a week key of a config can have: of its epoch and those before. */
const weekKeyLeaves = (key, config) =>
  Promise.all(Array.from({ length: config.epochs.length + 1 }, (_, epoch) => weekKeyLeaf(key, epoch)));

/** Members sorted by their bytes: a browser would put numbers among them first, in their order. */
const sorted = (members) => Object.keys(members).sort().map((name) => `${JSON.stringify(name)}:${members[name]}`).join();

async function cityKeysLeaf(config, ...count) {
  const venues = Object.entries(config.venueKeys).map(([kid, key]) => [kid, JSON.stringify(key)]);
  const told = sorted({
    declaration_key: JSON.stringify(config.declarationKey), export_keys: JSON.stringify(config.exportKeys),
    push_key: JSON.stringify(config.pushKey), recovery_key: JSON.stringify(config.recoveryKey),
    venue_keys: `{${sorted(Object.fromEntries(venues))}}`,
  });
  return leaf("city-keys", ...count, hex(await sha256(utf8(`{${told}}`))));
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
    reads: one.has("reads") && one.boolean("reads"),
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

/** Whether a quorum has cosigned a checkpoint: of the witnesses that read, if they are enough for one. */
async function hasQuorum(policy, note, config, cityKey, now) {
  const readers = counted(policy, config, cityKey).filter(({ reads }) => reads).length;
  const signed = await signedBy(policy, note, config, cityKey, now);
  return signed.filter(([{ reads }]) => reads || readers < policy.quorum).length >= policy.quorum;
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
    if (policyOf(held.witnesses) === null || !bringsCityKey(config, held)) return;
    if (held.log === null) {
      await this.require(await cityKeysLeaf(config), held, now);
      return;
    }
    const leaves = await this.readForQuorum(held);
    const names = Object.keys(leaves.first).filter((name) => name.startsWith("city-keys "));
    for (const count of names.map((name) => Number(name.split(" ")[1])).sort((one, other) => one - other)) {
      const content = await cityKeysLeaf(config, count);
      if ((await leaves.position(content)) !== null) {
        await this.require(content, held, now);
        return;
      }
    }
    throw new Refusal("witness_quorum_missing", {}, "the log does not have these keys as the first of their name");
  }

  /** The same for an epoch: its record and number, and the first config in it. */
  async requireEpoch(record, number, first, held, now) {
    if (policyOf(held.witnesses) !== null) {
      const content = await (held.log === null ? epochLeaf(record) : epochLeaf(record, number));
      if (held.log !== null && (await (await this.readForQuorum(held)).position(content)) === null) {
        throw new Refusal("witness_quorum_missing", {}, "the log does not have this epoch as the first of its name");
      }
      await this.require(content, held, now);
    }
    await this.requireAgreed(first, held, now);
  }

  /** Rejects with witness_quorum_missing unless the quorum of the config held has signed for a leaf. */
  async require(content, held, now) {
    const policy = policyOf(held.witnesses);
    let proof;
    try {
      proof = await this.proof(content);
    } catch (refusal) {
      if (refusal.code === "offline") throw refusal;
      throw new Refusal("witness_quorum_missing", {}, "the log does not show what witnesses should have signed");
    }
    await requireQuorum(policy, proof, content, held, await this.cityKey(), now);
  }

  /** Rejects with week_key_untrusted unless a week key of the config held is the first of its name in the log. */
  async requireKey(key, config, now) {
    const untrusted = (why) => new Refusal("week_key_untrusted", { kid: key.kid }, why);
    const contents = await weekKeyLeaves(key, config);
    let number;
    try {
      number = await (await this.leaves()).positionOfAny(contents);
      if (number === null) number = await (await this.read(config, now)).positionOfAny(contents);
      const policy = policyOf(config.witnesses);
      const { watched = 0 } = await this.kept();
      if (policy !== null && number !== null && number >= watched) await this.fetchWatched(contents, policy, config, now);
    } catch (refusal) {
      if (refusal.code === "offline" || refusal.code === "storage_full") throw refusal;
      if (refusal.code === SPLIT_VIEW) await this.tell(SPLIT_VIEW);
      throw untrusted(`key ${key.kid} cannot be found in the log: ${refusal.code}`);
    }
    if (number !== null) return;
    if (await (await this.leaves()).hasOther(contents)) await this.tell(SECOND_LEAF);
    throw untrusted(`key ${key.kid} is not the first of its name in the log; nothing was sent`);
  }

  /** Fetch a checkpoint that a quorum has signed and that has one of these leaves. */
  async fetchWatched(contents, policy, config, now) {
    const leaves = await this.leaves();
    for (const content of contents) {
      const number = await leaves.position(content);
      if (number !== null) {
        const proof = await this.proof(content);
        const log = await logKey(await this.cityKey());
        const checkpoint = await checkProof(proof, content, log);
        await this.take(proof.note, checkpoint, log);
        if (proof.number !== number || !(await hasQuorum(policy, proof.note, config, await this.cityKey(), now))) {
          throw new Refusal("witness_quorum_missing", {}, "no quorum of witnesses has signed for it yet");
        }
        await this.store.write({ log: { ...(await this.kept()), watched: checkpoint.size } });
        return;
      }
    }
  }

  async readForQuorum(held) {
    try {
      return await this.read(held, null);
    } catch (refusal) {
      if (refusal.code === "offline" || refusal.code === "storage_full") throw refusal;
      if (refusal.code === SPLIT_VIEW) await this.tell(SPLIT_VIEW);
      throw new Refusal("witness_quorum_missing", {}, `the log cannot be read: ${refusal.code}`);
    }
  }

  /** Read the log, and look whether it has what this browser has, and is watched; tells by a notice and never rejects. */
  async look(config, head, now) {
    if (config.log === null) return;
    try {
      await this.compare(config, head, now);
    } catch (refusal) {
      if (refusal.code === "offline" || refusal.code === "storage_full") return;
      if (LASTING.includes(refusal.code)) {
        await this.tell(refusal.code);
        return;
      }
      const kept = await this.kept();
      const missingSince = kept.missingSince || now;
      await this.store.write({ log: { ...kept, missingSince } });
      if (now - missingSince >= PATIENCE_SECONDS) await this.tell("log_missing");
    }
  }

  async compare(config, head, now) {
    const contents = [configLeaf(config), ...(head ? [headLeaf("venues", head)] : [])];
    const { missingSince, readAt = 0 } = await this.kept();
    const hasProblem = missingSince || (await this.store.get("log_notice"));
    const isDue = Boolean(hasProblem) || now < readAt || now - readAt >= READING_PAUSE_SECONDS;
    const leaves = isDue ? await this.read(config, now, contents) : await this.leaves();
    if (await leaves.hasOther(contents)) throw new Refusal(SECOND_LEAF);
    if (!isDue) return;
    for (const content of contents) {
      if ((await leaves.position(content)) === null) throw leafMissing("the log lacks what this browser has");
    }
    await this.store.write({ log: { ...(await this.kept()), missingSince: null } });
    await this.tell((await this.isUnwatched(config, now)) ? "log_unwatched" : undefined);
  }

  /**
   * Read the log up to its newest checkpoint; now: null to note no time. Where nothing was read for long, the last
   * READ_BACK leaves are, or more, if the oldest week key of the config or one of the `needed` leaves is older.
   */
  async read(config, now, needed = []) {
    const log = await logKey(await this.cityKey());
    const note = readNote(await this.get("checkpoint"));
    const checkpoint = await openCheckpoint(note, log);
    const kept = await this.kept();
    let leaves = kept.leaves ? ReadLeaves.load(kept.leaves) : null;
    if (leaves === null || checkpoint.size - leaves.tree.size > READ_BACK) {
      await this.take(note, checkpoint, log);
      const tree = await this.begin(checkpoint, config, needed);
      if (leaves === null) leaves = new ReadLeaves(tree);
      else if (tree.size > leaves.tree.size) leaves = new ReadLeaves(tree, leaves.first, leaves.seconds);
    } else if (checkpoint.size < leaves.tree.size || kept.readNote !== kept.note) {
      await this.take(note, checkpoint, log);
    }
    while (leaves.tree.size < checkpoint.size) await leaves.add(await this.fetchLeaves(leaves.tree.size, checkpoint.size));
    const isWhole = leaves.tree.size === checkpoint.size;
    if (isWhole && !equal(await rootOf(leaves.tree), checkpoint.root)) {
      await this.take(note, checkpoint, log);
      throw new Refusal("log_proof_invalid", {}, "the leaves are not those of the signed log");
    }
    leaves.forgetOldNames();
    const changes = { leaves: leaves.members() };
    if (isWhole) Object.assign(changes, { note: note.data, readNote: note.data });
    if (now !== null) changes.readAt = now;
    await this.store.write({ log: { ...(await this.kept()), ...changes } });
    if (now !== null) await this.noteWatchers(config, note, checkpoint, now);
    return leaves;
  }

  async begin(checkpoint, config, needed) {
    const keys = config.weekKeys.filter(({ purpose }) => purpose !== "chaff");
    const [oldest] = keys.sort((one, other) => one.use_from - other.use_from || one.kid - other.kid);
    const contents = [...needed, ...(oldest ? await weekKeyLeaves(oldest, config) : [])];
    const numbers = (await Promise.all(contents.map((content) => this.numberOf(content)))).filter((number) => number !== null);
    const first = provableSize(Math.min(...numbers, checkpoint.size - READ_BACK));
    const proof = 0 < first && first < checkpoint.size ? await this.consistency(first, checkpoint.size) : [];
    return subtreesOf(first, checkpoint.size, proof);
  }

  /** Where the log says that a leaf is; it is believed once it was read. */
  async numberOf(content) {
    try {
      return (await this.proof(content)).number;
    } catch (refusal) {
      if (refusal.code === "server_answer_refused") return null;
      throw refusal;
    }
  }

  async fetchLeaves(first, size) {
    const end = Math.min(size, first + MOST_LEAVES);
    const contents = unpackLeaves(await this.get(`leaves/${first}/${end}`));
    if (contents.length !== end - first) throw leafMissing(`${contents.length} leaves came, expected ${end - first}`);
    return contents;
  }

  async proof(content) {
    return readProof(await this.get(`proof/${hex(await leafHash(content))}`));
  }

  async consistency(oldSize, size) {
    return readHashes(readText(await this.get(`consistency/${oldSize}/${size}`)).split("\n").slice(0, -1));
  }

  /** Check a signed checkpoint against the one held, and hold the larger. */
  async take(note, checkpoint, log) {
    const kept = await this.kept();
    if (!kept.note) return this.store.write({ log: { ...kept, note: note.data } });
    const heldNote = readNote(utf8(kept.note));
    const held = await openCheckpoint(heldNote, log);
    const [one, other] = held.size <= checkpoint.size ? [held, checkpoint] : [checkpoint, held];
    try {
      await checkConsistency(one, other, one.size < other.size ? await this.consistency(one.size, other.size) : []);
    } catch (refusal) {
      if (["offline", "server_answer_refused"].includes(refusal.code)) throw refusal;
      await this.store.write({ log: { ...kept, evidence: kept.evidence || [kept.note, note.data] } });
      throw new Refusal(SPLIT_VIEW);
    }
    return checkpoint.size > held.size ? this.store.write({ log: { ...kept, note: note.data } }) : undefined;
  }

  /** Note when witnesses signed, and how far the log has a quorum. */
  async noteWatchers(config, note, checkpoint, now) {
    const policy = policyOf(config.witnesses);
    if (policy === null) return;
    const kept = await this.kept();
    const moments = { ...kept.moments };
    for (const [witness, moment] of await signedBy(policy, note, config, await this.cityKey(), now)) {
      moments[hex(witness.key)] = Math.max(moment, moments[hex(witness.key)] || 0);
    }
    const isWatched = await hasQuorum(policy, note, config, await this.cityKey(), now);
    const watched = Math.max(kept.watched || 0, isWatched ? checkpoint.size : 0);
    await this.store.write({ log: { ...kept, moments, watched, watchedSince: kept.watchedSince || now } });
  }

  async isUnwatched(config, now) {
    const policy = policyOf(config.witnesses);
    if (policy === null) return false;
    const { moments = {}, watchedSince = now } = await this.kept();
    const newestFirst = policy.witnesses.map((one) => moments[hex(one.key)] || 0).sort((one, other) => other - one);
    return Math.max(newestFirst[policy.quorum - 1], watchedSince) < now - UNWATCHED_SECONDS;
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
    if (!LASTING.includes(await this.store.get("log_notice"))) await this.store.write({ log_notice: code });
  }

  async leaves() {
    const { leaves } = await this.kept();
    return leaves ? ReadLeaves.load(leaves) : new ReadLeaves({ size: 0, hashes: [] });
  }

  get(path) {
    return this.client.get(`/v1/log/${path}`, MOST_BYTES);
  }

  async kept() {
    return (await this.store.get("log")) || {};
  }
}
