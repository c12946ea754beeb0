/* SPDX-License-Identifier: Apache-2.0 */
/* Drives the native matcher without Python: every processor of this machine must find exactly what a plain loop finds.
 *
 * Built as it is, it plays `rounds` random cases (first argument) and prints a line; with BLUEZONE_FUZZ libFuzzer
 * chooses the cases; `cost PROCESSOR KEYS SIGHTINGS [SPREAD]` does one search, for callgrind to count: with SPREAD the
 * sightings lie in one interval of every SPREAD of the keys' day, over 144 in none; without it times do not matter.
 */

#define BLUEZONE_KERNEL_ALONE
#include "../../../src/bluezone/protocol/_kernel.c"

#include <stdio.h>

typedef struct {
    const uint8_t *data;
    size_t left;
    uint64_t state;
} source;

/* Bytes of the case while there are any, then of a generator seeded by them. */
static uint64_t draw(source *from, int bytes) {
    uint64_t value = 0;
    if (from->left >= (size_t)bytes) {
        memcpy(&value, from->data, (size_t)bytes);
        from->data += bytes, from->left -= (size_t)bytes;
        return value;
    }
    from->state ^= from->state << 13, from->state ^= from->state >> 7, from->state ^= from->state << 17;
    return bytes == 8 ? from->state : from->state & (((uint64_t)1 << 8 * bytes) - 1);
}

static void fail(const char *what, const char *processor) {
    fprintf(stderr, "%s differs on %s\n", what, processor);
    abort();
}

#define MOST_KEYS 70
#define MOST_SIGHTINGS 90
static const int64_t STARTS[] = {2992464, 2992469, 2992608, 0, ((int64_t)1 << 32) - 150, ((int64_t)1 << 32) - 144, -1,
                                 INT64_MAX, INT64_MIN, (int64_t)1 << 40};

static void plain_search(const uint8_t *keys, const int64_t *starts, const int64_t *periods, int key_count,
                         const uint8_t *sightings, const int64_t *times, int sighting_count, int64_t late_from,
                         int64_t late_to, bz_matches *matches) {
    for (int row = 0; row < key_count; row++) {
        int64_t count = periods[row] < 0 ? 0 : periods[row] > 144 ? 144 : periods[row];
        if (starts[row] < 0 || starts[row] >= ((int64_t)1 << 32) - count) continue;
        const uint8_t *key = keys + 16 * row;
        uint8_t identifier_key[1][16], identifier[16 * 32];
        portable_identifier_keys(&pads, &key, 1, identifier_key);
        for (int64_t interval = starts[row]; interval < starts[row] + count; interval++) {
            uint32_t number = (uint32_t)interval;
            portable_identifiers(identifier_key[0], &number, 1, identifier);
            for (int at = 0; at < sighting_count; at++) {
                if (memcmp(identifier, sightings + 16 * at, 16)) continue;
                if (times && (times[at] < interval + late_from || times[at] > interval + late_to)) continue;
                if (add_match(matches, row, interval, at) < 0) abort();
            }
        }
    }
}

static void one_case(source *from) {
    static uint8_t keys[16 * MOST_KEYS], sightings[16 * MOST_SIGHTINGS];
    int64_t starts[MOST_KEYS], periods[MOST_KEYS], times[MOST_SIGHTINGS];
    int key_count = (int)(draw(from, 1) % MOST_KEYS), sighting_count = (int)(draw(from, 1) % MOST_SIGHTINGS);
    int timed = (int)(draw(from, 1) & 1);
    int64_t late_from = -(int64_t)(draw(from, 1) % 20), late_to = (int64_t)(draw(from, 1) % 20);
    for (int i = 0; i < key_count; i++) {
        for (int j = 0; j < 16; j++) keys[16 * i + j] = (uint8_t)draw(from, 1);
        starts[i] = STARTS[draw(from, 1) % (sizeof STARTS / sizeof *STARTS)];
        periods[i] = (int64_t)(draw(from, 1)) - 20;
    }
    for (int i = 0; i < sighting_count; i++) {
        uint8_t kind = (uint8_t)draw(from, 1), identifier_key[1][16], identifier[16 * 32];
        int row = key_count ? (int)(draw(from, 1) % (unsigned)key_count) : 0;
        uint32_t number = (uint32_t)((key_count ? (uint64_t)starts[row] : 0) + draw(from, 1) % 160);
        const uint8_t *key = keys + 16 * row;
        times[i] = (int64_t)number + (int64_t)(draw(from, 1) % 40) - 20;
        if (kind % 16 == 1) times[i] = (int64_t)draw(from, 8);
        portable_identifier_keys(&pads, &key, 1, identifier_key);
        portable_identifiers(identifier_key[0], &number, 1, identifier);
        if (kind % 4 == 0) identifier[kind >> 4] ^= (uint8_t)(1 << (draw(from, 1) & 7));
        if (i && kind % 16 == 2) memcpy(identifier, sightings + 16 * (i - 1), 16);
        memcpy(sightings + 16 * i, identifier, 16);
    }
    bz_index *index = bz_index_new(sightings, sighting_count, timed ? times : NULL, late_from, late_to);
    if (!index) abort();
    bz_matches expected = {NULL, 0, 0};
    plain_search(keys, starts, periods, key_count, sightings, timed ? times : NULL, sighting_count, late_from, late_to,
                 &expected);
    for (int p = 0; p < processor_count; p++) {
        bz_matches found = {NULL, 0, 0};
        if (bz_search(processors[p], index, keys, starts, periods, key_count, &found) < 0) abort();
        if (found.count != expected.count) fail("the number of matches", processors[p]->name);
        if (found.count && memcmp(found.items, expected.items, found.count * 24)) fail("a match", processors[p]->name);
        free(found.items);
    }
    free(expected.items);
    bz_index_free(index);
}

