// SPDX-License-Identifier: Apache-2.0
/**
 * The web edition's records in IndexedDB, each sealed with AES-GCM under a key that no script can read out.
 *
 * The key lies in an object store of its own. Erasing destroys it first, so that whatever of the records an
 * interrupted erasure or the disk still holds can no longer be opened. What is written together is written whole.
 */
import { exclusively } from "../../locks.js";
import { Refusal } from "../refusal.js";
import { fromUtf8, randomBytes, utf8 } from "./bytes.js";

const VERSION = 1;

export class Store {
  constructor(database, name) {
    this.database = database;
    this.name = name;
    this.key = null;
    database.onversionchange = () => database.close();
  }

  /** Open it, making it if there is none. Rejects with storage_unavailable, storage_full. */
  static async open(name = "bluezone-web") {
    const database = await new Promise((resolve, reject) => {
      let asked;
      try {
        asked = indexedDB.open(name, VERSION);
      } catch (error) {
        reject(refusalOf(error));
        return;
      }
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore("keys");
        asked.result.createObjectStore("records");
      };
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(refusalOf(asked.error));
    });
    const store = new Store(database, name);
    await exclusively(`${name}-key`, () => store.openKey());
    return store;
  }

  /** One record, or undefined. */
  async get(name) {
    const sealed = await this.read((records) => records.get(name));
    return sealed === undefined ? undefined : this.unseal(name, sealed);
  }

  /** All records whose names begin with `prefix`, as [name, value] in the order of their names. */
  async all(prefix) {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const [names, sealed] = await Promise.all([
      this.read((records) => records.getAllKeys(range)),
      this.read((records) => records.getAll(range)),
    ]);
    return Promise.all(names.map(async (name, place) => [name, await this.unseal(name, sealed[place])]));
  }

  /**
   * Write records whole or not at all. changes: {name: value}, undefined removes.
   *
   * Rejects with storage_full, storage_unavailable; then nothing has changed.
   */
  async write(changes) {
    const sealed = await Promise.all(Object.entries(changes).map(async ([name, value]) =>
      [name, value === undefined ? undefined : await this.seal(name, value)]));
    await this.transact(["records"], (transaction) => {
      const records = transaction.objectStore("records");
      for (const [name, value] of sealed) {
        if (value === undefined) records.delete(name);
        else records.put(value, name);
      }
    });
  }

  /** Run `work` while no other tab or worker is inside such a passage: what it reads does not change meanwhile. */
  exclusively(work) {
    return exclusively(`${this.name}-store`, work);
  }

  /** Destroy the key, then every record. Interrupted after the key, the next `open` finishes it. */
  async erase() {
    await this.transact(["keys"], (transaction) => transaction.objectStore("keys").clear());
    this.key = null;
    await this.transact(["records"], (transaction) => transaction.objectStore("records").clear());
    this.database.close();
    await new Promise((resolve) => {
      const asked = indexedDB.deleteDatabase(this.name);
      // Another tab may still hold it open; it is empty all the same.
      asked.onsuccess = asked.onerror = asked.onblocked = resolve;
    });
  }

  close() {
    this.database.close();
  }

  async openKey() {
    const kept = await this.request("keys", "readonly", (keys) => keys.get("seal"));
    if (kept !== undefined) {
      this.key = kept;
      return;
    }
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await this.transact(["keys", "records"], (transaction) => {
      // Records without a key are the rest of an interrupted erasure: nobody can open them.
      transaction.objectStore("records").clear();
      transaction.objectStore("keys").put(key, "seal");
    });
    this.key = key;
  }

  async seal(name, value) {
    const iv = randomBytes(12);
    const algorithm = { name: "AES-GCM", iv, additionalData: utf8(name) };
    return { iv, data: await crypto.subtle.encrypt(algorithm, this.key, utf8(JSON.stringify(value))) };
  }

  async unseal(name, { iv, data }) {
    const algorithm = { name: "AES-GCM", iv, additionalData: utf8(name) };
    try {
      return JSON.parse(fromUtf8(new Uint8Array(await crypto.subtle.decrypt(algorithm, this.key, data))));
    } catch {
      throw new Refusal("storage_damaged", {}, `record ${name.split("/")[0]} does not open with the key beside it`);
    }
  }

  read(ask) {
    return this.request("records", "readonly", ask);
  }

  async request(name, mode, ask) {
    let asked;
    await this.transact([name], (transaction) => { asked = ask(transaction.objectStore(name)); }, mode);
    return asked.result;
  }

  transact(names, work, mode = "readwrite") {
    return new Promise((resolve, reject) => {
      let transaction;
      try {
        // Strict: what was written is on the disk, so that a power cut does not use up a code for nothing.
        transaction = this.database.transaction(names, mode, { durability: "strict" });
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

/** What the browser said, as a refusal. */
export function refusalOf(error) {
  const name = error ? error.name : "AbortError";
  if (name === "QuotaExceededError") return new Refusal("storage_full", {}, "the browser has no more room for this site");
  return new Refusal("storage_unavailable", { reason: name }, `the browser's store answered ${name}`);
}
