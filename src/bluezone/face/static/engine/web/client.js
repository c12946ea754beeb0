// SPDX-License-Identifier: Apache-2.0
/**
 * How the page speaks to its server: no cookie, no referrer, no redirect, nothing that would join two calls.
 *
 * A browser decides itself when it opens a new connection; unlike the agent's calls these may share one
 * (docs/privacy.md).
 */
import { Refusal } from "../refusal.js";
import { concat } from "./bytes.js";

const TIMEOUT_SECONDS = 30;

export class Client {
  constructor(environment) {
    this.environment = environment;
    this.said = null;
    this.answered = null;
  }

  /** The server's own clock by its last answer, Unix seconds; not signed, so it only ever makes things earlier. */
  serverSeconds() {
    return this.said === null ? Infinity : this.said + this.environment.monotonicSeconds();
  }

  /** The time of the last answer by the server's clock, Unix seconds; null if it has no date. */
  answeredAt() {
    return this.answered === null ? null : this.answered + this.environment.monotonicSeconds();
  }

  /** Fetch a file of at most `most` bytes. Rejects with offline, server_answer_refused. */
  get(path, most) {
    return this.call(path, { method: "GET", cache: "no-cache" }, most);
  }

  /** Send bytes and return the answer's, at most `most`. Rejects as `get`. */
  post(path, body, most) {
    const headers = { "Content-Type": "application/octet-stream" };
    return this.call(path, { method: "POST", cache: "no-store", headers, body }, most);
  }

  /** As `post`, with headers of its own; a refusal of the server rejects with the server's own code. */
  async postBytes(path, body, most, more) {
    const headers = { "Content-Type": "application/octet-stream", ...more };
    const answer = await this.call(path, { method: "POST", cache: "no-store", headers, body }, most, true);
    if (!answer.ok) throw refusalOf(answer);
    return answer.bytes;
  }

  /** Send JSON and return the answer's JSON; a refusal of the server rejects with the server's own code. */
  async postJson(path, value, more = {}, most = 65_536) {
    const headers = { "Content-Type": "application/json", ...more };
    const options = { method: "POST", cache: "no-store", headers, body: JSON.stringify(value) };
    const answer = await this.call(path, options, most, true);
    if (!answer.ok) throw refusalOf(answer);
    try {
      return answer.bytes.length ? JSON.parse(new TextDecoder().decode(answer.bytes)) : {};
    } catch {
      throw new Refusal("server_answer_refused", { status: answer.status }, `${path} was not answered with JSON`);
    }
  }

  async call(path, options, most, whole = false) {
    const { environment } = this;
    const abort = new AbortController();
    const timer = environment.setTimer(TIMEOUT_SECONDS, () => abort.abort());
    const common = { credentials: "omit", redirect: "error", referrerPolicy: "no-referrer", signal: abort.signal };
    try {
      const response = await environment.fetch(environment.origin + path, { ...options, ...common });
      const date = Date.parse(response.headers.get("Date"));
      const age = Number(response.headers.get("Age") || 0);
      this.answered = Number.isFinite(date + age) ? date / 1000 + age - environment.monotonicSeconds() : null;
      // An answer from a cache would be earlier than the server's clock.
      if (this.answered !== null && options.method === "POST") this.said = this.answered;
      if (!whole && response.status !== 200) {
        throw new Refusal("server_answer_refused", { status: response.status }, `${path} was answered ${response.status}`);
      }
      const bytes = await readAtMost(response, most);
      return whole ? { ok: response.ok, status: response.status, bytes } : bytes;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal("offline", {}, `${path} cannot be reached: ${error.name}`);
    } finally {
      environment.clearTimer(timer);
    }
  }
}

/** The server's own code for a refusal, if it gave one; details.challenge: hex of a puzzle. */
function refusalOf({ status, bytes }) {
  let error = {};
  try {
    ({ error } = JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    // Not in the server's shape: a proxy's page.
  }
  const { code, challenge } = error || {};
  return new Refusal(typeof code === "string" ? code : "server_answer_refused", { status, challenge });
}

async function readAtMost(response, most) {
  if (!response.body) return new Uint8Array(0);
  const reader = response.body.getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw new Refusal("server_answer_refused", { most }, `answer is over ${most} bytes`);
    }
    parts.push(value);
  }
}
