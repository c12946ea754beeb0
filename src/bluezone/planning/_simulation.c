/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of an epidemic among the people of a city, with phones that warn: docs/planning.md.
 *
 * Work follows infections: only contacts of people who infect, and of cases that report, are ever looked at, and none is
 * stored. Every draw is a hash of the seed, what is drawn, the people and the day. So two options draw the same for the
 * same people and days, and the contacts of a day can be worked out again, from either side, when a case reports.
 *
 * A plain shared library, called through ctypes (kernel.py), which lays the structures out in the same order.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define INLINED static inline __attribute__((always_inline))

enum { HOUSEHOLD, SCHOOL, WORK, CHANCE, PASSING, SETTINGS };
enum { AGES = 9, CELLS = 16, LAST_DAY = 40, DELAYS = 32, LEVELS = 16, PASSINGS = 64 };
/* What a person's or a pair's draw is for. */
enum {
    FOR_SYMPTOMS = 1, FOR_ONSET, FOR_DEATH, FOR_INFECTIVITY, FOR_TEST, FOR_RESULT, FOR_ISOLATION, FOR_UPLOAD, FOR_KEEPING,
    FOR_STAYING, FOR_WARNED_TEST, FOR_SENSITIVITY, FOR_PAIR, FOR_INFECTION, FOR_WARNING, FOR_VENUE, FOR_TRACING, FOR_STUBS,
    FOR_PASSING, FOR_FIRST, FOR_IMPORT, FOR_CODE, FOR_TRACED_HOME, PURPOSES,
};
/* Columns of the answer, as kernel.py names them. */
enum {
    INFECTIONS, DEATHS, CASES, TESTS, TOLD, TOLD_NEAR, TOLD_INFECTED, WARNED_VENUE, TRACED, STAYED_RIGHT, STAYED_WRONG,
    ISOLATED, GENERATIONS, GENERATION_DAYS, AT_HOME, COLUMNS,
};

typedef struct {
    int64_t people, places, stub_bits, person_bits;
    const uint8_t *age;               /* 0..8, tens of years */
    const uint32_t *household_start;  /* first person of the household of each; a household's people follow each other */
    const uint8_t *household_size;
    const uint32_t *place;            /* school class or team at work; `places` for none */
    const uint32_t *place_start;      /* places + 1, into place_people */
    const uint32_t *place_people;
    const uint8_t *place_kind;        /* SCHOOL or WORK */
    const uint32_t *stub_start;       /* people + 1: the meetings by chance that each may have in a day */
    const uint32_t *stub_owner;       /* 2^stub_bits */
    const uint8_t *phone;             /* 1: the app runs */
} bz_people;

typedef struct {
    int64_t days, first, imports_per_1000_days, passing_count, stay_days, warning_delay, tracing_delay, tracing_capacity;
    int64_t look_back_days, before_onset_days;
    double infectivity[LAST_DAY];     /* hazard of each day since infection */
    double person_factor[LEVELS];     /* of a person's infectivity: equally likely values with mean 1 */
    double silent_factor;             /* infectivity of those without symptoms */
    double susceptibility[AGES], symptoms[AGES], death[AGES];
    double onset_cdf[LAST_DAY];       /* days from infection to symptoms */
    double result_cdf[DELAYS];        /* days from symptoms, or from a warning, to the result */
    double code_cdf[DELAYS];          /* days from the result to the upload */
    double setting_factor[SETTINGS];
    double cell_cdf[SETTINGS][CELLS]; /* how far and how long: which cell a contact falls into */
    double cell_factor[SETTINGS][CELLS];
    double cell_near[CELLS];          /* 1: ten minutes within two metres */
    double cell_high[CELLS];          /* chance that the phone says "high" */
    double school_contacts, work_contacts, chance_accepted, passing_accepted;
    double tested, isolating, upload, keeping, leak, warned_tested, sensitivity;
    double traced[SETTINGS];
    double venue_share, venue_scanned;
} bz_rules;

/* Days, -1 for never; 16 bytes, so that what is asked of one person lies together. */
typedef struct { int16_t infected_on, onset_on, result_on, stay_from, stay_until, told_on, uploaded_on; uint16_t flags; } person_state;
typedef struct { uint32_t person; uint16_t flags; } told;
typedef struct { told *items; int64_t count, room; } bucket;
typedef struct { uint64_t pair, stubs, add, times[2], back[2]; uint64_t passing; } day_keys;