/* The reader of export files must stay inside any bytes; what it takes must be keys of its count. */
static void one_file(const uint8_t *data, size_t size) {
    bz_columns found[2] = {{0, NULL, NULL}, {0, NULL, NULL}};
    const uint8_t *end = bz_read_keys(data, data + size, -1, found);
    if (end && (end < data || end > data + size)) fail("the end of the keys", "the reader");
    if (end && (size_t)(found[0].count + found[1].count) * 20 > size) fail("the number of keys", "the reader");
    bz_columns_free(&found[0]), bz_columns_free(&found[1]);
}

/* Known answers, so that all cannot be wrong together: FIPS 180-4 "abc", FIPS 197 appendix B, and HKDF by OpenSSL's. */
static void known_answers(void) {
    uint32_t abc[16] = {0x61626380, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24}, state[8];
    memcpy(state, SHA_START, 32);
    sha_block(state, abc);
    if (state[0] != 0xba7816bf || state[7] != 0xf20015ad) fail("SHA-256", "portable");
    uint8_t key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    uint8_t rounds[176], last[16] = {0xd0, 0x14, 0xf9, 0xa8, 0xc9, 0xee, 0x25, 0x89, 0xe1, 0x3f, 0x0c, 0xc8, 0xb6, 0x63, 0x0c, 0xa6};
    expand_key(key, rounds);
    if (memcmp(rounds + 160, last, 16)) fail("the AES key schedule", "portable");
}

#ifdef BLUEZONE_FUZZ
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!processor_count) bz_prepare(), known_answers();
    source from = {data, size, 0x9e3779b97f4a7c15};
    one_file(data, size);
    one_case(&from);
    return 0;
}
#else
static int cost(const char *name, int keys_wanted, int sightings_wanted, int spread) {
    source from = {NULL, 0, 458};
    uint8_t *keys = malloc(16 * (size_t)keys_wanted), *sightings = malloc(16 * (size_t)sightings_wanted);
    int64_t *starts = malloc(8 * (size_t)keys_wanted), *periods = malloc(8 * (size_t)keys_wanted);
    int64_t *times = malloc(8 * (size_t)sightings_wanted);
    if (!keys || !sightings || !starts || !periods || !times) return 1;
    for (int i = 0; i < 16 * keys_wanted; i++) keys[i] = (uint8_t)draw(&from, 1);
    for (int i = 0; i < 16 * sightings_wanted; i++) sightings[i] = (uint8_t)draw(&from, 1);
    for (int i = 0; i < keys_wanted; i++) starts[i] = 2992464, periods[i] = 144;
    for (int i = 0; i < sightings_wanted; i++) times[i] = spread > 144 ? 2992464 + 1440 : 2992464 + (int64_t)spread * i % 144;
    bz_index *index = bz_index_new(sightings, sightings_wanted, spread ? times : NULL, 0, 0);
    bz_matches found = {NULL, 0, 0};
    int outcome = 1;
    for (int p = 0; p < processor_count && index; p++)
        if (!strcmp(processors[p]->name, name)) outcome = bz_search(processors[p], index, keys, starts, periods, keys_wanted, &found);
    printf("%d %zu\n", outcome, found.count);
    bz_index_free(index), free(found.items), free(keys), free(sightings), free(starts), free(periods), free(times);
    return outcome != 0;
}

int main(int count, char **arguments) {
    bz_prepare();
    known_answers();
    if (count >= 5 && !strcmp(arguments[1], "cost"))
        return cost(arguments[2], atoi(arguments[3]), atoi(arguments[4]), count > 5 ? atoi(arguments[5]) : 0);
    int rounds = count > 1 ? atoi(arguments[1]) : 100;
    source from = {NULL, 0, 0x2545f4914f6cdd1d};
    for (int i = 0; i < rounds; i++) {
        /* A good file with a byte changed here and there, in memory of just its size. */
        size_t size = 22 * 5;
        uint8_t *file = malloc(size);
        if (!file) return 1;
        for (size_t at = 0; at < size; at++) file[at] = (uint8_t)draw(&from, 1);
        for (size_t at = 0; at < size; at += 22)
            memcpy(file + at, draw(&from, 1) & 1 ? "\x3a\x14\x0a\x10" : "\x42\x14\x0a\x10", 4), file[at + 20] = 0x18, file[at + 21] &= 0x7f;
        for (int change = (int)(draw(&from, 1) % 4); change > 0; change--) file[draw(&from, 1) % size] = (uint8_t)draw(&from, 1);
        one_file(file, size);
        free(file);
        one_case(&from);
    }
    printf("%d cases, the same on", rounds);
    for (int p = 0; p < processor_count; p++) printf(" %s", processors[p]->name);
    printf("\n");
    return 0;
}
#endif
