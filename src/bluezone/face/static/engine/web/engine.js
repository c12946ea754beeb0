// SPDX-License-Identifier: Apache-2.0
/** The web edition's engine. */
import { METHODS, Refusal } from "../interface.js";

/** Open the engine of this browser; see interface.js for what it does. */
export async function open(_options = {}) {
  const engine = { kind: "web", canTrace: false };
  for (const method of METHODS) {
    engine[method] = async () => { throw new Refusal("not_built_yet"); };
  }
  return engine;
}
