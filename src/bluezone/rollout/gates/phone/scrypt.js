// SPDX-License-Identifier: Apache-2.0
/** scrypt (RFC 7914) for the PIN of a badge: WebCrypto has PBKDF2 and no scrypt. 16 MiB and some tenths of a second. */

/** The digest of a password's bytes. n: a power of two. */
export async function scrypt(password, salt, { n = 16_384, r = 8, p = 1, length = 32 } = {}) {
  const mixed = await pbkdf2(password, salt, p * 128 * r);
  for (let lane = 0; lane < p; lane += 1) mixBlock(new Uint32Array(mixed.buffer, lane * 128 * r, 32 * r), n, r);
  return pbkdf2(password, mixed, length);
}

async function pbkdf2(password, salt, length) {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: 1 }, key, length * 8));
}

/** ROMix, in place. Words are little-endian, as on every machine that runs a browser. */
function mixBlock(block, n, r) {
  const words = 32 * r;
  const kept = new Uint32Array(n * words);
  const scratch = new Uint32Array(words);
  for (let i = 0; i < n; i += 1) {
    kept.set(block, i * words);
    mixSalsa(block, scratch, r);
  }
  for (let i = 0; i < n; i += 1) {
    const from = (block[words - 16] & (n - 1)) * words;
    for (let k = 0; k < words; k += 1) block[k] ^= kept[from + k];
    mixSalsa(block, scratch, r);
  }
}

function mixSalsa(block, scratch, r) {
  const x = block.slice((2 * r - 1) * 16, 2 * r * 16);
  for (let i = 0; i < 2 * r; i += 1) {
    for (let k = 0; k < 16; k += 1) x[k] ^= block[i * 16 + k];
    salsa8(x);
    // Even blocks first, odd blocks after them.
    scratch.set(x, ((i >> 1) + (i & 1) * r) * 16);
  }
  block.set(scratch);
}

const TURNS = [
  [4, 0, 12, 7], [8, 4, 0, 9], [12, 8, 4, 13], [0, 12, 8, 18], [9, 5, 1, 7], [13, 9, 5, 9], [1, 13, 9, 13], [5, 1, 13, 18],
  [14, 10, 6, 7], [2, 14, 10, 9], [6, 2, 14, 13], [10, 6, 2, 18], [3, 15, 11, 7], [7, 3, 15, 9], [11, 7, 3, 13], [15, 11, 7, 18],
  [1, 0, 3, 7], [2, 1, 0, 9], [3, 2, 1, 13], [0, 3, 2, 18], [6, 5, 4, 7], [7, 6, 5, 9], [4, 7, 6, 13], [5, 4, 7, 18],
  [11, 10, 9, 7], [8, 11, 10, 9], [9, 8, 11, 13], [10, 9, 8, 18], [12, 15, 14, 7], [13, 12, 15, 9], [14, 13, 12, 13], [15, 14, 13, 18],
].flat();

function salsa8(x) {
  const before = x.slice();
  for (let round = 0; round < 8; round += 2) {
    for (let at = 0; at < TURNS.length; at += 4) {
      const sum = (x[TURNS[at + 1]] + x[TURNS[at + 2]]) | 0;
      const by = TURNS[at + 3];
      x[TURNS[at]] ^= (sum << by) | (sum >>> (32 - by));
    }
  }
  for (let k = 0; k < 16; k += 1) x[k] += before[k];
}
