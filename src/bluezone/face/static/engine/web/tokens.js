// SPDX-License-Identifier: Apache-2.0
/**
 * Tokens for passes: 20 blind signatures for a puzzle, kept sealed until each is used once
 * (docs/protocol.md section 7).
 *
 * Asked for when a pass is wanted and few are left, never because of anything that was found on this device.
 */
import { Refusal } from "../refusal.js";
import { blind, finalize, publicKey } from "./blindrsa.js";
import { base64, concat, fromBase64, pack, view } from "./bytes.js";
import { publicKeyOf } from "./ed25519sign.js";
import { tokenMessage } from "./gatepass.js";
import { STATUS } from "./messages.js";
import { solvePuzzle } from "./plays.js";

const SIZE = 6144;
const BATCH = 20;
const LENGTH = 256;
const PUZZLE_SIZE = 40;
const VERSION = 1;
const MOST_PUZZLES = 3;
const FEW = 4;
const WEEK_SECONDS = 7 * 86_400;
// The week ends on Monday at 7 in the morning in Bắc Kạn: next week's tokens are here before that.
const EARLY_SECONDS = 2 * 86_400;
const RECORD = "gate_tokens";

export class Tokens {
  constructor({ store, client, city, clock, environment }) {
    Object.assign(this, { store, client, city, clock, environment });
  }

  /** Take one token for a pass now; it is gone from here. Rejects with no_tokens, offline, server_answer_refused. */
  async take() {
    const now = this.clock.now();
    await this.fill(now).catch((refusal) => { this.problem = refusal; });
    return this.store.exclusively(async () => {
      const held = await this.held(now);
      const usable = held.find((token) => token.useFrom <= now && now < token.until);
      if (usable === undefined) throw this.problem || new Refusal("no_tokens", {}, "no token is left for this week");
      await this.store.write({ [RECORD]: held.filter((token) => token !== usable) });
      return { kid: usable.kid, seed: fromBase64(usable.seed), opk: fromBase64(usable.opk), token: fromBase64(usable.token) };
    });
  }

  /** Get a batch for this week if few are left, and one for the next when it is near. */
  async fill(now) {
    this.problem = null;
    const config = (await this.city.held()) || (await this.city.update());
    const held = await this.held(now);
    const keys = config.weekKeys.filter((key) => key.purpose === "gate");
    const wanted = keys.filter((key) => key.use_from <= now + EARLY_SECONDS && now < key.use_from + WEEK_SECONDS);
    for (const key of wanted) {
      if (held.filter((token) => token.kid === key.kid).length < FEW) await this.fetch(key);
    }
  }

  async held(now) {
    const tokens = (await this.store.get(RECORD)) || [];
    return tokens.filter((token) => now < token.until);
  }

  async fetch(key) {
    const { randomBytes } = this.environment;
    const signer = publicKey(key);
    const made = [];
    for (let number = 0; number < BATCH; number += 1) {
      const seed = randomBytes(32);
      const opk = await publicKeyOf(seed);
      made.push({ seed, opk, ...(await blind(signer, tokenMessage(opk), { randomBytes })) });
    }
    const signatures = await this.ask(key.kid, made.map(({ blinded }) => blinded));
    const tokens = await Promise.all(made.map(async ({ seed, opk, inverse }, place) => ({
      kid: key.kid, useFrom: key.use_from, until: key.use_from + WEEK_SECONDS,
      seed: base64(seed), opk: base64(opk), token: base64(await finalize(signer, tokenMessage(opk), signatures[place], inverse)),
    })));
    await this.store.exclusively(async () => {
      await this.store.write({ [RECORD]: [...(await this.held(this.clock.now())), ...tokens] });
    });
  }

  async ask(kid, blinded) {
    let puzzle = new Uint8Array(PUZZLE_SIZE);
    for (let round = 0; round <= MOST_PUZZLES; round += 1) {
      const content = concat(pack("BBH", VERSION, 0, kid), ...blinded);
      const filler = this.environment.randomBytes(SIZE - content.length - PUZZLE_SIZE);
      const answer = decode(await this.client.post("/v1/tokens", concat(content, filler, puzzle), SIZE));
      if (answer.status === "ok") return answer.signatures;
      if (answer.status !== "puzzle_required") throw new Refusal(answer.status, { kid }, "no tokens were given");
      const solve = this.environment.solve || solvePuzzle;
      puzzle = concat(answer.challenge, await solve(answer.challenge));
    }
    throw new Refusal("puzzle_required", {}, "the server asks for puzzles without end");
  }
}

function decode(body) {
  if (body.length !== SIZE || body[0] !== VERSION || body[1] >= STATUS.length) {
    throw new Refusal("bad_answer", {}, `answer is ${body.length} bytes of version ${body[0]}`);
  }
  const status = STATUS[body[1]];
  if (status === "puzzle_required") return { status, challenge: body.slice(2, 34) };
  if (status !== "ok") return { status };
  const kid = view(body).getUint16(2);
  const signatures = Array.from({ length: BATCH }, (_, place) => body.slice(4 + place * LENGTH, 4 + (place + 1) * LENGTH));
  return { status, kid, signatures };
}
