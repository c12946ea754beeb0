// SPDX-License-Identifier: Apache-2.0
/** Asking for help: three fields of the owner's, written into the sent log before they go. */
import { uuid7 } from "../../uuid7.js";
import { utf8 } from "./bytes.js";
import { postWithPuzzle } from "./plays.js";

export class HelpRequest {
  constructor(parts) {
    this.parts = parts;
    this.pending = null;
  }

  /** Send it; the same request sent again after a broken connection is one request. Returns {ticket}. */
  async send(body) {
    const { client, sent, environment } = this.parts;
    const text = JSON.stringify(body);
    if (!this.pending || this.pending.text !== text) this.pending = { text, key: uuid7() };
    const call = () => postWithPuzzle(client, "/v1/help", body, { "Idempotency-Key": this.pending.key }, environment.solve);
    const { ticket } = await sent.logged("help_asked", utf8(text).length, call);
    this.pending = null;
    return { ticket };
  }
}
