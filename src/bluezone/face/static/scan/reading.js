// SPDX-License-Identifier: Apache-2.0
/** Reads a QR code from a picture: by the browser's own detector where there is one, else by ours in a worker; offline. */

const FRAME_PIXELS = 1280;
const PICTURE_PIXELS = [1600, 900, 2600];
const FRAME_PATIENCE_MS = 120;
const PICTURE_PATIENCE_MS = 3000;

export class QrReader {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.waiting = new Map();
    this.number = 0;
    this.worker = null;
    this.detector = undefined;
  }

  /** The text of a code in one frame of a video, or null. */
  async frame(video) {
    return this.read(video, video.videoWidth, video.videoHeight, FRAME_PIXELS, FRAME_PATIENCE_MS);
  }

  /** The text of a code in a picture file, or null; tried at several sizes. */
  async picture(file) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      return null;
    }
    for (const pixels of PICTURE_PIXELS) {
      const text = await this.read(bitmap, bitmap.width, bitmap.height, pixels, PICTURE_PATIENCE_MS);
      if (text !== null) return text;
    }
    return null;
  }

  close() {
    if (this.worker) this.worker.terminate();
    this.worker = null;
  }

  async read(source, width, height, most, patience) {
    if (!width || !height) return null;
    const detected = await this.detect(source);
    if (detected !== null) return detected;
    const scale = Math.min(1, most / Math.max(width, height));
    this.canvas.width = Math.max(1, Math.round(width * scale));
    this.canvas.height = Math.max(1, Math.round(height * scale));
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(source, 0, 0, this.canvas.width, this.canvas.height);
    return this.decode(context.getImageData(0, 0, this.canvas.width, this.canvas.height), patience);
  }

  /** By the browser's own detector; null where there is none or it finds nothing. */
  async detect(source) {
    if (this.detector === undefined) {
      const formats = "BarcodeDetector" in globalThis ? await globalThis.BarcodeDetector.getSupportedFormats().catch(() => []) : [];
      this.detector = formats.includes("qr_code") ? new globalThis.BarcodeDetector({ formats: ["qr_code"] }) : null;
    }
    if (this.detector === null) return null;
    const found = await this.detector.detect(source).catch(() => []);
    return found.length ? found[0].rawValue : null;
  }

  /** By our decoder: in a worker, or here where the browser has no module workers. */
  async decode({ width, height, data }, patience) {
    if (this.worker === null && !this.workerless) this.begin();
    if (this.workerless) return this.decodeHere({ width, height, data }, patience);
    const number = ++this.number;
    return new Promise((resolve) => {
      this.waiting.set(number, { resolve, again: () => this.decodeHere({ width, height, data }, patience) });
      this.worker.postMessage({ number, width, height, data, patience });
    });
  }

  begin() {
    this.worker = new Worker(new URL("./decoder.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data: { number, text } }) => {
      const asked = this.waiting.get(number);
      this.waiting.delete(number);
      if (asked) asked.resolve(text);
    });
    this.worker.addEventListener("error", () => {
      this.workerless = true;
      for (const { resolve, again } of this.waiting.values()) resolve(again());
      this.waiting.clear();
    });
  }

  async decodeHere(image, patience) {
    const { decodeQR } = await import("../vendor/qr-decode.js");
    try {
      return decodeQR(image, { timeLimit: patience });
    } catch {
      return null;
    }
  }
}
