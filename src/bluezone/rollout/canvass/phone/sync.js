// SPDX-License-Identifier: Apache-2.0
/**
 * Sending the backlog and fetching the phone's own lists. One tab at a time; safe to be cut off anywhere: what was not
 * answered is sent again under the same ids, and the server knows it.
 */
import { call } from "./face/devicecalls.js";
import { ifFree } from "./face/locks.js";
import { FORM } from "./box.js";

const MOST_ENTRIES = 60;
const MOST_CHARACTERS = 300_000;
const LOOK_MS = 30_000;
const LONGEST_WAIT_MS = 600_000;
// Of a photograph that will never be taken as it is.
const PHOTO_REFUSED = [400, 413, 422];

export class Sync {
  /** changed: called with the state whenever it has changed. */
  constructor(box, changed = () => {}) {
    this.box = box;
    this.changed = changed;
    this.state = { sending: false, error: null, at: null };
    this.failures = 0;
    this.timer = null;
  }

  /** Sync now, when the network comes back, and every half minute. */
  start() {
    addEventListener("online", () => this.now());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.now(); });
    this.now();
  }

  /** Sync now; resolves with whether it got through. */
  async now() {
    clearTimeout(this.timer);
    const me = await this.box.me();
    if (!me || !me.token || me.practice) return false;
    const { ran, result } = await ifFree(`${this.box.store.name}-sync`, () => this.alone(me));
    this.failures = ran && !result ? this.failures + 1 : 0;
    // Phones that lost one server do not all come back in the same second.
    const wait = Math.min(LONGEST_WAIT_MS, LOOK_MS * 2 ** Math.min(this.failures, 6)) * (0.75 + Math.random() / 2);
    this.timer = setTimeout(() => this.now(), wait);
    return ran && result;
  }

  async alone(me) {
    this.tell({ sending: true });
    try {
      const emptied = await this.flush(me);
      if (emptied) {
        await this.box.erase();
        this.tell({ sending: false, error: null, emptied: true });
        return true;
      }
      await this.sendPhotos(me);
      this.tell({ sending: false, error: null, at: Date.now() / 1000 });
      return true;
    } catch (error) {
      if (error.code === "device_token_invalid") await this.box.forgetDoors();
      this.tell({ sending: false, error: error.code || "offline" });
      return false;
    }
  }

  /** Everything that waits, in pieces; whether the phone is to empty itself. */
  async flush(me) {
    let emptied = false;
    for (let first = true; ; first = false) {
      const waiting = await this.box.entries();
      if (!first && waiting.length === 0) return emptied;
      const piece = pieceOf(waiting);
      const photos = (await this.box.photos()).filter((photo) => photo.refused === null).length;
      const last = (await this.box.store.get("number")) || 0;
      const { as_of: have } = await this.box.told();
      const held = await this.box.script();
      const answer = await call("/v1/canvass/sync", me.token, JSON.stringify({
        run: me.run, last_number: last, waiting: waiting.length - piece.length, photos, form: FORM, have, script: held ? held.as_of : "", maps: Object.keys(await this.box.maps()),
        entries: piece.map(({ body }) => body),
      }));
      emptied = emptied || answer.empty;
      await this.box.takeOver(answer, piece);
      this.tell({});
      const left = await this.box.entries();
      // An answer that speaks of none of them would go round for ever.
      if (piece.length && left.length >= waiting.length && left[0].id === piece[0].id) throw Object.assign(new Error("no verdict"), { code: "server" });
    }
  }

  async sendPhotos(me) {
    const waiting = new Set((await this.box.entries()).map(({ id }) => id));
    for (const photo of await this.box.photos()) {
      if (photo.refused !== null || waiting.has(photo.id)) continue;
      try {
        await call(`/v1/canvass/photos/${photo.id}`, me.token, bytesOf(await this.box.jpeg(photo.id)), "image/jpeg");
        await this.box.settlePhoto(photo);
      } catch (error) {
        if (PHOTO_REFUSED.includes(error.status)) await this.box.settlePhoto(photo, error.code);
        // Its visit was kept aside: the picture waits here until the ward has taken the visit in.
        else if (error.status !== 409) throw error;
      }
      this.tell({});
    }
  }

  tell(more) {
    this.state = { ...this.state, ...more };
    this.changed(this.state);
  }
}

/** As many entries as go into one call. */
function pieceOf(waiting) {
  const piece = [];
  let characters = 0;
  for (const entry of waiting) {
    characters += JSON.stringify(entry.body).length;
    if (piece.length === MOST_ENTRIES || (piece.length && characters > MOST_CHARACTERS)) break;
    piece.push(entry);
  }
  return piece;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
}
