// SPDX-License-Identifier: Apache-2.0
/** How an engine says no: one error for every refusal, so that each module may refuse without knowing the engines. */

/** A refusal with the stable code that the screens translate; nothing already stored is lost. */
export class Refusal extends Error {
  /**
   * @param {string} code     a row of docs/reference/problems.md
   * @param {object} [details] figures for the sentence, never personal data
   * @param {string} [message] English, for the log
   */
  constructor(code, details = {}, message = code) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.details = details;
  }
}
