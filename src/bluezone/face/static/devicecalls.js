// SPDX-License-Identifier: Apache-2.0
/**
 * What the installed apps of the rollout call: connecting with the office's code, and calls with the device's token.
 *
 * Every rejection has a `code`: the server's own, "server" where it gave none, "offline" without an answer.
 */

const ANSWER_MS = 60_000;

const refused = (code, more = {}) => Object.assign(new Error(code), { code, ...more });

/** Send a body and return the answer's JSON. token: null for calls that need none. Rejects with {code, status}. */
export async function call(path, token, body, type = "application/json", puzzle = "") {
  const stopper = new AbortController();
  const timer = setTimeout(() => stopper.abort(), ANSWER_MS);
  const headers = { "Content-Type": type, ...(token && { Authorization: `Bearer ${token}` }), ...(puzzle && { "X-Bluezone-Puzzle": puzzle }) };
  let response;
  let answer;
  try {
    response = await fetch(path, { method: "POST", body, signal: stopper.signal, credentials: "omit", cache: "no-store", headers });
    answer = await response.json().catch(() => ({}));
  } catch {
    throw refused("offline");
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return answer;
  const { code = "server", challenge } = answer.error || {};
  // Many calls came from this network: the answer to the puzzle lets one through.
  if (challenge && !puzzle) return call(path, token, body, type, challenge + await solve(challenge));
  throw refused(code, { status: response.status });
}

/** Exchange the one-time code of the office for a token. kind: what this app is. Rejects with {code}. */
export async function enrol(code, kind) {
  const answer = await call("/v1/devices/enrol", null, JSON.stringify({ code }));
  if (answer.kind !== kind) throw refused("device_kind_refused");
  return answer;
}

/** The nonce of a challenge, both in hex, found by the web edition's worker, which lies beside the apps. */
function solve(text) {
  const challenge = Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));
  return new Promise((resolve, reject) => {
    const worker = new Worker("/app/engine/web/puzzleworker.js");
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join(""));
    };
    worker.onerror = () => reject(refused("offline"));
    worker.postMessage({ challenge, bits: 20 + challenge[0] });
  });
}
