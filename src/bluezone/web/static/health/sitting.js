// SPDX-License-Identifier: Apache-2.0
// Which row of a list has which code, until the worker signs out, so that a code sent to a wrong number is found by that
// number and revoked. It stays in this browser, sealed under a key that the page has only while this person is signed in.

const PREFIX = "code-rows|";
const NONCE_BYTES = 12;
const page = document.getElementById("bulk");
const name = PREFIX + document.body.dataset.account;
const mode = page.dataset.training;

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesOf = (text) => new Uint8Array(text.match(/../g).map((pair) => parseInt(pair, 16)));
const key = () => crypto.subtle.importKey("raw", bytesOf(page.dataset.sitting), "AES-GCM", false, ["encrypt", "decrypt"]);

/** The rows of both modes whose links still work. What another sitting or another account left is removed. */
async function opened() {
  for (const other of Object.keys(localStorage)) if (other.startsWith(PREFIX) && other !== name) localStorage.removeItem(other);
  const sealed = localStorage.getItem(name);
  if (!sealed) return [];
  try {
    const bytes = bytesOf(sealed);
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes.slice(0, NONCE_BYTES) }, await key(), bytes.slice(NONCE_BYTES));
    return JSON.parse(new TextDecoder().decode(plain)).filter((row) => row.gone * 1000 > Date.now());
  } catch {
    localStorage.removeItem(name);
    return [];
  }
}

/** The rows of this sitting, oldest first: [{pk, mark, phone, gone}]. Over plain http, where browsers do not seal, none. */
export async function rowsOfSitting() {
  try {
    return (await opened()).filter((row) => row.mode === mode);
  } catch {
    return [];
  }
}

/** Add the rows that have a code to those of this sitting. */
export async function keepRows(cases) {
  try {
    const fresh = cases.filter((one) => one.code).map((one) => ({ pk: one.pk, mark: one.mark, phone: one.phone, gone: one.link_expires, mode }));
    const pks = new Set(fresh.map((row) => row.pk));
    const rows = [...(await opened()).filter((row) => !pks.has(row.pk)), ...fresh];
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, await key(), new TextEncoder().encode(JSON.stringify(rows)));
    localStorage.setItem(name, hex(nonce) + hex(new Uint8Array(sealed)));
  } catch {
    // Plain http, private mode or full: the rows can be revoked on this page alone.
  }
}
