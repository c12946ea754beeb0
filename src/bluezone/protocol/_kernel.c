/* SPDX-License-Identifier: Apache-2.0 */
/* The native matcher: derive every identifier of many keys and look each up among the identifiers a phone has heard.
 *
 * One file, in this order: the cipher and the hash in portable C, on x86-64 (SHA-NI, AES-NI, VAES) and on ARMv8; the
 * index of sightings; the search; the keys of an export file; near segments; and what the library offers. It needs nothing but the C
 * library and no Python, so that one source serves servers, phones, fuzzers and sanitizers (tests/protocol/kernel);
 * bluezone.protocol.kernel calls it through ctypes.
 *
 * Nothing here is secret: the keys are published and the identifiers were on the air. Table look-ups are no leak.
 *
 * Sources: docs/protocol.md sections 1 and 3; Exposure Notification Cryptography Specification v1.2; FIPS 180-4
 * (SHA-256), FIPS 197 (AES), RFC 5869 (HKDF).
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the native matcher is written for little-endian machines; bluezone works without it"
#endif

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define BZ_X86 1
#include <cpuid.h>
#include <immintrin.h>
#elif (defined(__GNUC__) || defined(__clang__)) && defined(__aarch64__)
#define BZ_ARM 1
#include <arm_neon.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

#define KEY_BYTES 16
#define INTERVALS_PER_KEY 144
#define SECONDS_PER_INTERVAL 600u
/* Keys whose hashes are computed before their identifiers: enough to keep both units busy, few enough for L1. */
#define BATCH 16

/* ---------------------------------------------------------------- SHA-256 and AES-128 in portable C */

static const uint32_t SHA_K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const uint32_t SHA_START[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint8_t SBOX[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76, 0xca, 0x82, 0xc9,
    0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0, 0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f,
    0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15, 0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07,
    0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75, 0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3,
    0x29, 0xe3, 0x2f, 0x84, 0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58,
    0xcf, 0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8, 0x51, 0xa3,
    0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2, 0xcd, 0x0c, 0x13, 0xec, 0x5f,
    0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73, 0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88,
    0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb, 0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac,
    0x62, 0x91, 0x95, 0xe4, 0x79, 0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a,
    0xae, 0x08, 0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a, 0x70,
    0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e, 0xe1, 0xf8, 0x98, 0x11,
    0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf, 0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42,
    0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16};

static const uint8_t RCON[10] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};

/* What hashing starts from: HMAC with an empty salt has constant pads, and the last block of the expansion is known. */
typedef struct {
    uint32_t inner[8]; /* after 64 bytes of 0x36 */
    uint32_t outer[8]; /* after 64 bytes of 0x5c */
} bz_pads;

/* How one processor derives: 16 bytes of identifier key for each key, then identifiers of one key. */
typedef struct {
    const char *name;
    /* keys: count x 16 bytes, count 1..BATCH; out: the same many identifier keys (RPIK). */
    void (*identifier_keys)(const bz_pads *pads, const uint8_t *const *keys, int count, uint8_t (*out)[KEY_BYTES]);
    /* intervals: count numbers, readable up to the next multiple of 32; out: as many identifiers, writable likewise. */
    void (*identifiers)(const uint8_t *identifier_key, const uint32_t *intervals, int count, uint8_t *out);
} bz_processor;

#define ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))

static inline uint32_t swap32(uint32_t x) {
    return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
}

