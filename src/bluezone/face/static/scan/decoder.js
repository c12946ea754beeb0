// SPDX-License-Identifier: Apache-2.0
/** The worker that decodes pictures, so that the page stays answering: {number, width, height, data, patience} -> {number, text}. */
import { decodeQR } from "../vendor/qr-decode.js";

self.addEventListener("message", ({ data: { number, width, height, data, patience } }) => {
  let text = null;
  try {
    text = decodeQR({ width, height, data }, { timeLimit: patience });
  } catch {
    // No code in this picture.
  }
  self.postMessage({ number, text });
});