typedef struct {
    const bz_people *people;
    const bz_rules *rules;
    uint64_t seed;
    day_keys *keys;
    uint64_t purpose[PURPOSES]; /* keys of the draws that have no day */
    person_state *state;        /* NULL: nobody stays at home */
    uint32_t *active;
    int64_t active_count;
    bucket *results, *uploads, *told;
    int64_t *out;
    int64_t traced_today;
    int day, failed;
} run;

/* Of a person; behind them, what somebody who is told something today is told. */
enum { HAS_SYMPTOMS = 1, REPORTED = 2, WAS_NEAR = 4, BY_PHONE = 8, BY_PHONE_AT_HOME = 16, BY_VENUE = 32, BY_TRACER = 64 };
enum { TODAY = WAS_NEAR | BY_PHONE | BY_PHONE_AT_HOME | BY_VENUE | BY_TRACER };

INLINED uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

INLINED uint64_t key_of(uint64_t seed, uint64_t purpose, uint64_t day) { return mix(mix(seed ^ (purpose << 56)) + day); }

INLINED double share_of(uint64_t hash) { return (double)(hash >> 11) * 0x1p-53; }

INLINED double drawn(const run *r, uint64_t purpose, uint32_t person) {
    return share_of(mix(r->purpose[purpose] ^ person));
}

INLINED int at(const double *cdf, int length, double share) {
    int place = 0;
    while (place < length - 1 && share >= cdf[place]) place++;
    return place;
}

static uint64_t inverse(uint64_t odd) {
    uint64_t found = odd;
    for (int step = 0; step < 5; step++) found *= 2 - odd * found;
    return found;
}

/* A day's permutation of 2^bits places pairs each with another one: an involution that any side can work out. */
INLINED uint64_t partner(uint64_t place, int bits, uint64_t add, const uint64_t *times, const uint64_t *back) {
    const uint64_t mask = (1ull << bits) - 1;
    const int half = (bits + 1) / 2;
    uint64_t x = (place + add) & mask;
    x ^= x >> half;
    x = (x * times[0]) & mask;
    x ^= x >> half;
    x = (x * times[1]) & mask;
    x ^= x >> half;
    x ^= 1;
    x ^= x >> half;
    x = (x * back[1]) & mask;
    x ^= x >> half;
    x = (x * back[0]) & mask;
    x ^= x >> half;
    return (x - add) & mask;
}

static void make_keys(run *r, int days) {
    for (int purpose = 0; purpose < PURPOSES; purpose++) r->purpose[purpose] = key_of(r->seed, (uint64_t)purpose, 0);
    for (int day = 0; day < days; day++) {
        day_keys *keys = &r->keys[day];
        const uint64_t key = key_of(r->seed, FOR_STUBS, (uint64_t)day);
        keys->pair = key_of(r->seed, FOR_PAIR, (uint64_t)day);
        keys->stubs = key;
        keys->add = mix(key + 1);
        for (int step = 0; step < 2; step++) {
            keys->times[step] = mix(key + 2 + (uint64_t)step) | 1;
            keys->back[step] = inverse(keys->times[step]);
        }
        keys->passing = key_of(r->seed, FOR_PASSING, (uint64_t)day);
    }
}

/* Whether somebody goes out on a day: who stays at home does so all the same with a small chance. */
INLINED int goes_out(const run *r, uint32_t person, int day) {
    if (r->state == NULL || day < r->state[person].stay_from || day >= r->state[person].stay_until) return 1;
    return share_of(mix(key_of(r->seed, FOR_STAYING, (uint64_t)day) ^ person)) < r->rules->leak;
}

typedef void (*visitor)(run *, uint32_t person, uint32_t other, int setting, uint64_t hash, int day, void *);

INLINED uint64_t pair_hash(uint64_t key, uint32_t one, uint32_t other) {
    const uint64_t low = one < other ? one : other, high = one < other ? other : one;
    return mix(key ^ (low << 32 | high));
}