/* block: 16 words in the order and value FIPS 180-4 numbers them. */
static void sha_block(uint32_t *state, const uint32_t *block) {
    uint32_t w[64], a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    memcpy(w, block, 64);
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = ROTR(w[i - 15], 7) ^ ROTR(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = ROTR(w[i - 2], 17) ^ ROTR(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = h + (ROTR(e, 6) ^ ROTR(e, 11) ^ ROTR(e, 25)) + ((e & f) ^ (~e & g)) + SHA_K[i] + w[i];
        uint32_t t2 = (ROTR(a, 2) ^ ROTR(a, 13) ^ ROTR(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void make_pads(bz_pads *pads) {
    uint32_t block[16];
    for (int i = 0; i < 16; i++) block[i] = 0x36363636;
    memcpy(pads->inner, SHA_START, 32);
    sha_block(pads->inner, block);
    for (int i = 0; i < 16; i++) block[i] = 0x5c5c5c5c;
    memcpy(pads->outer, SHA_START, 32);
    sha_block(pads->outer, block);
}

/* The six blocks of HKDF-SHA256(key, no salt, "EN-RPIK", 16), each as what it hashes, for every way of hashing.
 * words: the message; a block of `bytes` bytes after one block of pad is closed by 0x80 and its length in bits. */
static void close_block(uint32_t *block, int words, uint32_t bytes) {
    block[words] = 0x80000000;
    for (int i = words + 1; i < 15; i++) block[i] = 0;
    block[15] = (64 + bytes) * 8;
}

static const uint32_t EXPAND_BLOCK[16] = {
    0x454e2d52, 0x50494b01, 0x80000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (64 + 8) * 8}; /* "EN-RPIK", 1 */

static void first_block(const uint8_t *key, uint32_t *block) {
    memcpy(block, key, KEY_BYTES);
    for (int i = 0; i < 4; i++) block[i] = swap32(block[i]);
    close_block(block, 4, KEY_BYTES);
}

static void hash_block(const uint32_t *hash, uint32_t *block) {
    memcpy(block, hash, 32);
    close_block(block, 8, 32);
}

static void pad_block(const uint32_t *hash, uint32_t pad, uint32_t *block) {
    for (int i = 0; i < 8; i++) block[i] = hash[i] ^ pad;
    for (int i = 8; i < 16; i++) block[i] = pad;
}

/* Hash `lanes` blocks, each onto its own state. Every processor's HKDF is this one order of six steps. */
typedef void (*bz_hash)(uint32_t (*states)[8], uint32_t (*blocks)[16], int lanes);

static inline void hkdf(
    bz_hash hash, const bz_pads *pads, const uint8_t *const *keys, int lanes, uint8_t (*out)[KEY_BYTES]) {
    uint32_t state[2][8], block[2][16], key_hash[2][8], inner[2][8];
    for (int i = 0; i < lanes; i++) memcpy(state[i], pads->inner, 32), first_block(keys[i], block[i]);
    hash(state, block, lanes);
    for (int i = 0; i < lanes; i++) hash_block(state[i], block[i]), memcpy(state[i], pads->outer, 32);
    hash(state, block, lanes);
    memcpy(key_hash, state, sizeof key_hash);
    for (int i = 0; i < lanes; i++) pad_block(key_hash[i], 0x36363636, block[i]), memcpy(state[i], SHA_START, 32);
    hash(state, block, lanes);
    for (int i = 0; i < lanes; i++) memcpy(block[i], EXPAND_BLOCK, 64);
    hash(state, block, lanes);
    memcpy(inner, state, sizeof inner);
    for (int i = 0; i < lanes; i++) pad_block(key_hash[i], 0x5c5c5c5c, block[i]), memcpy(state[i], SHA_START, 32);
    hash(state, block, lanes);
    for (int i = 0; i < lanes; i++) hash_block(inner[i], block[i]);
    hash(state, block, lanes);
    for (int i = 0; i < lanes; i++) {
        uint32_t words[4];
        for (int j = 0; j < 4; j++) words[j] = swap32(state[i][j]);
        memcpy(out[i], words, KEY_BYTES);
    }
}

static void portable_hash(uint32_t (*states)[8], uint32_t (*blocks)[16], int lanes) {
    for (int i = 0; i < lanes; i++) sha_block(states[i], blocks[i]);
}

static void portable_identifier_keys(
    const bz_pads *pads, const uint8_t *const *keys, int count, uint8_t (*out)[KEY_BYTES]) {
    for (int i = 0; i < count; i++) hkdf(portable_hash, pads, keys + i, 1, out + i);
}

static void expand_key(const uint8_t *key, uint8_t *rounds) {
    memcpy(rounds, key, KEY_BYTES);
    for (int i = 0; i < 10; i++) {
        const uint8_t *last = rounds + 16 * i;
        uint8_t *next = rounds + 16 * i + 16;
        for (int j = 0; j < 4; j++) next[j] = last[j] ^ SBOX[last[12 + (j + 1) % 4]];
        next[0] ^= RCON[i];
        for (int j = 4; j < 16; j++) next[j] = last[j] ^ next[j - 4];
    }
}

static inline uint8_t twice(uint8_t x) {
    return (uint8_t)(x << 1 ^ (x >> 7) * 0x1b);
}

static uint32_t table_word(int position) { /* S-box and the first column of the mixing matrix, for one input byte */
    uint8_t s = SBOX[position], d = twice(s);
    return (uint32_t)d | (uint32_t)s << 8 | (uint32_t)s << 16 | (uint32_t)(uint8_t)(d ^ s) << 24;
}

static uint32_t mixed[256];

static inline uint32_t mix(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t key) {
#define ROTL(x, n) ((x) << (n) | (x) >> (32 - (n)))
    uint32_t second = mixed[b >> 8 & 255], third = mixed[c >> 16 & 255], fourth = mixed[d >> 24];
    return mixed[a & 255] ^ ROTL(second, 8) ^ ROTL(third, 16) ^ ROTL(fourth, 24) ^ key;
}

static inline uint32_t last_word(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t key) {
    return ((uint32_t)SBOX[a & 255] | (uint32_t)SBOX[b >> 8 & 255] << 8 | (uint32_t)SBOX[c >> 16 & 255] << 16 |
            (uint32_t)SBOX[d >> 24] << 24) ^
           key;
}

#define BLOCK_WORDS 0x522d4e45, 0x00004950, 0 /* "EN-RPI" and six zero bytes, before the interval number */

static void portable_identifiers(const uint8_t *identifier_key, const uint32_t *intervals, int count, uint8_t *out) {
    uint8_t rounds[176];
    uint32_t k[44];
    expand_key(identifier_key, rounds);
    memcpy(k, rounds, sizeof k);
    for (int i = 0; i < count; i++) {
        uint32_t start[4] = {BLOCK_WORDS, intervals[i]}, t[4], s[4];
        for (int j = 0; j < 4; j++) s[j] = start[j] ^ k[j];
        for (int round = 1; round < 10; round++) {
            for (int j = 0; j < 4; j++)
                t[j] = mix(s[j], s[(j + 1) & 3], s[(j + 2) & 3], s[(j + 3) & 3], k[4 * round + j]);
            memcpy(s, t, 16);
        }
        for (int j = 0; j < 4; j++) t[j] = last_word(s[j], s[(j + 1) & 3], s[(j + 2) & 3], s[(j + 3) & 3], k[40 + j]);
        memcpy(out + 16 * i, t, 16);
    }
}

/* ---------------------------------------------------------------- x86-64 */

#ifdef BZ_X86

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define AES_TARGET __attribute__((target("aes,sse4.1")))
#define VAES_TARGET __attribute__((target("aes,vaes,avx512f,avx512vl,avx512bw")))
#define VAES256_TARGET __attribute__((target("aes,vaes,avx2")))

/* Four rounds of two independent hashes: each hides the other's latency. */
#define SHA_ROUNDS2(i)                                                                                                 \
    do {                                                                                                               \
        __m128i k = _mm_loadu_si128((const __m128i *)(SHA_K + 4 * (i)));                                               \
        __m128i ma = _mm_add_epi32(wa[(i) & 3], k), mb = _mm_add_epi32(wb[(i) & 3], k);                                \
        a1 = _mm_sha256rnds2_epu32(a1, a0, ma), b1 = _mm_sha256rnds2_epu32(b1, b0, mb);                                \
        ma = _mm_shuffle_epi32(ma, 0x0e), mb = _mm_shuffle_epi32(mb, 0x0e);                                            \
        a0 = _mm_sha256rnds2_epu32(a0, a1, ma), b0 = _mm_sha256rnds2_epu32(b0, b1, mb);                                \
    } while (0)

/* The next four words of a schedule kept as its last sixteen. */
#define SHA_EXTEND(w, i)                                                                                               \
    w[(i) & 3] = _mm_sha256msg2_epu32(                                                                                 \
        _mm_add_epi32(_mm_sha256msg1_epu32(w[(i) & 3], w[((i) + 1) & 3]),                                              \
                      _mm_alignr_epi8(w[((i) + 3) & 3], w[((i) + 2) & 3], 4)),                                         \
        w[((i) + 3) & 3])

SHA_TARGET static inline void load_state(const uint32_t *state, __m128i *abef, __m128i *cdgh) {
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    *abef = _mm_alignr_epi8(low, high, 8);
    *cdgh = _mm_blend_epi16(high, low, 0xf0);
}

SHA_TARGET static inline void store_state(uint32_t *state, __m128i abef, __m128i cdgh) {
    __m128i low = _mm_shuffle_epi32(abef, 0x1b), high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

SHA_TARGET static void sha_ni_hash(uint32_t (*states)[8], uint32_t (*blocks)[16], int lanes) {
    /* One lane alone hashes twice; only the last key of an odd batch is so. */
    int other = lanes - 1;
    __m128i a0, a1, b0, b1, wa[4], wb[4];
    load_state(states[0], &a0, &a1);
    load_state(states[other], &b0, &b1);
    __m128i sa0 = a0, sa1 = a1, sb0 = b0, sb1 = b1;
    for (int i = 0; i < 4; i++) {
        wa[i] = _mm_loadu_si128((const __m128i *)(blocks[0] + 4 * i));
        wb[i] = _mm_loadu_si128((const __m128i *)(blocks[other] + 4 * i));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) SHA_ROUNDS2(i);
#pragma GCC unroll 12
    for (int i = 4; i < 16; i++) {
        SHA_EXTEND(wa, i);
        SHA_EXTEND(wb, i);
        SHA_ROUNDS2(i);
    }
    store_state(states[other], _mm_add_epi32(b0, sb0), _mm_add_epi32(b1, sb1));
    store_state(states[0], _mm_add_epi32(a0, sa0), _mm_add_epi32(a1, sa1));
}

SHA_TARGET static void sha_ni_identifier_keys(
    const bz_pads *pads, const uint8_t *const *keys, int count, uint8_t (*out)[KEY_BYTES]) {
    for (int i = 0; i < count; i += 2) hkdf(sha_ni_hash, pads, keys + i, count - i < 2 ? 1 : 2, out + i);
}

#define EXPAND_STEP(i, constant)                                                                                       \
    do {                                                                                                               \
        __m128i assisted = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(k[i], constant), 0xff), last = k[i];            \
        last = _mm_xor_si128(last, _mm_slli_si128(last, 4));                                                           \
        last = _mm_xor_si128(last, _mm_slli_si128(last, 8));                                                           \
        k[(i) + 1] = _mm_xor_si128(last, assisted);                                                                    \
    } while (0)

AES_TARGET static inline void expand_key_ni(const uint8_t *key, __m128i *k) {
    k[0] = _mm_loadu_si128((const __m128i *)key);
    EXPAND_STEP(0, 0x01); EXPAND_STEP(1, 0x02); EXPAND_STEP(2, 0x04); EXPAND_STEP(3, 0x08); EXPAND_STEP(4, 0x10);
    EXPAND_STEP(5, 0x20); EXPAND_STEP(6, 0x40); EXPAND_STEP(7, 0x80); EXPAND_STEP(8, 0x1b); EXPAND_STEP(9, 0x36);
}

AES_TARGET static void aes_ni_identifiers(
    const uint8_t *identifier_key, const uint32_t *intervals, int count, uint8_t *out) {
    __m128i k[11], base = _mm_set_epi32(0, 0, 0x00004950, 0x522d4e45);
    expand_key_ni(identifier_key, k);
    for (int i = 0; i < count; i += 8) {
        __m128i s[8];
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) s[j] = _mm_xor_si128(_mm_insert_epi32(base, (int)intervals[i + j], 3), k[0]);
#pragma GCC unroll 9
        for (int round = 1; round < 10; round++) {
#pragma GCC unroll 8
            for (int j = 0; j < 8; j++) s[j] = _mm_aesenc_si128(s[j], k[round]);
        }
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++)
            _mm_storeu_si128((__m128i *)(out + 16 * (i + j)), _mm_aesenclast_si128(s[j], k[10]));
    }
}

VAES_TARGET static void vaes_identifiers(
    const uint8_t *identifier_key, const uint32_t *intervals, int count, uint8_t *out) {
    __m128i k[11];
    __m512i wide[11], base = _mm512_broadcast_i32x4(_mm_set_epi32(0, 0, 0x00004950, 0x522d4e45));
    __m512i spread = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3);
    expand_key_ni(identifier_key, k);
#pragma GCC unroll 11
    for (int i = 0; i < 11; i++) wide[i] = _mm512_broadcast_i32x4(k[i]);
    for (int i = 0; i < count; i += 32) {
        __m512i s[8];
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) {
            __m512i numbers = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(intervals + i + 4 * j)));
            s[j] = _mm512_xor_si512(_mm512_mask_permutexvar_epi32(base, 0x8888, spread, numbers), wide[0]);
        }
#pragma GCC unroll 9
        for (int round = 1; round < 10; round++) {
#pragma GCC unroll 8
            for (int j = 0; j < 8; j++) s[j] = _mm512_aesenc_epi128(s[j], wide[round]);
        }
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) _mm512_storeu_si512(out + 16 * (i + 4 * j), _mm512_aesenclast_epi128(s[j], wide[10]));
    }
}

