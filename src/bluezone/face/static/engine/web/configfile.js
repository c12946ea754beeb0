// SPDX-License-Identifier: Apache-2.0
/** The signed config: what a city tells every phone (docs/protocol.md sections 4 "RSA keys" and 5 "History"). */
import { Refusal } from "../refusal.js";
import { fromBase64 } from "./bytes.js";
import { JsonMembers } from "./jsonmembers.js";

export const HISTORY_LENGTH = 50;
export const LANGUAGES = ["vi", "en"];
const TEXT_NAMES = ["step_1", "step_2", "step_3", "lead", "not_known", "doubt"];
const CLASSES = { upload: [1, 2], gate: [0, 0], chaff: [0, 0] };
const CODE = "config_invalid";
/** What a city that says nothing of it asks of a warned person and of a patient (protocol/signed/config.py, Care). */
export const CARE = Object.freeze({ watchDays: 14, homeDays: 10, isolationDays: 14, testFromDay: 5, testPlaces: [] });

/**
 * Read a config's payload, its signature already checked; rejects with config_invalid, among others for one without
 * a health hotline. Members keep the names of the file; weekKeys: {kid, purpose, klass, week, use_from, accept_until,
 * announced_at, n (hex), e}.
 */
export async function decodeConfig(payload) {
  const read = JsonMembers.parse(payload, CODE);
  const history = read.texts("history", "[0-9a-f]{64}");
  if (history.length > HISTORY_LENGTH) throw new Refusal(CODE, {}, `history holds ${history.length} hashes`);
  const waits = read.inner("waits");
  const config = {
    number: read.integer("number", 1),
    generatedAt: read.integer("generated_at"),
    history,
    city: byLanguage((language) => read.inner("city").text(language)),
    zone: read.text("zone", "[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*"),
    publicHost: read.text("public_host", "[^\\s/]+"),
    officeHost: read.text("office_host", "[^\\s/]+"),
    hotline: read.text("hotline"),
    profile: read.mapping("profile"),
    weekKeys: weekKeys(read.each("week_keys")),
    declarationKey: read.textOrNull("declaration_key"),
    // 65 bytes without padding, the first of them 0x04.
    pushKey: read.textOrNull("push_key", "B[A-Za-z0-9_-]{86}"),
    nationalHotline: read.textOrNull("national_hotline"),
    venueKeys: venueKeys(read),
    limits: read.mapping("limits"),
    verifyToUploadSeconds: waits.integer("verify_to_upload_seconds"),
    webMinimumSeconds: waits.integer("web_minimum_seconds"),
    pollSeconds: read.integer("poll_seconds"),
    texts: byLanguage((language) => texts(read.inner("texts").inner(language))),
    recoveryKey: read.textOrNull("recovery_key", "[0-9a-f]{64}"),
    epochs: read.has("epochs") ? read.texts("epochs", "[A-Za-z0-9+/]+={0,2}") : [],
    witnesses: read.has("witnesses") ? read.texts("witnesses", "[A-Za-z0-9+/]+={0,2}") : [],
    exportKeys: read.texts("export_keys"),
    care: read.has("care") ? careOf(read.inner("care")) : CARE,
  };
  await checkExportKeys(config.exportKeys);
  return config;
}

/**
 * Check that a config continues the one held; rejects with config_rolled_back, config_history_differs or config_gap.
 *
 * held: {number, history, sha256, generatedAt}; sha256: hex of the new payload.
 */
export function followConfig(config, sha256, held) {
  const details = { offered: config.number, held: held.number };
  if (config.number < held.number) throw new Refusal("config_rolled_back", details);
  const line = [...config.history, sha256];
  const position = line.length - 1 - (config.number - held.number);
  if (position < 0) throw new Refusal("config_gap", details);
  if (line[position] !== held.sha256) throw new Refusal("config_history_differs", details);
  if (config.generatedAt < held.generatedAt) throw new Refusal("config_rolled_back", details);
  const heldLine = [...held.history, held.sha256];
  const shared = (number) => heldLine[heldLine.length - 1 - (held.number - number)];
  line.forEach((hash, place) => {
    const known = shared(config.number - (line.length - 1) + place);
    if (known !== undefined && known !== hash) throw new Refusal("config_history_differs", details);
  });
}

function careOf(read) {
  const watchDays = read.integer("watch_days", 1, 14);
  return {
    watchDays, homeDays: read.integer("home_days", 0, watchDays), isolationDays: read.integer("isolation_days", 1, 21),
    testFromDay: read.integer("test_from_day", 0, watchDays), testPlaces: read.texts("test_places"),
  };
}

function byLanguage(reader) {
  return Object.fromEntries(LANGUAGES.map((language) => [language, reader(language)]));
}

function texts(read) {
  const names = new Set([...TEXT_NAMES, ...Object.keys(read.value)]);
  return Object.fromEntries(Array.from(names, (name) => [name, read.text(name)]));
}

/** {kid: 64 hex digits of the Ed25519 key that signs venue codes}; empty in a config older than venues. */
function venueKeys(read) {
  if (!read.has("venue_keys")) return {};
  const keys = read.inner("venue_keys");
  const kids = Object.keys(keys.value);
  if (!kids.every((kid) => /^(?:0|[1-9][0-9]{0,2})$/.test(kid) && Number(kid) < 256)) throw read.refused("venue_keys", "kids");
  return Object.fromEntries(kids.map((kid) => [kid, keys.text(kid, "[0-9a-f]{64}")]));
}

function weekKeys(reads) {
  const keys = reads.map(weekKey);
  if (new Set(keys.map((key) => key.kid)).size < keys.length) throw new Refusal(CODE, {}, "two week keys have the same kid");
  return keys;
}

function weekKey(read) {
  const purpose = read.text("purpose", Object.keys(CLASSES).join("|"));
  const key = {
    kid: read.integer("kid", 0, 0xffff),
    purpose,
    klass: read.integer("klass", ...CLASSES[purpose]),
    week: read.text("week", "[0-9]{4}-W[0-9]{2}"),
    use_from: read.integer("use_from"),
    accept_until: read.integer("accept_until"),
    announced_at: read.integer("announced_at"),
    n: read.text("n", "[89a-f][0-9a-f]{510}[13579bdf]"),
    e: read.integer("e", 3),
  };
  if (key.e % 2 === 0) throw new Refusal(CODE, {}, `week key ${key.kid} is not an RSA key of 2048 bits`);
  if (key.accept_until <= key.use_from) throw new Refusal(CODE, {}, `week key ${key.kid} ends before it begins`);
  return key;
}

/** Bytes between the lines of a PEM public key, or null. */
export function fromPem(pem) {
  const match = /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/.exec(pem);
  return match && fromBase64(match[1].replace(/\s/g, ""));
}

async function checkExportKeys(pems) {
  const refusal = (why) => new Refusal(CODE, {}, `export_keys ${why}`);
  if (!pems.length) throw refusal("is empty, so no export could be believed");
  for (const pem of pems) {
    const spki = fromPem(pem);
    if (spki === null) throw refusal("holds a text that is not a public key in PEM");
    try {
      await crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
    } catch {
      throw refusal("holds a key that is not on P-256");
    }
  }
}
