/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs (docs/protocol.md, section 5): when a phone goes along with a city that begins anew.

   The city opens two epochs in turn, each signed by its recovery key, which is on paper. Somebody else has stolen the
   city's own key, and offers every record with every number; what the recovery key has not signed they can only
   repeat. Numbers of files are small: an epoch begins above everything that was published before it.

   Each rule can be left out with -D: NO_SIGNATURE, NO_TURN, NO_WAIT, NO_ABOVE, NO_HEAD. With -DHAPPENS the model has to fail
   too: it shows that what is to happen can. */

/* time in half weeks */
#define WEEK 2
#define DAYS 5
#define FIRST(e) (4 * (e))

#ifdef NO_SIGNATURE
#define SIGNED(n, genuine) true
#else
#define SIGNED(n, genuine) ((genuine) && n <= opened)
#endif
#ifdef NO_TURN
#define IN_TURN(n) (n > epoch)
#else
#define IN_TURN(n) (n == epoch + 1)
#endif
#ifdef NO_WAIT
#define WAITED true
#else
#define WAITED (!went || day >= went_at + WEEK)
#endif
#ifdef NO_ABOVE
#define ABOVE(f) true
#else
#define ABOVE(f) (f > seen)
#endif
#ifdef NO_HEAD
#define BUILDS(on) true
#else
#define BUILDS(on) (on)
#endif

#ifdef HAPPENS
#define NOT_REACHED(what) assert(!(what))
#else
#define NOT_REACHED(what) skip
#endif

byte opened;              /* epochs that the recovery key has signed: 1 .. opened */
byte published = 1;       /* the highest number the city has published */
byte day;

byte epoch;               /* the phone's */
byte seen = 1;            /* the highest number it has seen */
byte went_at;             /* the day it went along last */
bool went;

inline offer(number, first, genuine, builds) {
  atomic {
    if
    :: SIGNED(number, genuine) && IN_TURN(number) && WAITED && ABOVE(first) && BUILDS(builds) ->
       assert(genuine);                             /* only what the recovery key signed */
       assert(number == epoch + 1);                 /* one after another, none twice */
       assert(!went || day >= went_at + WEEK);      /* a week between two */
       assert(first > seen);                        /* numbers never go back */
       assert(builds);                              /* it goes on from what the phone holds */
       epoch = number; seen = first; went = true; went_at = day
    :: else
    fi
  }
}

active proctype Time() {
  do
  :: day < DAYS -> day++
  :: day == DAYS -> break
  od;
  NOT_REACHED(epoch == 2)
}

active proctype City() {
  do
  :: opened < 2 ->
     if
     :: published < FIRST(opened + 1) - 2 -> published++
     :: atomic { opened++; published = FIRST(opened) }
     fi
  :: opened == 2 -> break
  od
}

/* The phone follows its city's lists, and what the city opens. */
active proctype Honest() {
  byte rounds;
  do
  :: rounds < 4 -> rounds++;
     if
     :: atomic { epoch == opened && published > seen -> seen = published }
     :: atomic { opened > epoch -> skip };
        offer(epoch + 1, FIRST(epoch + 1), true, true)
     :: skip
     fi
  :: rounds == 4 -> break
  od
}

active proctype Thief() {
  byte number, first, rounds;
  do
  :: rounds < 3 -> rounds++;
     if
     :: true -> select(number : 1 .. 3); if :: first = 0 :: first = FIRST(number) :: first = 20 fi; offer(number, first, false, false)
     :: true -> select(number : 1 .. 2); offer(number, FIRST(number), number <= opened, true)   /* a true record, at any time */
     :: true -> select(number : 1 .. 2); offer(number, 0, number <= opened, true)
     :: true -> select(number : 1 .. 2); offer(number, FIRST(number), number <= opened, false)  /* on another history */
     fi
  :: rounds == 3 -> break
  od
}
