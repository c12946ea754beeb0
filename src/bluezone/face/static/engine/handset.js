// SPDX-License-Identifier: Apache-2.0
/**
 * The handset's engine: the Python agent on this machine, asked over its local JSON API (docs/handset.md).
 *
 * Every method of the contract is one call of `api/<method>` below the page's own address. Reading methods are GET;
 * the others POST a JSON object with their arguments by name.
 */
import { Refusal } from "./refusal.js";

const READING = [
  "state", "visits", "diary", "inbox", "reportState", "sentLog", "language", "notifications", "passState", "journal", "events",
];
// How methods with arguments that are not one object name them.
const ARGUMENTS = {
  readVenue: ["text"], checkIn: ["text"], checkOut: ["id"], forgetVisit: ["id"], markRead: ["id"],
  prepareReport: ["code"], setLanguage: ["code"], removeJournal: ["id"], forgetEvent: ["id"],
};
const LOOK_MS = 10_000;

/** Open the engine; see interface.js. methods: names of those of the contract. */
export async function open({ methods }) {
  return new HandsetEngine(methods);
}

class HandsetEngine {
  kind = "handset";
  canTrace = true;

  constructor(methods) {
    this.listeners = new Set();
    for (const method of methods) {
      if (this[method] === undefined) this[method] = (...given) => this.call(method, given);
    }
    this.seen = null;
    setInterval(() => this.look(), LOOK_MS);
    document.addEventListener("visibilitychange", () => this.look());
  }

  /** callback() after each change; returns what ends it. */
  subscribe(callback) {
    this.listeners.add(callback);
    return () => this.listeners.delete(callback);
  }

  /** Have the phone read texts aloud, for a page that cannot; answers {outcome} when it is over. */
  speak(language, pieces) {
    return ask("speak", { language, pieces });
  }

  /** Stop that. */
  hush() {
    return ask("hush", {});
  }

  async call(method, given) {
    const answer = await ask(method, READING.includes(method) ? null : named(method, given));
    if (!READING.includes(method)) this.seen = null;
    return answer;
  }

  /** Whether anything but the time changed; a program that does not answer is told by the next screen. */
  async look() {
    if (document.visibilityState !== "visible" || !this.listeners.size) return;
    let now;
    try {
      now = JSON.stringify({ ...(await this.state()), now: null });
    } catch (refusal) {
      now = refusal.code;
    }
    if (now === this.seen) return;
    const first = this.seen === null;
    this.seen = now;
    if (!first) for (const callback of this.listeners) callback();
  }
}

function named(method, given) {
  const names = ARGUMENTS[method] || [];
  const rest = given.slice(names.length).find((value) => value !== null && typeof value === "object") || {};
  return { ...Object.fromEntries(names.map((name, place) => [name, given[place]])), ...rest };
}

/** One call. body: null reads. Rejects with the refusal that the agent gave, or `agent_lost`. */
async function ask(method, body) {
  let response;
  try {
    response = await fetch(`api/${method}`, body === null ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
  } catch (error) {
    throw new Refusal("agent_lost", {}, String(error));
  }
  if (response.status === 403) throw new Refusal("agent_lost", {}, "the page's address is no longer valid");
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer.error.code, answer.error.details || {}, answer.error.message);
  return answer;
}