/* All whom a person meets on a day, from either side the same. */
INLINED void each_contact(run *r, uint32_t person, int day, int with_passing, visitor visit, void *to) {
    const bz_people *p = r->people;
    const bz_rules *rules = r->rules;
    const day_keys *keys = &r->keys[day];
    const uint32_t first = p->household_start[person], behind = first + p->household_size[person];
    for (uint32_t other = first; other < behind; other++)
        if (other != person) visit(r, person, other, HOUSEHOLD, pair_hash(keys->pair, person, other), day, to);
    if (!goes_out(r, person, day)) return;
    const uint32_t place = p->place[person];
    if (place < p->places && day % 7 < 5) {
        const uint32_t from = p->place_start[place], until = p->place_start[place + 1];
        const int kind = p->place_kind[place];
        const double wanted = kind == SCHOOL ? rules->school_contacts : rules->work_contacts;
        const uint32_t below = until - from > wanted + 1 ? (uint32_t)(wanted / (until - from - 1) * 4294967295.0) : UINT32_MAX;
        for (uint32_t row = from; row < until; row++) {
            const uint32_t other = p->place_people[row];
            if (other == person) continue;
            const uint64_t hash = pair_hash(keys->pair + 1, person, other);
            if ((uint32_t)hash <= below && goes_out(r, other, day)) visit(r, person, other, kind, mix(hash), day, to);
        }
    }
    const uint32_t accepted = (uint32_t)(rules->chance_accepted * 4294967295.0);
    for (uint32_t stub = p->stub_start[person]; stub < p->stub_start[person + 1]; stub++) {
        const uint32_t met = (uint32_t)partner(stub, (int)p->stub_bits, keys->add, keys->times, keys->back);
        const uint32_t other = p->stub_owner[met];
        if (other == person) continue;
        const uint64_t hash = pair_hash(keys->stubs, stub, met);
        if ((uint32_t)hash < accepted && goes_out(r, other, day)) visit(r, person, other, CHANCE, mix(hash), day, to);
    }
    if (!with_passing) return;
    const uint32_t passes = (uint32_t)(rules->passing_accepted * 4294967295.0);
    for (int64_t turn = 0; turn < rules->passing_count; turn++) {
        const uint64_t key = keys->passing + (uint64_t)turn * 0x632be59bd9b4e019u;
        const uint64_t other = partner(person, (int)p->person_bits, key, keys->times, keys->back);
        if (other >= (uint64_t)p->people || other == person) continue;
        const uint64_t hash = pair_hash(key, person, (uint32_t)other);
        if ((uint32_t)hash < passes && goes_out(r, (uint32_t)other, day))
            visit(r, person, (uint32_t)other, PASSING, mix(hash), day, to);
    }
}

INLINED int cell_of(const run *r, int setting, uint64_t hash) {
    return at(r->rules->cell_cdf[setting], CELLS, share_of(hash));
}

static void put(run *r, bucket *days, int64_t day, uint32_t person, uint16_t flags) {
    if (day >= r->rules->days) return;
    bucket *into = &days[day];
    if (into->count == into->room) {
        const int64_t room = into->room ? 2 * into->room : 16;
        told *items = realloc(into->items, (size_t)room * sizeof *items);
        if (items == NULL) { r->failed = 1; return; }
        into->items = items;
        into->room = room;
    }
    into->items[into->count++] = (told){person, flags};
}

INLINED int64_t *counts(run *r, int64_t day) { return &r->out[day * COLUMNS]; }

static void result_comes(run *r, uint32_t person, int64_t day) {
    if (r->state[person].result_on >= 0 && r->state[person].result_on <= day) return;
    r->state[person].result_on = day < INT16_MAX ? (int16_t)day : INT16_MAX;
    put(r, r->results, day, person, 0);
}

static void infect(run *r, uint32_t person, int day) {
    const bz_rules *rules = r->rules;
    const int age = r->people->age[person];
    r->state[person].infected_on = (int16_t)day;
    counts(r, day)[INFECTIONS]++;
    r->active[r->active_count++] = person;
    if (drawn(r, FOR_DEATH, person) < rules->death[age]) counts(r, day)[DEATHS]++;
    if (drawn(r, FOR_SYMPTOMS, person) >= rules->symptoms[age]) return;
    r->state[person].flags |= HAS_SYMPTOMS;
    const int onset = day + at(rules->onset_cdf, LAST_DAY, drawn(r, FOR_ONSET, person));
    r->state[person].onset_on = (int16_t)onset;
    if (drawn(r, FOR_TEST, person) < rules->tested)
        result_comes(r, person, onset + at(rules->result_cdf, DELAYS, drawn(r, FOR_RESULT, person)));
}

INLINED double hazard(const run *r, uint32_t person, int since, int silent) {
    const double factor = r->rules->person_factor[mix(r->purpose[FOR_INFECTIVITY] ^ person) % LEVELS];
    return r->rules->infectivity[since] * factor * (silent ? r->rules->silent_factor : 1.0);
}

