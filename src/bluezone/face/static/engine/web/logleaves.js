// SPDX-License-Identifier: Apache-2.0
/** What this browser has read of the public log: which leaf was the first of each name (docs/protocol.md section 9). */
import { fromHex, fromUtf8, hex } from "./bytes.js";
import { appendLeaves, leafHash } from "./lognotes.js";

const HEAD = "bluezone-log/v1";
// How many names of each series are kept, newest first: over a fortnight of hourly venue packages.
const HEADS_KEPT = 400;
// How many leaves before the newest may have a name that is kept: over three months.
const LEAVES_KEPT = 5000;
const SECONDS_KEPT = 10;
const SERIES = ["exports ", "venues "];
// For each kind of leaf that takes a name: how many words it has after HEAD, and how many of them are the name.
const NAMED = {
  config: [3, 2], "week-key": [7, 5], exports: [4, 3], venues: [4, 3], epoch: [3, 2], witnesses: [3, 2], "city-keys": [3, 2],
  audit: [3, 2],
};

/** The name that a leaf takes, or null. */
export function nameOf(content) {
  const [head, ...words] = textOf(content).split(" ");
  const [count, length] = (Object.hasOwn(NAMED, words[0]) && NAMED[words[0]]) || [0, 0];
  return head === HEAD && words.length === count && count ? words.slice(0, length).join(" ") : null;
}

function textOf(content) {
  try {
    return fromUtf8(content);
  } catch {
    return "";
  }
}

/** tree: {size, hashes}; first: {name: [number, hash (hex)]}; seconds: texts of later leaves of a taken name. */
export class ReadLeaves {
  constructor(tree, first = {}, seconds = []) {
    Object.assign(this, { tree, first, seconds });
  }

  static load({ size, hashes, first, seconds }) {
    return new ReadLeaves({ size, hashes: hashes.map(fromHex) }, first, seconds);
  }

  members() {
    return { size: this.tree.size, hashes: this.tree.hashes.map(hex), first: this.first, seconds: this.seconds };
  }

  /** Add the leaves that follow. */
  async add(contents) {
    let number = this.tree.size;
    for (const content of contents) {
      const name = nameOf(content);
      if (name !== null && Object.hasOwn(this.first, name)) this.seconds.push(textOf(content));
      else if (name !== null) this.first[name] = [number, hex(await leafHash(content))];
      number += 1;
    }
    this.tree = await appendLeaves(this.tree, contents);
    this.seconds = this.seconds.slice(0, SECONDS_KEPT);
  }

  forgetOldNames() {
    const oldest = SERIES.map((series) => [series, this.oldestKept(series)]);
    const rest = this.tree.size - LEAVES_KEPT;
    const least = (name) => (oldest.find(([series]) => name.startsWith(series)) || [null, rest])[1];
    this.first = Object.fromEntries(Object.entries(this.first).filter(([name, [number]]) => number >= least(name)));
  }

  oldestKept(series) {
    const numbers = Object.entries(this.first).filter(([name]) => name.startsWith(series)).map(([, [number]]) => number);
    return numbers.length > HEADS_KEPT ? numbers.sort((one, other) => one - other)[numbers.length - HEADS_KEPT] : 0;
  }

  /** The number of a leaf that was the first of its name, or null. */
  async position(content) {
    const [number, digest] = this.first[nameOf(content)] || [null, null];
    return digest === hex(await leafHash(content)) ? number : null;
  }

  /** The number of the first of these leaves that was the first of its name, or null. */
  async positionOfAny(contents) {
    for (const content of contents) {
      const number = await this.position(content);
      if (number !== null) return number;
    }
    return null;
  }

  /** Whether another leaf was the first of one of these leaves' names. */
  async hasOther(contents) {
    for (const content of contents) {
      if (Object.hasOwn(this.first, nameOf(content)) && (await this.position(content)) === null) return true;
    }
    return false;
  }
}
