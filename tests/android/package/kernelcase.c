/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a phone's libbzkernel.so, searches the case on its standard input, and prints what it finds.
 *
 * In: four counts (int64: sightings, keys, and the first and last interval that a sighting may be late), sightings of
 * 16 bytes, their Unix seconds, keys of 16 bytes, their starts and their periods. Out: the name of each processor, and
 * after it a line of three numbers to a match. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *taken(size_t bytes) {
    void *memory = malloc(bytes + 1);
    if (!memory || fread(memory, 1, bytes, stdin) != bytes) exit(3);
    return memory;
}

int main(int count, char **arguments) {
    void *library = count > 1 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 2;
    int (*prepare)(void) = (int (*)(void))dlsym(library, "bzkernel_prepare");
    const char *(*processor)(int) = (const char *(*)(int))dlsym(library, "bzkernel_processor");
    void *(*index_of)(const void *, int64_t, int64_t, const void *, int64_t, int64_t) =
        (void *(*)(const void *, int64_t, int64_t, const void *, int64_t, int64_t))dlsym(library, "bzkernel_index");
    int64_t (*search)(int, const void *, const void *, const void *, const void *, int64_t, int64_t **) =
        (int64_t(*)(int, const void *, const void *, const void *, const void *, int64_t, int64_t **))dlsym(library, "bzkernel_search");
    int64_t *counts = taken(32);
    void *sightings = taken(16 * (size_t)counts[0]), *seconds = taken(8 * (size_t)counts[0]);
    void *keys = taken(16 * (size_t)counts[1]), *starts = taken(8 * (size_t)counts[1]), *periods = taken(8 * (size_t)counts[1]);
    int processors = prepare();
    void *index = index_of(sightings, counts[0], 16, seconds, counts[2], counts[3]);
    for (int number = 0; number < processors; number++) {
        int64_t *found, matches = search(number, index, keys, starts, periods, counts[1], &found);
        printf("%s\n", processor(number));
        for (int64_t at = 0; at < 3 * matches; at++) printf("%lld%c", (long long)found[at], at % 3 == 2 ? '\n' : ' ');
    }
    return 0;
}
