// SPDX-License-Identifier: Apache-2.0
/** Showing a pass at a gate: two within a minute at most, each good once (docs/attacks.md row 30). */
import { Refusal } from "../refusal.js";
import { passText, readScreen } from "./gatepass.js";
import { Tokens } from "./tokens.js";

export const SHOWN_SECONDS = 60;
const PASSES_A_MINUTE = 2;

export class Passes {
  constructor(parts) {
    this.clock = parts.clock;
    this.environment = parts.environment;
    this.tokens = new Tokens(parts);
    this.made = [];
  }

  /** {kind: "B", text, seconds} for a gate's screen. Rejects with gate_screen_unknown, pass_too_soon, no_tokens, offline. */
  async show(screen) {
    const { challenge } = readScreen(screen);
    const now = this.environment.monotonicSeconds();
    this.made = this.made.filter((moment) => now - moment < SHOWN_SECONDS);
    if (this.made.length >= PASSES_A_MINUTE) {
      throw new Refusal("pass_too_soon", { seconds: Math.ceil(this.made[0] + SHOWN_SECONDS - now) });
    }
    const token = await this.tokens.take();
    this.made.push(now);
    const text = await passText(challenge, token, this.environment.randomBytes(16), this.clock.now());
    return { kind: "B", text, seconds: SHOWN_SECONDS };
  }
}
