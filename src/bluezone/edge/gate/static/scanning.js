// SPDX-License-Identifier: Apache-2.0
/** Where codes come from: the camera, or a hand-held scanner that types like a keyboard. No frame and no text is kept. */
import { QrReader } from "./face/scan/reading.js";

const PAUSE_MS = 60;
// The same code in front of the camera is one showing until it has been away for so long.
const AWAY_MS = 2500;
// A scanner types a letter every few milliseconds; a person does not. A busy tablet may take longer over the first
// letters, and over any once the text has begun as ours do: nobody types those by hand.
const TYPED_APART_MS = 60;
const FIRST_APART_MS = 400;
const OURS_APART_MS = 5000;
const OURS = /^BZG/i;
const LONGEST = 700;

export class CameraScanner {
  /** facing: "user" or "environment"; where there is no such camera, the one there is. */
  constructor(video, facing, found) {
    this.video = video;
    this.facing = facing;
    this.found = found;
    this.reader = new QrReader();
    this.stream = null;
    this.last = { text: null, at: 0 };
  }

  /** Open the camera and read until `close`. Rejects with what getUserMedia rejects with. */
  async open() {
    if (!navigator.mediaDevices) throw new DOMException("no camera here", "NotFoundError");
    this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: this.facing, width: { ideal: 1280 } }, audio: false });
    this.video.srcObject = this.stream;
    await this.video.play();
    this.read();
  }

  async read() {
    while (this.stream) {
      const text = await this.reader.frame(this.video);
      const now = performance.now();
      if (text !== null) {
        const again = text === this.last.text && now - this.last.at < AWAY_MS;
        this.last = { text, at: now };
        if (!again) this.found(text);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  close() {
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
    this.reader.close();
    this.video.srcObject = null;
  }
}

function apart(text) {
  if (OURS.test(text)) return OURS_APART_MS;
  return text.length < 4 ? FIRST_APART_MS : TYPED_APART_MS;
}

/** Listen for a scanner that types; a form field that has the focus gets what a person types. */
export function listenForWedge(found) {
  let text = "";
  let at = 0;
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const fast = event.timeStamp - at < apart(text);
    at = event.timeStamp;
    if (event.key === "Enter") {
      const whole = text;
      text = "";
      if (whole.length > 7 && fast) {
        event.preventDefault();
        event.stopPropagation();
        found(whole);
      }
      return;
    }
    if (event.key.length !== 1) return;
    text = fast ? (text + event.key).slice(-LONGEST) : event.key;
    // The first letter of a scan may have been taken for a press of a key; the rest is not for the page.
    if (fast && text.length > 3 && !(event.target instanceof HTMLInputElement)) event.preventDefault();
  }, { capture: true });
}