/* The chance that this contact infects. strength: of the person on this day. */
INLINED double chance_of(const run *r, double strength, uint32_t other, int setting, uint64_t hash) {
    const bz_rules *rules = r->rules;
    const double x = strength * rules->setting_factor[setting] *
                     rules->cell_factor[setting][cell_of(r, setting, hash)] *
                     rules->susceptibility[r->people->age[other]];
    /* 1 - exp(-x) without exp: the first terms do where x is small, and for large x the series is below the line. */
    return x < 0.1 ? x * (1 - x * (0.5 - x / 6)) : 1.0 - 1.0 / (1.0 + x * (1.0 + x * (0.5 + x * (1.0 / 6 + x / 24))));
}

INLINED double infection_share(const run *r, uint64_t hash, int day, uint32_t person) {
    return share_of(mix(hash ^ key_of(r->seed, FOR_INFECTION, (uint64_t)day) ^ ((uint64_t)person << 20)));
}

typedef struct { double strength; int since; } spreading;

static void spread(run *r, uint32_t person, uint32_t other, int setting, uint64_t hash, int day, void *to) {
    const spreading *s = to;
    if (r->state[other].infected_on >= 0) return;
    if (infection_share(r, hash, day, person) >= chance_of(r, s->strength, other, setting, hash)) return;
    infect(r, other, day);
    counts(r, day)[GENERATIONS]++;
    counts(r, day)[GENERATION_DAYS] += s->since;
    if (setting == HOUSEHOLD) counts(r, day)[AT_HOME]++;
}

/* Somebody stays at home for some days; days that were counted before are not counted again. */
static void stay(run *r, uint32_t person, int from, int until, int column) {
    const int last = until < r->rules->days ? until : (int)r->rules->days;
    int begins = from;
    if (r->state[person].stay_from <= from && r->state[person].stay_until > from) begins = r->state[person].stay_until;
    else r->state[person].stay_from = (int16_t)from;
    if (until > r->state[person].stay_until) r->state[person].stay_until = (int16_t)until;
    if (last > begins) counts(r, r->day)[column] += last - begins;
}

static void tell(run *r, uint32_t person, uint32_t other, int setting, uint64_t hash, int day, void *to) {
    const int tracing = *(const int *)to;
    const bz_rules *rules = r->rules;
    const int cell = cell_of(r, setting, hash);
    const uint16_t flags = rules->cell_near[cell] > 0.5 ? WAS_NEAR : 0;
    if (!tracing) {
        if (r->people->phone[other] && share_of(mix(hash ^ r->purpose[FOR_WARNING] ^ person)) < rules->cell_high[cell])
            put(r, r->told, r->day + rules->warning_delay, other, flags | (setting == HOUSEHOLD ? BY_PHONE_AT_HOME : BY_PHONE));
        if (rules->venue_scanned > 0 && (setting == CHANCE || setting == PASSING)) {
            const uint64_t venue = mix(hash ^ r->purpose[FOR_VENUE]);
            if ((double)(uint32_t)venue * 0x1p-32 < rules->venue_share &&
                (double)(venue >> 32) * 0x1p-32 < rules->venue_scanned * rules->venue_scanned &&
                r->people->phone[other])
                put(r, r->told, r->day + rules->warning_delay, other, flags | BY_VENUE);
        }
    } else {
        const int found = setting == HOUSEHOLD || flags & WAS_NEAR;
        const uint64_t draw = setting == HOUSEHOLD ? mix(r->purpose[FOR_TRACED_HOME] ^ other) : mix(hash ^ r->purpose[FOR_TRACING]);
        if (found && share_of(draw) < rules->traced[setting])
            put(r, r->told, r->day + rules->tracing_delay, other, flags | BY_TRACER);
    }
    (void)day;
}

static void warn(run *r, uint32_t person, int tracing) {
    const int onset = r->state[person].onset_on >= 0 ? r->state[person].onset_on : r->state[person].result_on - 3;
    int first = onset - (int)r->rules->before_onset_days;
    if (first < r->day - (int)r->rules->look_back_days) first = r->day - (int)r->rules->look_back_days;
    for (int day = first < 0 ? 0 : first; day <= r->day; day++) each_contact(r, person, day, !tracing, tell, &tracing);
}