/* The same two blocks at a time, for the many processors that have VAES and no AVX-512. */
VAES256_TARGET static void vaes256_identifiers(
    const uint8_t *identifier_key, const uint32_t *intervals, int count, uint8_t *out) {
    __m128i k[11];
    __m256i wide[11], base = _mm256_broadcastsi128_si256(_mm_set_epi32(0, 0, 0x00004950, 0x522d4e45));
    __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 0, 0, 0, 1);
    expand_key_ni(identifier_key, k);
#pragma GCC unroll 11
    for (int i = 0; i < 11; i++) wide[i] = _mm256_broadcastsi128_si256(k[i]);
    for (int i = 0; i < count; i += 16) {
        __m256i s[8];
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) {
            __m256i numbers = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(intervals + i + 2 * j)));
            numbers = _mm256_permutevar8x32_epi32(numbers, spread);
            s[j] = _mm256_xor_si256(_mm256_blend_epi32(base, numbers, 0x88), wide[0]);
        }
#pragma GCC unroll 9
        for (int round = 1; round < 10; round++) {
#pragma GCC unroll 8
            for (int j = 0; j < 8; j++) s[j] = _mm256_aesenc_epi128(s[j], wide[round]);
        }
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++)
            _mm256_storeu_si256((__m256i *)(out + 16 * (i + 2 * j)), _mm256_aesenclast_epi128(s[j], wide[10]));
    }
}

