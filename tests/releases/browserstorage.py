# SPDX-License-Identifier: Apache-2.0
"""What a page has stored in its browser, as JSON that every later browser can be given: IndexedDB and localStorage.

The pages seal their records under a key that no script can read out. `READABLE_KEYS` makes a browser draw keys that
can be read; a restored key is one that no script can read, as the page made it.
"""

from typing import Any

# To be run before the scripts of a page whose storage will be exported.
READABLE_KEYS = """
const generate = crypto.subtle.generateKey.bind(crypto.subtle);
crypto.subtle.generateKey = (algorithm, _extractable, usages) => generate(algorithm, true, usages);
"""
_EXPORT = """async () => {
  const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
  const plain = async (value) => {
    if (value instanceof CryptoKey) {
      const raw = new Uint8Array(await crypto.subtle.exportKey("raw", value));
      return { "$key": hex(raw), algorithm: value.algorithm.name, usages: value.usages };
    }
    if (value instanceof ArrayBuffer) return { "$buffer": hex(new Uint8Array(value)) };
    if (value instanceof Uint8Array) return { "$bytes": hex(value) };
    if (Array.isArray(value)) return Promise.all(value.map(plain));
    if (value === undefined) return { "$undefined": true };
    if (value === null || typeof value !== "object") return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) throw new Error(`cannot export a ${value.constructor.name}`);
    return Object.fromEntries(await Promise.all(
      Object.entries(value).map(async ([name, inner]) => [name, await plain(inner)])));
  };
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const databases = [];
  for (const { name, version } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    const stores = [];
    for (const store of database.objectStoreNames) {
      const read = database.transaction(store).objectStore(store);
      if (read.keyPath !== null || read.indexNames.length) throw new Error(`${name}/${store} has keys in its values`);
      const [keys, values] = await Promise.all([done(read.getAllKeys()), done(read.getAll())]);
      stores.push({ name: store, entries: await plain(keys.map((key, place) => [key, values[place]])) });
    }
    database.close();
    databases.push({ name, version, stores });
  }
  return { databases, local: { ...localStorage } };
}"""
_RESTORE = """async ({ databases, local }) => {
  const bytes = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
  const lively = async (value) => {
    if (Array.isArray(value)) return Promise.all(value.map(lively));
    if (value === null || typeof value !== "object") return value;
    if ("$key" in value) {
      return crypto.subtle.importKey("raw", bytes(value.$key), value.algorithm, false, value.usages);
    }
    if ("$buffer" in value) return bytes(value.$buffer).buffer;
    if ("$bytes" in value) return bytes(value.$bytes);
    if ("$undefined" in value) return undefined;
    return Object.fromEntries(await Promise.all(
      Object.entries(value).map(async ([name, inner]) => [name, await lively(inner)])));
  };
  for (const { name, version, stores } of databases) {
    const ready = await Promise.all(stores.map(async (store) => [store.name, await lively(store.entries)]));
    await new Promise((resolve, reject) => {
      const asked = indexedDB.open(name, version);
      asked.onupgradeneeded = () => {
        for (const [store, entries] of ready) {
          const made = asked.result.createObjectStore(store);
          for (const [key, value] of entries) made.put(value, key);
        }
      };
      asked.onsuccess = () => { asked.result.close(); resolve(); };
      asked.onerror = () => reject(asked.error);
    });
  }
  for (const [name, value] of Object.entries(local)) localStorage.setItem(name, value);
}"""


def exported(page: Any) -> dict[str, Any]:
    """All that the page's origin has stored in this profile; the profile was opened with READABLE_KEYS."""
    stored: dict[str, Any] = page.evaluate(_EXPORT)
    return stored


def restore(page: Any, stored: dict[str, Any]) -> None:
    """Store it again for the origin of this page, in a profile with nothing in it."""
    page.evaluate(_RESTORE, stored)