static void take_results(run *r) {
    const bz_rules *rules = r->rules;
    bucket *today = &r->results[r->day];
    for (int64_t row = 0; row < today->count; row++) {
        const uint32_t person = today->items[row].person;
        if ((r->state[person].flags & REPORTED) || r->state[person].result_on != r->day) continue;
        r->state[person].flags |= REPORTED;
        counts(r, r->day)[CASES]++;
        counts(r, r->day)[TESTS]++;
        stay(r, person, r->day, r->day + (int)rules->stay_days, ISOLATED);
        if (r->people->phone[person] && drawn(r, FOR_UPLOAD, person) < rules->upload)
            put(r, r->uploads, r->day + at(rules->code_cdf, DELAYS, drawn(r, FOR_CODE, person)), person, 0);
        if (r->traced_today < rules->tracing_capacity) {
            r->traced_today++;
            warn(r, person, 1);
        }
    }
}

static void take_told(run *r) {
    const bz_rules *rules = r->rules;
    bucket *today = &r->told[r->day];
    int64_t *count = counts(r, r->day);
    /* Several meetings may stand behind what one person is told. */
    for (int64_t row = 0; row < today->count; row++) r->state[today->items[row].person].flags |= today->items[row].flags;
    for (int64_t row = 0; row < today->count; row++) {
        const uint32_t person = today->items[row].person;
        const uint16_t flags = r->state[person].flags & TODAY;
        r->state[person].flags &= (uint16_t)~TODAY;
        if (!flags) continue;
        if (r->state[person].told_on >= 0 && r->day - r->state[person].told_on < 7) continue;
        if (r->state[person].flags & REPORTED) continue;
        r->state[person].told_on = (int16_t)r->day;
        /* Whoever was infected long ago stays at home for nothing. */
        const int infected = r->state[person].infected_on >= 0 && r->day - r->state[person].infected_on <= rules->look_back_days;
        if (flags & BY_PHONE) {
            count[TOLD]++;
            count[TOLD_NEAR] += (flags & WAS_NEAR) != 0;
            count[TOLD_INFECTED] += infected;
        }
        count[WARNED_VENUE] += (flags & BY_VENUE) != 0;
        count[TRACED] += (flags & BY_TRACER) != 0;
        if (drawn(r, FOR_KEEPING, person) < rules->keeping)
            stay(r, person, r->day, r->day + (int)rules->stay_days, infected ? STAYED_RIGHT : STAYED_WRONG);
        if (drawn(r, FOR_WARNED_TEST, person) >= rules->warned_tested) continue;
        count[TESTS]++;
        if (infected && drawn(r, FOR_SENSITIVITY, person) < rules->sensitivity) {
            const int since = r->day - r->state[person].infected_on;
            result_comes(r, person, r->day + 1 + (since < 3 ? 3 - since : 0));
        }
    }
}

static void pass_day(run *r) {
    const bz_rules *rules = r->rules;
    r->traced_today = 0;
    take_results(r);
    bucket *uploads = &r->uploads[r->day];
    for (int64_t row = 0; row < uploads->count; row++) {
        r->state[uploads->items[row].person].uploaded_on = (int16_t)r->day;
        warn(r, uploads->items[row].person, 0);
    }
    take_told(r);
    int64_t kept = 0;
    const int64_t active = r->active_count;
    for (int64_t row = 0; row < active; row++) {
        const uint32_t person = r->active[row];
        const int since = r->day - r->state[person].infected_on;
        if (since >= LAST_DAY || (since > 0 && rules->infectivity[since] <= 0 && since > 20)) continue;
        r->active[kept++] = person;
        if (r->state[person].onset_on == r->day && drawn(r, FOR_ISOLATION, person) < rules->isolating)
            stay(r, person, r->day + 1, r->day + 1 + (int)rules->stay_days, ISOLATED);
        if (rules->infectivity[since] <= 0) continue;
        spreading s = {hazard(r, person, since, !(r->state[person].flags & HAS_SYMPTOMS)), since};
        each_contact(r, person, r->day, 0, spread, &s);
    }
    /* Those infected today stand behind the others. */
    memmove(&r->active[kept], &r->active[active], (size_t)(r->active_count - active) * sizeof *r->active);
    r->active_count = kept + r->active_count - active;
    const uint64_t key = key_of(r->seed, FOR_IMPORT, (uint64_t)r->day);
    const int64_t imports = rules->imports_per_1000_days * (r->day + 1) / 1000 - rules->imports_per_1000_days * r->day / 1000;
    for (int64_t turn = 0; turn < imports; turn++) {
        const uint32_t person = (uint32_t)(mix(key + (uint64_t)turn) % (uint64_t)r->people->people);
        if (r->state[person].infected_on < 0) infect(r, person, r->day);
    }
}