typedef struct {
    int sha, aes, vaes, vaes256;
} bz_features;

static bz_features features(void) {
    bz_features found = {0, 0, 0, 0};
    unsigned a, b, c, d, state_low = 0, state_high = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
    int sse41 = c >> 19 & 1, ssse3 = c >> 9 & 1, saves_state = c >> 27 & 1;
    found.aes = (c >> 25 & 1) && sse41;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
    found.sha = (b >> 29 & 1) && sse41 && ssse3;
    if (saves_state) __asm__ volatile("xgetbv" : "=a"(state_low), "=d"(state_high) : "c"(0));
    /* The system must save the upper halves, the masks and the high registers of AVX-512. */
    int system = (state_low & 0xe6) == 0xe6;
    int avx512 = (b >> 16 & 1) && (b >> 30 & 1) && (b >> 31 & 1);
    found.vaes = found.aes && system && avx512 && (c >> 9 & 1);
    found.vaes256 = found.aes && (state_low & 6) == 6 && (b >> 5 & 1) && (c >> 9 & 1);
    return found;
}

#endif

/* ---------------------------------------------------------------- ARMv8 */

#ifdef BZ_ARM

#define ARM_TARGET __attribute__((target("+crypto")))

ARM_TARGET static void arm_hash(uint32_t (*states)[8], uint32_t (*blocks)[16], int lanes) {
    for (int lane = 0; lane < lanes; lane++) {
        uint32x4_t abcd = vld1q_u32(states[lane]), efgh = vld1q_u32(states[lane] + 4), w[4];
        uint32x4_t first_abcd = abcd, first_efgh = efgh;
        for (int i = 0; i < 4; i++) w[i] = vld1q_u32(blocks[lane] + 4 * i);
        for (int i = 0; i < 16; i++) {
            if (i >= 4)
                w[i & 3] = vsha256su1q_u32(
                    vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3], w[(i + 3) & 3]);
            uint32x4_t message = vaddq_u32(w[i & 3], vld1q_u32(SHA_K + 4 * i)), before = abcd;
            abcd = vsha256hq_u32(abcd, efgh, message);
            efgh = vsha256h2q_u32(efgh, before, message);
        }
        vst1q_u32(states[lane], vaddq_u32(abcd, first_abcd));
        vst1q_u32(states[lane] + 4, vaddq_u32(efgh, first_efgh));
    }
}

ARM_TARGET static void arm_identifier_keys(
    const bz_pads *pads, const uint8_t *const *keys, int count, uint8_t (*out)[KEY_BYTES]) {
    for (int i = 0; i < count; i += 2) hkdf(arm_hash, pads, keys + i, count - i < 2 ? 1 : 2, out + i);
}

ARM_TARGET static void arm_identifiers(
    const uint8_t *identifier_key, const uint32_t *intervals, int count, uint8_t *out) {
    uint8_t rounds[176];
    uint8x16_t k[11];
    expand_key(identifier_key, rounds);
    for (int i = 0; i < 11; i++) k[i] = vld1q_u8(rounds + 16 * i);
    for (int i = 0; i < count; i += 4) {
        uint8x16_t s[4];
        for (int j = 0; j < 4; j++) {
            uint32_t words[4] = {BLOCK_WORDS, intervals[i + j]};
            s[j] = vreinterpretq_u8_u32(vld1q_u32(words));
        }
        for (int round = 0; round < 9; round++)
            for (int j = 0; j < 4; j++) s[j] = vaesmcq_u8(vaeseq_u8(s[j], k[round]));
        for (int j = 0; j < 4; j++) vst1q_u8(out + 16 * (i + j), veorq_u8(vaeseq_u8(s[j], k[9]), k[10]));
    }
}

static int arm_crypto(void) {
#if defined(__linux__)
    unsigned long has = getauxval(AT_HWCAP);
    return (has >> 3 & 1) && (has >> 6 & 1); /* HWCAP_AES, HWCAP_SHA2 */
#else
    return 1; /* every 64-bit machine of Apple's */
#endif
}

#endif

/* ---------------------------------------------------------------- which of them this machine runs */

