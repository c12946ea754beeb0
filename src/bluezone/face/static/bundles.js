// SPDX-License-Identifier: Apache-2.0
/** Modules of a bundle (face/bundles.py): each is made when it is first needed, once, by its path below the face. */

export const $face = new URL("./", import.meta.url);
// Few want them, so each is a file of its own.
const ALONE = [/*ALONE*/];
const makers = new Map();
const made = new Map();
let tries = 0;

/** Say how a module is made. maker: is given `$offer`, which takes a function by each exported name. */
export function $define(path, maker) {
  if (!makers.has(path)) makers.set(path, maker);
}

/** What a module exports. */
export function $need(path) {
  if (!made.has(path)) {
    const exported = {};
    made.set(path, exported);
    try {
      makers.get(path)((doors) => {
        for (const [name, get] of Object.entries(doors)) Object.defineProperty(exported, name, { get, enumerable: true });
      });
    } catch (error) {
      made.delete(path);
      throw error;
    }
  }
  return made.get(path);
}

/** The same, fetched first where it did not come with the page. A browser remembers a failed import, so it is asked anew. */
export async function $load(path) {
  if (ALONE.includes(path)) return import(new URL(path, $face).href);
  if (!makers.has(path)) {
    try {
      await import(`./later.js${tries ? `?${tries}` : ""}`);
    } catch (error) {
      tries += 1;
      throw error;
    }
  }
  return $need(path);
}
