// SPDX-License-Identifier: Apache-2.0
/**
 * What each verdict looks and sounds like: word, colour, shape and sound, never colour alone (docs/texts.md section
 * 4).
 */

const SHAPES = {
  tick: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z", "m7 12.5 3.500 3.500L17 9"],
  clock: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z", "M12 6v6h5"],
  bang: ["M12 3 2 20.500h20z", "M12 9.500v5.500M12 17.800v.1"],
  dash: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z", "M7 12h10"],
  cross: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z", "m8 8 8 8M16 8l-8 8"],
  arrow: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z", "M7 12h9m-4-4 4 4-4 4"],
  frame: ["M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4", "M7 12h10"],
};

const HIGH = [[880, 0.16]];
const MID = [[587, 0.16]];
const TWO = [[587, 0.1], [440, 0.16]];
const LOW = [[262, 0.2]];
const NO = [[262, 0.12], [208, 0.24]];

const LOOKS = {
  running: ["ok", "tick", HIGH], valid_code: ["blue", "clock", MID], screen_seen: ["blue", "clock", MID], asked_before: ["blue", "clock", MID],
  no_smartphone: ["blue", "clock", MID], installed_off: ["amber", "bang", TWO], helped: ["amber", "bang", TWO], told: ["grey", "dash", LOW],
  out: ["plain", "arrow", LOW], undone: ["plain", "dash", LOW], listening: ["plain", "clock", []], idle: ["idle", "frame", []],
  not_counted: ["red", "bang", NO],
  not_checked: ["amber", "bang", TWO], shared: ["plain", "tick", MID], box_joined: ["plain", "tick", MID], box_foreign: ["red", "cross", NO], share_foreign: ["red", "cross", NO], share_old: ["red", "cross", NO],
  not_heard: ["red", "cross", NO], pass_expired: ["red", "cross", NO], pass_used: ["red", "cross", NO], not_a_bluezone_code: ["red", "cross", NO],
};

/** {colour, paths, notes} of a verdict or finding. */
export function lookOf(name) {
  const [colour, shape, notes] = LOOKS[name];
  return { colour, paths: SHAPES[shape], notes };
}

export const VERDICTS = Object.keys(LOOKS);

/** Plays the notes of a verdict; silent until the page was touched once, as browsers want it. */
export class Sound {
  constructor() {
    this.context = null;
    const wake = () => { this.context = this.context || new AudioContext(); this.context.resume(); };
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, wake, { passive: true });
  }

  play(notes) {
    if (!this.context || this.context.state !== "running") return;
    let start = this.context.currentTime;
    for (const [hertz, seconds] of notes) {
      const tone = this.context.createOscillator();
      const level = this.context.createGain();
      tone.frequency.value = hertz;
      level.gain.setValueAtTime(0.25, start);
      level.gain.exponentialRampToValueAtTime(0.001, start + seconds);
      tone.connect(level).connect(this.context.destination);
      tone.start(start);
      tone.stop(start + seconds);
      start += seconds;
    }
  }
}
