// SPDX-License-Identifier: Apache-2.0
/**
 * The web edition's records in IndexedDB, each sealed with AES-GCM under a key that no script can read out.
 *
 * The key has an object store to itself. Erasing destroys it first, so that records which an interrupted erasure or
 * the disk still has can no longer be opened. A write is saved whole or not at all.
 */
import { exclusively } from "../../locks.js";
import { Refusal } from "../refusal.js";
import { fromUtf8, randomBytes, utf8 } from "./bytes.js";

const VERSION = 1;

export class Store {
  constructor(name, reopens) {
    this.name = name;
    this.reopens = reopens;
    // A promise of {database, key}: the two change together, when another tab erases.
    this.connection = this.connect();
  }

  /**
   * Open it, making it if there is none. Rejects with storage_unavailable, storage_full.
   *
   * reopens: when another tab erases, continue with the empty store; else each call from then on is refused.
   */
  static async open(name = "bluezone-web", { reopens = false } = {}) {
    const store = new Store(name, reopens);
    await store.connection;
    return store;
  }

  async connect() {
    const database = await openDatabase(this.name);
    database.onversionchange = () => {
      database.close();
      if (!this.reopens) return;
      // Waits until the other tab has erased, and opens an empty store.
      this.connection = this.connect();
      // If this fails, the next call is refused.
      this.connection.catch(() => {});
    };
    return { database, key: await exclusively(`${this.name}-key`, () => this.openKey(database)) };
  }

  /** One record, or undefined. */
  async get(name) {
    const connection = await this.connection;
    const sealed = await this.read(connection, (records) => records.get(name));
    return sealed === undefined ? undefined : unseal(connection.key, name, sealed);
  }

  /** All records with names that begin with `prefix`, as [name, value] in the order of their names. */
  async all(prefix) {
    const connection = await this.connection;
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const [names, sealed] = await Promise.all([
      this.read(connection, (records) => records.getAllKeys(range)),
      this.read(connection, (records) => records.getAll(range)),
    ]);
    return Promise.all(names.map(async (name, index) => [name, await unseal(connection.key, name, sealed[index])]));
  }

  /**
   * Write records whole or not at all. changes: {name: value}, undefined removes.
   *
   * Rejects with storage_full, storage_unavailable; then nothing has changed.
   */
  async write(changes) {
    // If another tab erases while this seals, the write fails: a record sealed under the old key never opens again.
    const { database, key } = await this.connection;
    const sealed = await Promise.all(Object.entries(changes).map(async ([name, value]) =>
      [name, value === undefined ? undefined : await seal(key, name, value)]));
    await this.transact(database, ["records"], (transaction) => {
      const records = transaction.objectStore("records");
      for (const [name, value] of sealed) {
        if (value === undefined) records.delete(name);
        else records.put(value, name);
      }
    });
  }

  /** Run `work` while no other tab or worker runs such work: what it reads does not change meanwhile. */
  exclusively(work) {
    return exclusively(`${this.name}-store`, work);
  }

  /** Destroy the key, then every record. Interrupted after the key, the next `open` finishes it. */
  async erase() {
    const { database } = await this.connection;
    await this.transact(database, ["keys"], (transaction) => transaction.objectStore("keys").clear());
    await this.transact(database, ["records"], (transaction) => transaction.objectStore("records").clear());
    database.close();
    await new Promise((resolve) => {
      const request = indexedDB.deleteDatabase(this.name);
      // Another tab may still have it open; it is empty all the same.
      request.onsuccess = request.onerror = request.onblocked = resolve;
    });
  }

  async close() {
    const { database } = await this.connection;
    database.close();
  }

  async openKey(database) {
    const stored = await this.request(database, "keys", (keys) => keys.get("seal"));
    if (stored !== undefined) return stored;
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await this.transact(database, ["keys", "records"], (transaction) => {
      // Records without a key are the rest of an interrupted erasure: they can never be opened.
      transaction.objectStore("records").clear();
      transaction.objectStore("keys").put(key, "seal");
    });
    return key;
  }

  read({ database }, query) {
    return this.request(database, "records", query);
  }

  async request(database, name, query) {
    let request;
    const send = (transaction) => { request = query(transaction.objectStore(name)); };
    await this.transact(database, [name], send, "readonly");
    return request.result;
  }

  transact(database, names, work, mode = "readwrite") {
    return new Promise((resolve, reject) => {
      let transaction;
      try {
        // Strict: the write is on the disk, so that a power cut does not use up a code for nothing.
        transaction = database.transaction(names, mode, { durability: "strict" });
      } catch (error) {
        reject(refusalOf(error));
        return;
      }
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(refusalOf(transaction.error));
      work(transaction);
    });
  }
}

function openDatabase(name) {
  return new Promise((resolve, reject) => {
    let request;
    try {
      request = indexedDB.open(name, VERSION);
    } catch (error) {
      reject(refusalOf(error));
      return;
    }
    request.onupgradeneeded = () => {
      request.result.createObjectStore("keys");
      request.result.createObjectStore("records");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(refusalOf(request.error));
  });
}

async function seal(key, name, value) {
  const iv = randomBytes(12);
  const algorithm = { name: "AES-GCM", iv, additionalData: utf8(name) };
  return { iv, data: await crypto.subtle.encrypt(algorithm, key, utf8(JSON.stringify(value))) };
}

async function unseal(key, name, { iv, data }) {
  const algorithm = { name: "AES-GCM", iv, additionalData: utf8(name) };
  try {
    return JSON.parse(fromUtf8(new Uint8Array(await crypto.subtle.decrypt(algorithm, key, data))));
  } catch {
    throw new Refusal("storage_damaged", {}, `record ${name.split("/")[0]} does not open with the stored key`);
  }
}

/** The browser's error as a refusal. */
export function refusalOf(error) {
  const name = error ? error.name : "AbortError";
  if (name === "QuotaExceededError") return new Refusal("storage_full", {}, "the browser has no more room for this site");
  return new Refusal("storage_unavailable", { reason: name }, `the browser's store answered ${name}`);
}
