// SPDX-License-Identifier: Apache-2.0
// What this browser keeps of the codes it was given, until their links are past: a tag of each row, by which the same
// row gets the same code again, and a label where the worker wants one. It is never sent; the server keeps neither.

import { askState } from "./tickets.js";

const PREFIX = "codes|";
const SECRET = "codes-secret";
const page = document.getElementById("bulk");
const scope = `${page.dataset.training}|${document.body.dataset.account}`;
const today = page.dataset.last;
const own = `${PREFIX}${scope}|`;

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const drawn = () => hex(crypto.getRandomValues(new Uint8Array(32)));

function parsed(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}
const read = (tag) => parsed(own + tag);

function write(tag, record) {
  try {
    localStorage.setItem(own + tag, JSON.stringify(record));
  } catch {
    // The browser keeps nothing (private mode, full): codes are issued as ever, and known again on this page alone.
  }
}

/** Under what a row is asked for: {tag, key, again}. The key is 64 hex digits, of which nobody can tell the row without
 *  this browser's secret; it stays the same while the digits work. again: this browser was given a code for the row. */
export async function keyOf(one) {
  let secret = null;
  try {
    secret = localStorage.getItem(SECRET) ?? drawn();
    localStorage.setItem(SECRET, secret);
  } catch {
    secret = null;
  }
  // Without a secret that stays, or over plain http, where browsers do not reckon, a key is drawn for this page alone.
  if (!secret || !crypto.subtle) return { tag: "", key: drawn(), again: false };
  const signing = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const told = async (...parts) => hex(await crypto.subtle.sign("HMAC", signing, new TextEncoder().encode(parts.join("|"))));
  const row = [scope, one.phone, one.klass, one.onset];
  const tag = await told("row", ...row);
  const record = read(tag);
  const again = record !== null && record.until * 1000 > Date.now();
  return { tag, again, key: await told("key", ...row, again ? record.day : today) };
}

/** Keep that the row has this code. label: whom to call, "" for nobody. */
export function keep(one) {
  if (!one.tag) return;
  const before = read(one.tag);
  const record = before?.pk === one.pk ? before : { day: today, label: "" };
  write(one.tag, { ...record, pk: one.pk, until: one.expires, gone: one.link_expires });
}

/** Write a label beside a kept row. */
export function label(tag, text) {
  const record = read(tag);
  if (record) write(tag, { ...record, label: text });
}

/** What is kept of this account, oldest first: [{tag, pk, day, until, gone, label}]; what is past is forgotten. */
export function records() {
  const found = [];
  for (const name of keptNames()) {
    const record = parsed(name);
    if (!(record?.gone * 1000 > Date.now())) localStorage.removeItem(name);
    else if (name.startsWith(own)) found.push({ tag: name.slice(own.length), ...record });
  }
  return found.sort((one, other) => one.day.localeCompare(other.day));
}

/** Forget every code of this account in this browser. Whoever issues for the same list today still gets the same codes. */
export function forget() {
  for (const name of keptNames()) if (name.startsWith(own)) localStorage.removeItem(name);
}

function keptNames() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    return [];
  }
}

/** What became of a code, as of this morning: open, used, revoked, expired; "" where nobody answers. */
export async function stateOf(pk) {
  return (await askState(page.dataset.state.replace("/0/", `/${pk}/`), pk, page.dataset.token)).state;
}
