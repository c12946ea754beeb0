// SPDX-License-Identifier: Apache-2.0
/** Read the members of a JSON object strictly; members that nobody asks for are passed over. */
import { Refusal } from "../refusal.js";
import { fromUtf8 } from "./bytes.js";

/** One JSON object; a member that is not what is asked for rejects with `code`. where: its path, for the log. */
export class JsonMembers {
  constructor(value, code, where = "file") {
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      throw new Refusal(code, {}, `${where} is not a JSON object`);
    }
    this.value = value;
    this.code = code;
    this.where = where;
  }

  /** Read JSON bytes as an object. */
  static parse(payload, code) {
    let value;
    try {
      value = JSON.parse(fromUtf8(payload));
    } catch {
      throw new Refusal(code, {}, `payload of ${payload.length} bytes is not JSON`);
    }
    return new JsonMembers(value, code);
  }

  has(name) {
    return this.own(name) !== undefined && this.own(name) !== null;
  }

  /** A whole number within lowest..highest. */
  integer(name, lowest = 0, highest = Number.MAX_SAFE_INTEGER) {
    const value = this.own(name);
    if (!Number.isSafeInteger(value) || value < lowest || value > highest) throw this.refused(name, "a whole number");
    return value;
  }

  /** A text that matches `pattern` as a whole; without one, any that is not blank. */
  text(name, pattern = null) {
    const value = this.own(name);
    if (!isText(value, pattern)) throw this.refused(name, "text of the expected form");
    return value;
  }

  /** A text, or null where the member is null or absent. */
  textOrNull(name, pattern = null) {
    return this.has(name) ? this.text(name, pattern) : null;
  }

  /** A list of texts that each match. */
  texts(name, pattern = null) {
    const values = this.list(name);
    if (!values.every((value) => isText(value, pattern))) throw this.refused(name, "a list of texts");
    return values;
  }

  /** An object as it is, for a reader of its own. */
  mapping(name) {
    return this.inner(name).value;
  }

  /** An object to be read member by member. */
  inner(name) {
    return new JsonMembers(this.own(name) === undefined ? null : this.own(name), this.code, `${this.where}.${name}`);
  }

  /** The objects of a list, to be read member by member. */
  each(name) {
    return this.list(name).map((value, i) => new JsonMembers(value, this.code, `${this.where}.${name}[${i}]`));
  }

  list(name) {
    const value = this.own(name);
    if (!Array.isArray(value)) throw this.refused(name, "a list");
    return value;
  }

  own(name) {
    return Object.prototype.hasOwnProperty.call(this.value, name) ? this.value[name] : undefined;
  }

  refused(name, expected) {
    return new Refusal(this.code, {}, `${this.where}.${name} is missing or is not ${expected}`);
  }
}

function isText(value, pattern) {
  return typeof value === "string" && (pattern === null ? value.trim() !== "" : new RegExp(`^(?:${pattern})$`).test(value));
}
