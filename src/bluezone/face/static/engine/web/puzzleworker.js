// SPDX-License-Identifier: Apache-2.0
/**
 * Solves a server's puzzle beside the page: finds a nonce for which SHA-256(challenge || nonce) begins with zero bits.
 *
 * A classic worker without imports, so that every browser starts it. A million digests through WebCrypto's promises
 * take a minute; this loop takes seconds. The message fits one block: 40 bytes, padding, length.
 */
"use strict";

const K = new Int32Array(64);
const START = new Int32Array(8);
makeConstants();

self.onmessage = ({ data: { challenge, bits } }) => self.postMessage(solve(challenge, bits));

/** Square and cube roots of the first primes, as FIPS 180-4 defines the constants; 2^52 holds them exactly enough. */
function makeConstants() {
  let found = 0;
  for (let candidate = 2; found < 64; candidate += 1) {
    let prime = true;
    for (let factor = 2; factor * factor <= candidate; factor += 1) if (candidate % factor === 0) prime = false;
    if (!prime) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(candidate));
    K[found] = fraction(Math.cbrt(candidate));
    found += 1;
  }
}

function fraction(root) {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}

/** The 8-byte nonce, counted up from zero. */
function solve(challenge, bits) {
  const read = new DataView(challenge.buffer, challenge.byteOffset, 32);
  const words = new Int32Array(64);
  for (let word = 0; word < 8; word += 1) words[word] = read.getInt32(4 * word);
  words[10] = 0x80000000 | 0;
  words[15] = 40 * 8;
  // The challenge fills the first eight words, so the first eight rounds are the same for every nonce.
  const begun = rounds(words, START, 0, 8);
  for (let nonce = 0; ; nonce += 1) {
    words[8] = Math.floor(nonce / 2 ** 32);
    words[9] = nonce | 0;
    for (let t = 16; t < 64; t += 1) {
      const x = words[t - 15], y = words[t - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[t] = (words[t - 16] + s0 + words[t - 7] + s1) | 0;
    }
    // The first word of the digest is enough for up to 32 zero bits.
    if ((rounds(words, begun, 8, 64)[0] + START[0]) >>> (32 - bits) === 0) {
      const answer = new Uint8Array(8);
      new DataView(answer.buffer).setInt32(0, words[8]);
      new DataView(answer.buffer).setInt32(4, words[9]);
      return answer;
    }
  }
}

const state = new Int32Array(8);

/** The state after some rounds of one block; the array is reused except for the first call's copy. */
function rounds(words, from, first, end) {
  let a = from[0], b = from[1], c = from[2], d = from[3], e = from[4], f = from[5], g = from[6], h = from[7];
  for (let t = first; t < end; t += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + ((e & f) ^ (~e & g)) + K[t] + words[t]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
  }
  const to = first ? state : new Int32Array(8);
  to[0] = a; to[1] = b; to[2] = c; to[3] = d; to[4] = e; to[5] = f; to[6] = g; to[7] = h;
  return to;
}