static const bz_processor PORTABLE = {"portable", portable_identifier_keys, portable_identifiers};
#ifdef BZ_X86
static const bz_processor AES_ONLY = {"aes", portable_identifier_keys, aes_ni_identifiers};
static const bz_processor SHA_AES = {"sha+aes", sha_ni_identifier_keys, aes_ni_identifiers};
static const bz_processor SHA_VAES256 = {"sha+vaes256", sha_ni_identifier_keys, vaes256_identifiers};
static const bz_processor SHA_VAES = {"sha+vaes", sha_ni_identifier_keys, vaes_identifiers};
#endif
#ifdef BZ_ARM
static const bz_processor ARM_CRYPTO = {"armv8", arm_identifier_keys, arm_identifiers};
#endif

static bz_pads pads;
static const bz_processor *processors[5];
static int processor_count;

/* Fill the tables and list what runs here, best first. Called once, before anything else. */
static void bz_prepare(void) {
    make_pads(&pads);
    for (int i = 0; i < 256; i++) mixed[i] = table_word(i);
    processor_count = 0;
#ifdef BZ_X86
    bz_features has = features();
    if (has.sha && has.vaes) processors[processor_count++] = &SHA_VAES;
    if (has.sha && has.vaes256) processors[processor_count++] = &SHA_VAES256;
    if (has.sha && has.aes) processors[processor_count++] = &SHA_AES;
    if (has.aes) processors[processor_count++] = &AES_ONLY;
#endif
#ifdef BZ_ARM
    if (arm_crypto()) processors[processor_count++] = &ARM_CRYPTO;
#endif
    processors[processor_count++] = &PORTABLE;
}

/* ---------------------------------------------------------------- the index of sightings */

typedef struct {
    int64_t count;
    /* Sightings in the order of their buckets, within a bucket in the order they were given. */
    uint64_t *halves; /* two to a sighting */
    int64_t *rows;
    uint32_t *bucket_starts;
    int bucket_bits;
    /* Two bit sets over different bits of an identifier: a small one for the nearest cache and a sparse one. */
    uint32_t *near_bits, *far_bits;
    uint32_t near_mask, far_mask;
    /* With times: a sighting counts in intervals late_from .. late_to before its own. Without: always. */
    int timed;
    int64_t late_from, late_to;
    int64_t *intervals;            /* of each sighting, in bucket order */
    int64_t first, span;           /* intervals that some sighting can match */
    uint8_t *possible;             /* one byte for each */
    uint32_t *possible_before;     /* span + 1 running sums */
} bz_index;

static void bz_index_free(bz_index *index) {
    if (!index) return;
    free(index->halves), free(index->rows), free(index->bucket_starts), free(index->near_bits), free(index->far_bits);
    free(index->intervals), free(index->possible), free(index->possible_before), free(index);
}

static int bits_for(int64_t count, int more, int least, int most) {
    int bits = more;
    while (count > 1) count >>= 1, bits++;
    return bits < least ? least : bits > most ? most : bits;
}

/* More than 2**22 intervals are 80 years of sightings; without the bound one absurd time would ask for all memory. */
#define MOST_SPAN (1 << 22)

static int index_times(bz_index *index, const int64_t *intervals) {
    int64_t first = 0, last = -1;
    for (int64_t i = 0; i < index->count; i++) {
        /* No key reaches outside 32 bits; such a sighting matches nothing and is left out. */
        if (intervals[i] < -65536 || intervals[i] > (int64_t)UINT32_MAX + 65536) continue;
        if (last < first || intervals[i] < first) first = intervals[i];
        if (last < first || intervals[i] > last) last = intervals[i];
    }
    index->first = first - index->late_to;
    index->span = last < first ? 0 : last - index->late_from - index->first + 1;
    if (index->span > MOST_SPAN) { /* times are too far apart to mark: every interval is possible */
        index->span = -1;
        return 0;
    }
    index->possible = calloc((size_t)index->span + 1, 1);
    index->possible_before = calloc((size_t)index->span + 1, sizeof(uint32_t));
    if (!index->possible || !index->possible_before) return -1;
    for (int64_t i = 0; i < index->count; i++) {
        if (intervals[i] < first || intervals[i] > last) continue;
        for (int64_t late = index->late_from; late <= index->late_to; late++)
            index->possible[intervals[i] - late - index->first] = 1;
    }
    for (int64_t i = 0; i < index->span; i++)
        index->possible_before[i + 1] = index->possible_before[i] + index->possible[i];
    return 0;
}

/* identifiers: count x 16 bytes; intervals: of each sighting, or NULL; late_from <= late_to, both within 4096.
 * Both are read more than once and must not change meanwhile. Returns NULL without memory. count < 2**31. */
static bz_index *bz_index_new(
    const uint8_t *identifiers, int64_t count, const int64_t *intervals, int64_t late_from, int64_t late_to) {
    bz_index *index = calloc(1, sizeof *index);
    if (!index) return NULL;
    index->count = count;
    index->timed = intervals != NULL;
    index->late_from = late_from, index->late_to = late_to;
    index->bucket_bits = bits_for(count, 1, 4, 28);
    int near_bits = bits_for(count, 5, 15, 19), far_bits = bits_for(count, 9, 18, 26);
    index->near_mask = (1u << near_bits) - 1, index->far_mask = (1u << far_bits) - 1;
    size_t some = count ? (size_t)count : 1, buckets = (size_t)1 << index->bucket_bits;
    index->halves = malloc(some * 16), index->rows = malloc(some * sizeof(int64_t));
    index->bucket_starts = calloc(buckets + 1, sizeof(uint32_t));
    index->near_bits = calloc(((size_t)1 << near_bits) / 32, 4), index->far_bits = calloc(((size_t)1 << far_bits) / 32, 4);
    if (index->timed) index->intervals = malloc(some * sizeof(int64_t));
    if (!index->halves || !index->rows || !index->bucket_starts || !index->near_bits || !index->far_bits ||
        (index->timed && (!index->intervals || index_times(index, intervals) < 0))) {
        bz_index_free(index);
        return NULL;
    }
    uint32_t bucket_mask = (uint32_t)(buckets - 1);
    for (int64_t i = 0; i < count; i++) {
        uint32_t words[4];
        memcpy(words, identifiers + 16 * i, 16);
        index->near_bits[(words[0] & index->near_mask) >> 5] |= 1u << (words[0] & 31);
        index->far_bits[(words[1] & index->far_mask) >> 5] |= 1u << (words[1] & 31);
        index->bucket_starts[(words[2] & bucket_mask) + 1]++;
    }
    for (size_t i = 0; i < buckets; i++) index->bucket_starts[i + 1] += index->bucket_starts[i];
    /* Fill from the back, so that starts end where they began and equal identifiers keep their order. */
    uint32_t *ends = malloc(buckets * sizeof(uint32_t));
    if (!ends) {
        bz_index_free(index);
        return NULL;
    }
    memcpy(ends, index->bucket_starts + 1, buckets * sizeof(uint32_t));
    for (int64_t i = count - 1; i >= 0; i--) {
        uint32_t words[4];
        memcpy(words, identifiers + 16 * i, 16);
        uint32_t place = --ends[words[2] & bucket_mask];
        memcpy(index->halves + 2 * (size_t)place, identifiers + 16 * i, 16);
        index->rows[place] = i;
        if (index->timed) index->intervals[place] = intervals[i];
    }
    free(ends);
    return index;
}

