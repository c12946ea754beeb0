/* SPDX-License-Identifier: Apache-2.0 */
/* A gate pass (docs/protocol.md, section 7): what a gate takes for proven (pass A) and for fresh (pass B).

   Time is the number of the gate's challenge, a new one every 30 s. An honest phone answers the challenges that it
   hears while its owner shows the pass. The cheater has a picture of the pass and a recording of everything on the
   air, and plays it back at any time, but does not answer in real time for the session's key, although the picture
   shows it, and cannot sign for a one-time key. What is answered in real time is residual (attacks 2, 29, 32) and
   not in the model.

   Each rule can be left out with -D: NO_ANSWER, NO_FRESH, NO_USED, SHORT_MEMORY, NO_SCREEN, NO_ONE_TIME. With -DHAPPENS the model has to fail
   too: it shows that what is to happen can. */

#define STEPS 6
#define NEVER 255
#define REMEMBERED 4      /* challenges in the 2 minutes for which a session stays used */

#ifdef NO_ANSWER
#define PROVED true
#else
#ifdef NO_FRESH
#define PROVED (heard[0] || heard[1] || heard[2] || heard[3] || heard[4] || heard[5] || heard[6])
#else
#define PROVED (heard[now] || (now > 0 && heard[now - 1]))
#endif
#endif
#ifdef NO_USED
#define REMEMBERS false
#else
#ifdef SHORT_MEMORY
#define REMEMBERS (used_at != NEVER && now == used_at)
#else
#define REMEMBERS (used_at != NEVER && now < used_at + REMEMBERED)
#endif
#endif
#ifdef NO_SCREEN
#define ON_SCREEN (screen_seen != NEVER)
#else
#define ON_SCREEN (screen_seen != NEVER && (screen_seen == now || screen_seen + 1 == now))
#endif
#ifdef NO_ONE_TIME
#define UNUSED true
#else
#define UNUSED (!one_time_used)
#endif

#ifdef HAPPENS
#define NOT_REACHED(what) assert(!(what))
#else
#define NOT_REACHED(what) skip
#endif

byte now;                 /* the gate's current challenge */
bool answered[7];         /* the phone itself answered this challenge, here */
bool heard[7];            /* the gate has heard an answer to this challenge within 40 s: true or played back */
bool recorded[7];         /* somebody has a recording of that answer */
byte used_at = NEVER;     /* when the session's key was taken last */
byte passages;            /* how often the pass was taken for proven */
bool shown;
byte screen_seen = NEVER; /* the challenge of the screen that pass B names */
bool one_time_used;
byte fresh_passages;

inline take_a() {
  atomic {
    if
    :: PROVED && !REMEMBERS ->
       passages++; used_at = now;
       /* authentication: the phone that holds the session answered this or the last challenge, at this gate */
       assert(answered[now] || (now > 0 && answered[now - 1]));
       /* one answer opens the gate once */
       assert(passages <= 1)
    :: else
    fi
  }
}

inline take_b() {
  atomic {
    if
    :: ON_SCREEN && UNUSED ->
       fresh_passages++; one_time_used = true;
       assert(now <= screen_seen + 1);
       assert(fresh_passages <= 1)
    :: else
    fi
  }
}

active proctype Gate() {
  do
  :: now < STEPS -> atomic { now++; if :: now > 1 -> heard[now - 2] = false :: else fi }
  :: now == STEPS -> break
  od;
  NOT_REACHED(passages == 1 && fresh_passages == 1)
}

active proctype Phone() {
  atomic { shown = true; answered[now] = true; heard[now] = true; recorded[now] = true };
  if
  :: true -> take_a()
  :: skip
  fi;
  atomic { if :: screen_seen == NEVER -> screen_seen = now :: else fi };
  if
  :: true -> take_b()
  :: skip
  fi
}

active proctype Cheater() {
  byte step, tries;
  shown;
  do
  :: tries < 5 -> tries++;
     if
     :: true -> atomic { select(step : 0 .. STEPS); if :: recorded[step] && step <= now -> heard[step] = true :: else fi }
     :: true -> take_a()
     :: true -> take_b()
     fi
  :: tries == 5 -> break
  od
}
