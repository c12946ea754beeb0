// SPDX-License-Identifier: Apache-2.0
/** The gate program on this machine, as the page asks it. */

export class Refusal extends Error {
  constructor(code, details = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

/** GET without arguments, POST with them. Rejects with Refusal; code "program" when the program does not answer. */
export async function ask(name, given = null) {
  let answer;
  try {
    answer = await fetch(`api/${name}`, given === null ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given),
    });
  } catch {
    throw new Refusal("program");
  }
  const told = await answer.json().catch(() => ({ error: { code: "program" } }));
  if (!answer.ok) throw new Refusal(told.error.code, told.error.details);
  return told;
}