static void free_buckets(bucket *days, int64_t count) {
    for (int64_t day = 0; days != NULL && day < count; day++) free(days[day].items);
    free(days);
}

/* Run the days; out has days * COLUMNS numbers. stop: looked at each day. course: how it went for each person, or NULL.
 * 0 done, 1 stopped, -1 out of memory. */
EXPORTED int bzplan_run(const bz_people *people, const bz_rules *rules, uint64_t seed, const int32_t *stop, int64_t *out,
                        person_state *course) {
    run r = {.people = people, .rules = rules, .seed = mix(seed), .out = out};
    const size_t count = (size_t)people->people, days = (size_t)rules->days;
    r.keys = malloc(days * sizeof *r.keys);
    r.state = malloc((count + 1) * sizeof *r.state);
    r.active = malloc((count + 1) * sizeof *r.active);
    r.results = calloc(days, sizeof *r.results), r.uploads = calloc(days, sizeof *r.uploads), r.told = calloc(days, sizeof *r.told);
    memset(out, 0, days * COLUMNS * sizeof *out);
    r.failed = !r.keys || !r.state || !r.active || !r.results || !r.uploads || !r.told;
    int stopped = 0;
    if (!r.failed) {
        make_keys(&r, (int)days);
        for (size_t row = 0; row < count; row++) r.state[row] = (person_state){-1, -1, -1, -1, -1, -1, -1, 0};
        for (int64_t turn = 0, tries = 0; turn < rules->first && tries < 64 * rules->first; tries++) {
            const uint32_t person = (uint32_t)(mix(key_of(r.seed, FOR_FIRST, 0) + (uint64_t)tries) % count);
            if (r.state[person].infected_on < 0) infect(&r, person, 0), turn++;
        }
        for (r.day = 0; r.day < rules->days && !r.failed && !stopped; r.day++) {
            pass_day(&r);
            stopped = stop != NULL && *(const volatile int32_t *)stop;
        }
    }
    if (course != NULL && !r.failed) memcpy(course, r.state, count * sizeof *course);
    free_buckets(r.results, rules->days), free_buckets(r.uploads, rules->days), free_buckets(r.told, rules->days);
    free(r.keys), free(r.state), free(r.active);
    return r.failed ? -1 : stopped;
}

enum { MOST_OF_ONE = 1024 };
/* Whom one case infects: drawn, and as it is to be expected, which varies less. known: met again and again. */
typedef struct {
    double strength, escapes[MOST_OF_ONE], by_chance;
    uint32_t known[MOST_OF_ONE], found[MOST_OF_ONE];
    uint8_t at_home[MOST_OF_ONE];
    int64_t known_count, count;
} offspring;

static void bear(run *r, uint32_t person, uint32_t other, int setting, uint64_t hash, int day, void *to) {
    offspring *children = to;
    const double chance = chance_of(r, children->strength, other, setting, hash);
    if (setting == CHANCE) {
        children->by_chance += chance;
    } else {
        int64_t row = 0;
        while (row < children->known_count && children->known[row] != other) row++;
        if (row == MOST_OF_ONE) return;
        if (row == children->known_count) {
            children->known[row] = other, children->escapes[row] = 1, children->at_home[row] = setting == HOUSEHOLD;
            children->known_count++;
        }
        children->escapes[row] *= 1 - chance;
    }
    if (children->count == MOST_OF_ONE || infection_share(r, hash, day, person) >= chance) return;
    for (int64_t row = 0; row < children->count; row++)
        if (children->found[row] == other) return;
    children->found[children->count++] = other;
}

/* Infect each of `indexes` alone in a city where nobody else is. children: the first `room` people whom they infect, as
 * drawn; totals: as is to be expected of all, of those at home, and people in the homes. Returns how many children there
 * are, -1 out of memory. */
