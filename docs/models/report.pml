/* SPDX-License-Identifier: Apache-2.0 */
/* A report: code, certificate, upload, publication (docs/protocol.md, section 4).

   Two codes: one of an honest patient, one of somebody who cheats. Three key sets: the patient's, and two of the
   cheater. The network loses answers; the cheater repeats every message ever sent and sends own ones with what they
   hold. The cheater cannot sign and does not know the patient's code, which TLS keeps from the network.

   Each rule can be left out with -D, and then an assertion fails: NO_BINDING, NO_CERTIFICATE, NO_SPENT, NO_EMBARGO,
   NO_REPEAT, NO_EXPIRY. With -DHAPPENS the model has to fail too: it shows that what is to happen can. */

#define PATIENT 0
#define CHEATER 1
#define NONE 255
#define LOSSES 2
#define REPEATS 4

/* the rules; each is true where it is left out */
#ifdef NO_BINDING
#define SIGNS_ANOTHER true
#else
#define SIGNS_ANOTHER false
#endif
#ifdef NO_REPEAT
#define SIGNS_AGAIN false
#else
#define SIGNS_AGAIN true
#endif
#ifdef NO_EXPIRY
#define SIGNS_LATE true
#else
#define SIGNS_LATE false
#endif
#ifdef NO_CERTIFICATE
#define FITS(keys, over) true
#else
#define FITS(keys, over) (over == keys)
#endif
#ifdef NO_SPENT
#define UNSPENT(keys) true
#else
#define UNSPENT(keys) (stored[keys] == 0)
#endif
#ifdef NO_EMBARGO
#define RIPE true
#else
#define RIPE day_over
#endif

#ifdef HAPPENS
#define NOT_REACHED(what) assert(!(what))
#else
#define NOT_REACHED(what) skip
#endif

bool issued[2];
bool expired[2];
byte bound[2] = NONE;     /* the key set for which a code was used */
byte codes_used;
bool certified[3];        /* a signature over this key set exists */
bool held[3];             /* and somebody has got it */
byte stored[3];           /* how often the key set was stored */
byte reports;
bool day_over;
bool published[3];
byte losses;
bool patient_done;

/* verify 2, one transaction: got is whether the caller is given the signature, refused whether it is said so */
inline verify(code, keys, got, refused) {
  atomic {
    got = false; refused = false;
    if
    :: !issued[code] -> refused = true
    :: issued[code] && bound[code] == keys -> got = SIGNS_AGAIN; refused = !SIGNS_AGAIN
    :: issued[code] && bound[code] != NONE && bound[code] != keys -> got = SIGNS_ANOTHER; refused = !SIGNS_ANOTHER
    :: issued[code] && bound[code] == NONE ->
       if
       :: !expired[code] || SIGNS_LATE ->
          assert(!expired[code]);                /* order: a code that has expired signs nothing new */
          bound[code] = keys; codes_used++; got = true
       :: else -> refused = true
       fi
    fi;
    certified[keys] = certified[keys] || got
  }
}

/* over: the key set over which the certificate is that comes with it, NONE without one; the signature cannot be forged */
inline upload(keys, over) {
  atomic {
    if
    :: FITS(keys, over) && UNSPENT(keys) ->
       stored[keys]++; reports++;
       /* authentication: only what a code was used for; one report for one code; each key set once */
       assert(certified[keys]);
       assert(reports <= codes_used);
       assert(stored[keys] <= 1)
    :: else      /* refused, or answered ok and nothing changes */
    fi
  }
}

active proctype HealthWorker() {
  issued[PATIENT] = true;
  issued[CHEATER] = true
}

active proctype Time() {
  day_over = true;
  expired[CHEATER] = true
}

/* The honest phone asks again with the same blinded value until it has the answer. */
active proctype Patient() {
  bool got, refused;
  issued[PATIENT];
  do
  :: true -> verify(PATIENT, 0, got, refused);
     assert(!refused);    /* an honest report is never refused because an answer was lost */
     if
     :: got && losses < LOSSES -> losses++
     :: got -> held[0] = true; break
     fi
  od;
  do
  :: true -> upload(0, 0);
     if
     :: losses < LOSSES -> losses++
     :: break
     fi
  od;
  patient_done = true;
  assert(stored[0] == 1)
}

active proctype Cheater() {
  bool got, refused;
  byte tries;
  do
  :: tries < REPEATS -> tries++;
     if
     :: true -> verify(CHEATER, 1, got, refused); held[1] = held[1] || got
     :: true -> verify(CHEATER, 2, got, refused); held[2] = held[2] || got
     :: held[0] -> upload(0, 0)      /* the patient's upload, heard and sent again */
     :: held[1] -> upload(1, 1)
     :: held[2] -> upload(2, 2)
     :: held[0] -> upload(1, 0)      /* own keys with the patient's certificate */
     :: true -> upload(2, NONE)
     fi
  :: tries == REPEATS -> break
  od
}

active proctype Publication() {
  byte rounds;
  do
  :: rounds < 2 && RIPE ->
     atomic {
       rounds++;
       published[0] = stored[0] > 0; published[1] = stored[1] > 0; published[2] = stored[2] > 0;
       /* order: no key is published before its day is over, nor one that no code was used for */
       assert(day_over || !(published[0] || published[1] || published[2]));
       assert(!published[0] || bound[PATIENT] == 0);
       assert(!(published[1] && published[2]))
     }
  :: rounds == 2 -> break
  od;
  NOT_REACHED(published[0] && stored[1] == 1)
}