/* ---------------------------------------------------------------- the search */

typedef struct {
    int64_t *items; /* key row, interval, sighting row, and so on */
    size_t count, room;
} bz_matches;

static int add_match(bz_matches *matches, int64_t key_row, int64_t interval, int64_t sighting_row) {
    if (matches->count == matches->room) {
        size_t room = matches->room ? 2 * matches->room : 64;
        int64_t *items = realloc(matches->items, room * 3 * sizeof(int64_t));
        if (!items) return -1;
        matches->items = items, matches->room = room;
    }
    int64_t *item = matches->items + 3 * matches->count++;
    item[0] = key_row, item[1] = interval, item[2] = sighting_row;
    return 0;
}

/* Write the intervals of a key that a sighting could match; return how many. An impossible start or period has none. */
static int possible_intervals(const bz_index *index, int64_t start, int64_t period, uint32_t *intervals) {
    int64_t count = period < 0 ? 0 : period > INTERVALS_PER_KEY ? INTERVALS_PER_KEY : period, from = start;
    int found = 0;
    if (start < 0 || start >= ((int64_t)1 << 32) - count) return 0;
    if (!index->timed || index->span < 0) {
        for (; found < count; found++) intervals[found] = (uint32_t)(start + found);
        return found;
    }
    int64_t to = start + count;
    if (from < index->first) from = index->first;
    if (to > index->first + index->span) to = index->first + index->span;
    if (from >= to || index->possible_before[from - index->first] == index->possible_before[to - index->first]) return 0;
    for (int64_t at = from; at < to; at++) {
        intervals[found] = (uint32_t)at;
        found += index->possible[at - index->first];
    }
    return found;
}

static int compare(
    const bz_index *index, const uint8_t *identifier, int64_t key_row, int64_t interval, bz_matches *matches) {
    uint64_t low, high;
    memcpy(&low, identifier, 8), memcpy(&high, identifier + 8, 8);
    uint32_t bucket = (uint32_t)high & (((uint32_t)1 << index->bucket_bits) - 1);
    for (uint32_t place = index->bucket_starts[bucket]; place < index->bucket_starts[bucket + 1]; place++) {
        if (index->halves[2 * (size_t)place] != low || index->halves[2 * (size_t)place + 1] != high) continue;
        if (index->timed) {
            int64_t sighted = index->intervals[place];
            if (sighted < interval + index->late_from || sighted > interval + index->late_to) continue;
        }
        if (add_match(matches, key_row, interval, index->rows[place]) < 0) return -1;
    }
    return 0;
}

typedef struct {
    int64_t row;
    int count;
    uint32_t intervals[INTERVALS_PER_KEY + 32];
} bz_wanted;

static int search_batch(const bz_processor *processor, const bz_index *index, const uint8_t *keys, const bz_wanted *wanted,
                        int count, bz_matches *matches) {
    const uint8_t *pointers[BATCH] = {NULL};
    uint8_t identifier_keys[BATCH][KEY_BYTES], identifiers[16 * (INTERVALS_PER_KEY + 32)];
    uint8_t candidates[INTERVALS_PER_KEY + 1];
    const uint32_t *near_bits = index->near_bits, near_mask = index->near_mask;
    for (int i = 0; i < count; i++) pointers[i] = keys + KEY_BYTES * wanted[i].row;
    processor->identifier_keys(&pads, pointers, count, identifier_keys);
    for (int i = 0; i < count; i++) {
        int candidate_count = 0;
        processor->identifiers(identifier_keys[i], wanted[i].intervals, wanted[i].count, identifiers);
        for (int j = 0; j < wanted[i].count; j++) {
            uint32_t word;
            memcpy(&word, identifiers + 16 * j, 4);
            candidates[candidate_count] = (uint8_t)j;
            candidate_count += near_bits[(word & near_mask) >> 5] >> (word & 31) & 1;
        }
        for (int c = 0; c < candidate_count; c++) {
            const uint8_t *identifier = identifiers + 16 * candidates[c];
            uint32_t word;
            memcpy(&word, identifier + 4, 4);
            if (!(index->far_bits[(word & index->far_mask) >> 5] >> (word & 31) & 1)) continue;
            if (compare(index, identifier, wanted[i].row, wanted[i].intervals[candidates[c]], matches) < 0) return -1;
        }
    }
    return 0;
}

/* keys: count x 16 bytes; starts, periods: count numbers, unchecked. Matches are ordered by key row, then interval,
 * then sighting row. Returns -1 without memory; what was found so far is then incomplete. */
