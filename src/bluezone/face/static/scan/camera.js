// SPDX-License-Identifier: Apache-2.0
/** The camera, looked at for a QR code until one is found or it is closed. No frame is kept. */
import { QrReader } from "./reading.js";

const PAUSE_MS = 120;

export class Camera {
  constructor(video) {
    this.video = video;
    this.reader = new QrReader();
    this.stream = null;
    this.closed = false;
  }

  /** Open it. Rejects with what getUserMedia rejects with; NotFoundError where there is no camera at all. */
  async open() {
    if (!navigator.mediaDevices) throw new DOMException("no camera here", "NotFoundError");
    this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
    this.video.srcObject = this.stream;
    await this.video.play();
    if (this.closed) this.close();
  }

  /** The first text found, null if it was closed before. */
  async find() {
    while (!this.closed) {
      const text = await this.reader.frame(this.video);
      if (text !== null) return this.closed ? null : text;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return null;
  }

  close() {
    this.closed = true;
    this.reader.close();
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }
}