EXPORTED int64_t bzplan_offspring(const bz_people *people, const bz_rules *rules, uint64_t seed, const uint32_t *indexes,
                                  int64_t count, uint32_t *children, int64_t room, double *totals) {
    run r = {.people = people, .rules = rules, .seed = mix(seed)};
    r.keys = malloc(LAST_DAY * sizeof *r.keys);
    offspring *found = malloc(sizeof *found);
    if (r.keys == NULL || found == NULL) { free(r.keys), free(found); return -1; }
    make_keys(&r, LAST_DAY);
    int64_t written = 0;
    totals[0] = totals[1] = totals[2] = 0;
    for (int64_t row = 0; row < count; row++) {
        const uint32_t person = indexes[row];
        const int silent = drawn(&r, FOR_SYMPTOMS, person) >= rules->symptoms[people->age[person]];
        /* All weekdays are alike likely for an infection. */
        const int from = (int)(mix(seed + (uint64_t)row) % 7);
        found->count = found->known_count = 0;
        found->by_chance = 0;
        for (int since = 0; since + from < LAST_DAY; since++) {
            if (rules->infectivity[since] <= 0) continue;
            found->strength = hazard(&r, person, since, silent);
            each_contact(&r, person, since + from, 0, bear, found);
        }
        for (int64_t child = 0; child < found->count && written < room; child++) children[written++] = found->found[child];
        totals[0] += found->by_chance;
        for (int64_t known = 0; known < found->known_count; known++) {
            totals[0] += 1 - found->escapes[known];
            if (found->at_home[known]) totals[1] += 1 - found->escapes[known];
        }
        totals[2] += people->household_size[person] - 1;
    }
    free(r.keys), free(found);
    return written;
}

/* How many a person meets on a day, by setting: for tests. met: people in each of SETTINGS; others: the first `room`. */
typedef struct { int64_t *met; uint32_t *others; int64_t count, room; } meetings;

static void note(run *r, uint32_t person, uint32_t other, int setting, uint64_t hash, int day, void *to) {
    meetings *m = to;
    m->met[setting]++;
    if (m->count < m->room) m->others[m->count++] = other;
    (void)r, (void)person, (void)hash, (void)day;
}

EXPORTED int64_t bzplan_contacts(const bz_people *people, const bz_rules *rules, uint64_t seed, uint32_t person, int64_t day,
                                 int64_t *met, uint32_t *others, int64_t room) {
    run r = {.people = people, .rules = rules, .seed = mix(seed)};
    r.keys = malloc((size_t)(day + 1) * sizeof *r.keys);
    if (r.keys == NULL) return -1;
    make_keys(&r, (int)day + 1);
    meetings m = {met, others, 0, room};
    each_contact(&r, person, (int)day, 1, note, &m);
    free(r.keys);
    return m.count;
}

/* The meetings of a day of people whose phones run, each once. */
typedef struct { uint64_t hash; uint32_t one, other; uint8_t setting, cell; } meeting;
typedef struct { meeting *items; int64_t count, room; } list;

static void keep(run *r, uint32_t person, uint32_t other, int setting, uint64_t hash, int day, void *to) {
    list *kept = to;
    if (other < person || !r->people->phone[other]) return;
    if (kept->count < kept->room)
        kept->items[kept->count] = (meeting){mix(hash), person, other, (uint8_t)setting, (uint8_t)cell_of(r, setting, hash)};
    kept->count++;
    (void)day;
}

/* course: of bzplan_run, says who stays at home. Writes the first `room`; returns how many there are, -1 out of memory. */
EXPORTED int64_t bzplan_meetings(const bz_people *people, const bz_rules *rules, uint64_t seed, person_state *course,
                                 int64_t day, meeting *items, int64_t room) {
    run r = {.people = people, .rules = rules, .seed = mix(seed), .state = course};
    r.keys = malloc((size_t)(day + 1) * sizeof *r.keys);
    if (r.keys == NULL) return -1;
    make_keys(&r, (int)day + 1);
    list kept = {items, 0, room};
    for (uint32_t person = 0; person < (uint32_t)people->people; person++)
        if (people->phone[person]) each_contact(&r, person, (int)day, 1, keep, &kept);
    free(r.keys);
    return kept.count;
}

EXPORTED const char *bzplan_source(void) { return BLUEZONE_KERNEL_SOURCE; }

/* Sizes of the structures, so that a caller laid out otherwise is found out. */
EXPORTED int64_t bzplan_size(int which) { return which == 0 ? sizeof(bz_people) : which == 1 ? sizeof(bz_rules) : which == 2 ? COLUMNS : which == 3 ? sizeof(person_state) : sizeof(meeting); }