static int bz_search(const bz_processor *processor, const bz_index *index, const uint8_t *keys, const int64_t *starts,
                     const int64_t *periods, int64_t count, bz_matches *matches) {
    bz_wanted wanted[BATCH];
    int waiting = 0;
    if (!index->count) return 0;
    memset(wanted, 0, sizeof wanted);
    for (int64_t row = 0; row < count; row++) {
        bz_wanted *next = wanted + waiting;
        next->row = row;
        next->count = possible_intervals(index, starts[row], periods[row], next->intervals);
        waiting += next->count > 0;
        if (waiting == BATCH) {
            if (search_batch(processor, index, keys, wanted, waiting, matches) < 0) return -1;
            waiting = 0;
        }
    }
    return waiting ? search_batch(processor, index, keys, wanted, waiting, matches) : 0;
}

/* ---------------------------------------------------------------- the keys of an export file */

/* Only messages as every known server writes them are read here. At anything else the reader says so and bluezone reads
 * the file in Python (exports/columns.py), which knows all that may stand in one and every way to refuse it. */

#define KEY_TAG 0x3a         /* field 7, keys */
#define REVISED_KEY_TAG 0x42 /* field 8, revised_keys */
#define SHORTEST_MESSAGE 18
#define MOST_FIELDS 64
#define COLUMNS 5 /* start, period, report type, days since onset, transmission risk level */

typedef struct {
    int64_t count;
    uint8_t *keys;     /* count x 16 */
    int64_t *columns;  /* COLUMNS x count */
} bz_columns;

/* Read a number of at most five bytes below `end`; return NULL for any other. */
static const uint8_t *short_number(const uint8_t *at, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 35 && at < end; shift += 7) {
        *value |= (uint64_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80) return at;
    }
    return NULL;
}

static int read_key_message(const uint8_t *at, const uint8_t *end, bz_columns *into, int64_t row, int64_t absent) {
    static const int column_of[7] = {-1, -1, 4, 0, 1, 2, 3};
    int64_t values[COLUMNS] = {0, INTERVALS_PER_KEY, absent, absent, absent};
    int fields = 0, has_key = 0;
    while (at < end) {
        uint8_t tag = *at++;
        uint64_t value;
        if (++fields > MOST_FIELDS) return -1;
        if (tag == 0x0a) {
            if (end - at < 1 + KEY_BYTES || *at != KEY_BYTES) return -1;
            memcpy(into->keys + KEY_BYTES * row, at + 1, KEY_BYTES);
            at += 1 + KEY_BYTES, has_key = 1;
            continue;
        }
        if (tag & 0x87 || tag >> 3 < 2 || tag >> 3 > 6) return -1;
        if (!(at = short_number(at, end, &value))) return -1;
        if (tag >> 3 == 6) {
            if (value > UINT32_MAX) return -1;
            values[column_of[6]] = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
        } else {
            if (value > INT32_MAX) return -1;
            values[column_of[tag >> 3]] = (int64_t)value;
        }
    }
    for (int i = 0; i < COLUMNS; i++) into->columns[i * into->count + row] = values[i];
    return has_key ? 0 : -1;
}

/* Step over one key message at `at`; its content is content..return value. NULL when there is none or a strange one. */
static const uint8_t *next_message(const uint8_t *at, const uint8_t *end, const uint8_t **content) {
    uint64_t length;
    if (at >= end || (*at != KEY_TAG && *at != REVISED_KEY_TAG)) return NULL;
    if (!(*content = short_number(at + 1, end, &length))) return NULL;
    if (length < SHORTEST_MESSAGE || length > (uint64_t)(end - *content)) return NULL;
    return *content + length;
}

static void bz_columns_free(bz_columns *columns) {
    free(columns->keys), free(columns->columns);
}

/* Read the key messages that follow one another from `at` on; found[0] takes keys, found[1] revised keys.
 * The bytes are read twice and must not change meanwhile. Returns where the messages end, or NULL for anything unusual
 * or without memory; the caller frees `found` either way. */
static const uint8_t *bz_read_keys(const uint8_t *at, const uint8_t *end, int64_t absent, bz_columns found[2]) {
    const uint8_t *content, *after;
    int64_t rows[2] = {0, 0};
    for (const uint8_t *place = at; (after = next_message(place, end, &content)); place = after)
        found[*place == REVISED_KEY_TAG].count++;
    for (int i = 0; i < 2; i++) {
        size_t some = found[i].count ? (size_t)found[i].count : 1;
        found[i].keys = malloc(some * KEY_BYTES), found[i].columns = malloc(some * COLUMNS * sizeof(int64_t));
        if (!found[i].keys || !found[i].columns) return NULL;
    }
    for (; (after = next_message(at, end, &content)); at = after) {
        int which = *at == REVISED_KEY_TAG;
        if (read_key_message(content, after, &found[which], rows[which]++, absent) < 0) return NULL;
    }
    /* Stopped inside a key message: a strange one. */
    return at < end && (*at == KEY_TAG || *at == REVISED_KEY_TAG) ? NULL : at;
}

/* ---------------------------------------------------------------- how many segments of a meeting were near */

/* The model of bluezone.protocol.risk.nearness, for one chance to stay at a distance. like: segments x shifts x
 * distances; weights: of the shifts; is_near: of the distances, all of which weigh the same. Writes the chances of
 * 0 .. segments near segments, and for each segment by what the sum of all states was divided after it. Returns -1
 * without memory. */
