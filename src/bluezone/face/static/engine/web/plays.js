// SPDX-License-Identifier: Apache-2.0
/**
 * The three calls of a report, real or rehearsed: the same code and the same sizes for both (docs/protocol.md section
 * 4).
 */
import { Refusal } from "../refusal.js";
import { concat, fromHex, hex } from "./bytes.js";
import {
  ANSWER_SIZE, decodeUpload, decodeVerify1, decodeVerify2, encodeUpload, encodeVerify1, encodeVerify2,
} from "./messages.js";

export const PUZZLE_BITS = 20;
// What a server may ask of a phone at most: 16 million digests.
const MOST_BITS = 24;
// A server that asks for another puzzle after each answer is not followed for ever.
const MOST_PUZZLES = 3;

export class Plays {
  /** solve: challenge -> nonce, in a worker unless given. */
  constructor(client, randomBytes, solve = solvePuzzle) {
    this.client = client;
    this.randomBytes = randomBytes;
    this.solve = solve;
  }

  /** What a code is worth. Rejects with offline, server_answer_refused, bad_answer, as the others. */
  verify1(request) {
    return this.ask("/v1/verify", request, encodeVerify1, decodeVerify1);
  }

  /** Have a commitment signed blindly. */
  verify2(request) {
    return this.ask("/v1/verify", request, encodeVerify2, decodeVerify2);
  }

  /** Hand over slots with their certificate. */
  upload(request) {
    return this.ask("/v1/upload", request, encodeUpload, decodeUpload);
  }

  async ask(path, request, encode, decode) {
    let answer = decode(await this.client.post(path, encode(request, this.randomBytes), ANSWER_SIZE));
    for (let puzzle = 0; puzzle < MOST_PUZZLES && answer.status === "puzzle_required"; puzzle += 1) {
      const solved = concat(answer.challenge, await this.solve(answer.challenge));
      const again = encode({ ...request, puzzle: solved }, this.randomBytes);
      answer = decode(await this.client.post(path, again, ANSWER_SIZE));
    }
    if (answer.status === "puzzle_required") throw new Refusal("server_answer_refused", {}, "the server asks for puzzles without end");
    return answer;
  }
}

/** The header that answers a challenge (32 bytes) on calls whose bodies have no room for it. */
export async function puzzleHeader(challenge, solve = solvePuzzle) {
  return { "X-Bluezone-Puzzle": hex(concat(challenge, await solve(challenge))) };
}

/** Post JSON, and once more with the answer to a puzzle where many calls come from this network. Rejects as the client. */
export async function postWithPuzzle(client, path, body, more = {}, solve = solvePuzzle) {
  try {
    return await client.postJson(path, body, more);
  } catch (refusal) {
    const { challenge } = refusal.details || {};
    if (refusal.code !== "puzzle_required" || !/^[0-9a-f]{64}$/.test(challenge)) throw refusal;
    return client.postJson(path, body, { ...more, ...(await puzzleHeader(fromHex(challenge), solve)) });
  }
}

/** The nonce of a challenge, whose first byte asks for bits beyond 20; found in a worker so that the page stays alive. */
export function solvePuzzle(challenge, bits = PUZZLE_BITS + challenge[0]) {
  return new Promise((resolve, reject) => {
    if (bits > MOST_BITS) throw new Refusal("server_answer_refused", {}, `the server asks for a puzzle of ${bits} bits`);
    const worker = new Worker(new URL("./puzzleworker.js", import.meta.url));
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = (error) => {
      worker.terminate();
      reject(error);
    };
    worker.postMessage({ challenge, bits });
  });
}