static int bz_near_counts(const double *like, int segments, int shifts, int distances, const double *weights,
                          const uint8_t *is_near, double stay, double *counts, double *totals) {
    size_t width = (size_t)shifts * distances, size = ((size_t)segments + 1) * width;
    double prior = 1.0 / distances, *states = calloc(size, sizeof *states);
    if (!states) return -1;
    for (int segment = 0; segment < segments; segment++, like += width) {
        double total = 0;
        /* From the most near segments down, since a near one moves to the next row. */
        for (int count = segment + 1; count >= 0; count--) {
            for (int shift = 0; shift < shifts; shift++) {
                double *row = states + count * width + (size_t)shift * distances;
                const double *one = like + (size_t)shift * distances, *below = count ? row - width : NULL;
                double moved = segment ? 0 : (count ? 0 : weights[shift]);
                double moved_below = segment ? 0 : (count == 1 ? weights[shift] : 0);
                if (segment) {
                    for (int at = 0; at < distances; at++) moved += row[at], moved_below += below ? below[at] : 0;
                    moved *= 1 - stay, moved_below *= 1 - stay;
                }
                for (int at = 0; at < distances; at++) {
                    double stayed = is_near[at] ? (below ? below[at] : 0) : row[at];
                    row[at] = (stay * stayed + prior * (is_near[at] ? moved_below : moved)) * one[at];
                    total += row[at];
                }
            }
        }
        totals[segment] = total;
        for (size_t at = 0; at < ((size_t)segment + 2) * width; at++) states[at] /= total;
    }
    for (int count = 0; count <= segments; count++) {
        counts[count] = 0;
        for (size_t at = 0; at < width; at++) counts[count] += states[count * width + at];
    }
    free(states);
    return 0;
}

/* ---------------------------------------------------------------- what the library offers */

#if defined(__GNUC__) || defined(__clang__)
#define BZ_API __attribute__((visibility("default")))
#else
#define BZ_API
#endif

#ifndef BLUEZONE_KERNEL_SOURCE
#define BLUEZONE_KERNEL_SOURCE "unknown"
#endif

/* SHA-256 (hex) of the source that this was built from, or "unknown". */
BZ_API const char *bzkernel_source(void) {
    return BLUEZONE_KERNEL_SOURCE;
}

/* Call it once, before anything else. Returns how many processors there are. */
BZ_API int bzkernel_prepare(void) {
    bz_prepare();
    return processor_count;
}

BZ_API const char *bzkernel_processor(int number) {
    return number < 0 || number >= processor_count ? NULL : processors[number]->name;
}

/* The interval of a moment, rounded down before 1970 too. Divided in parts of 32 bits, because processors of 32 bits
 * divide 64 in a library of the compiler, which a phone's kernel is not linked with. */
static int64_t interval_at(int64_t seconds) {
    uint64_t whole = seconds < 0 ? (uint64_t)(-1 - seconds) : (uint64_t)seconds;
    uint32_t high = (uint32_t)(whole >> 32), middle, low;
    middle = high % SECONDS_PER_INTERVAL << 16 | ((uint32_t)whole >> 16);
    low = middle % SECONDS_PER_INTERVAL << 16 | ((uint32_t)whole & 0xffff);
    whole = (uint64_t)(high / SECONDS_PER_INTERVAL) << 32 | (uint64_t)(middle / SECONDS_PER_INTERVAL) << 16 |
            low / SECONDS_PER_INTERVAL;
    return seconds < 0 ? -1 - (int64_t)whole : (int64_t)whole;
}

/* See bz_index_new. sightings: `width` bytes each, which begin with the identifier; seconds: Unix seconds of each, or
 * NULL. The caller has checked sizes and ranges, and frees the index. */
BZ_API bz_index *bzkernel_index(const uint8_t *sightings, int64_t count, int64_t width, const int64_t *seconds,
                                int64_t late_from, int64_t late_to) {
    size_t some = count ? (size_t)count : 1;
    uint8_t *identifiers = malloc(some * KEY_BYTES);
    int64_t *intervals = seconds ? malloc(some * sizeof *intervals) : NULL;
    bz_index *index = NULL;
    if (identifiers && (intervals || !seconds)) {
        for (int64_t i = 0; i < count; i++) memcpy(identifiers + KEY_BYTES * i, sightings + width * i, KEY_BYTES);
        for (int64_t i = 0; seconds && i < count; i++) intervals[i] = interval_at(seconds[i]);
        index = bz_index_new(identifiers, count, intervals, late_from, late_to);
    }
    free(identifiers), free(intervals);
    return index;
}

BZ_API void bzkernel_index_free(bz_index *index) {
    bz_index_free(index);
}

/* See bz_search. Returns how many matches there are, -1 without memory; *found holds three numbers to a match, and the
 * caller frees it. */
BZ_API int64_t bzkernel_search(int processor, const bz_index *index, const uint8_t *keys, const int64_t *starts,
                               const int64_t *periods, int64_t count, int64_t **found) {
    bz_matches matches = {NULL, 0, 0};
    *found = NULL;
    if (processor < 0 || processor >= processor_count) return -1;
    if (bz_search(processors[processor], index, keys, starts, periods, count, &matches) < 0) {
        free(matches.items);
        return -1;
    }
    *found = matches.items;
    return (int64_t)matches.count;
}

BZ_API void bzkernel_free(void *memory) {
    free(memory);
}

/* See bz_read_keys. Returns where the messages end, or -1; the caller frees both columns, either way. */
BZ_API int64_t bzkernel_read_keys(
    const uint8_t *data, int64_t length, int64_t position, int64_t absent, bz_columns found[2]) {
    const uint8_t *end;
    memset(found, 0, 2 * sizeof found[0]);
    if (position < 0 || position > length) return -1;
    end = bz_read_keys(data + position, data + length, absent, found);
    return end ? end - data : -1;
}

/* See bz_near_counts. */
BZ_API int bzkernel_near_counts(const double *like, int segments, int shifts, int distances, const double *weights,
                                const uint8_t *is_near, double stay, double *counts, double *totals) {
    return bz_near_counts(like, segments, shifts, distances, weights, is_near, stay, counts, totals);
}

BZ_API void bzkernel_columns_free(bz_columns *columns) {
    bz_columns_free(columns);
}
