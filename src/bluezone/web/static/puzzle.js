// SPDX-License-Identifier: Apache-2.0
/**
 * Solves the puzzle that a form brings where many tries come from one network, in a worker so that the page can be used
 * meanwhile. The form's button waits until the answer is there.
 */
const PUZZLE_BITS = 20;
const field = document.querySelector("[data-challenge]");

if (field) {
  const form = field.form;
  const button = form.querySelector("button[type=submit]");
  const challenge = Uint8Array.from(field.dataset.challenge.match(/../g), (pair) => Number.parseInt(pair, 16));
  const worker = new Worker(field.dataset.worker);
  button.disabled = true;
  worker.onmessage = ({ data }) => {
    field.value = field.dataset.challenge + Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
    button.disabled = false;
    form.querySelector("[data-working]").hidden = true;
    form.querySelector("[data-ready]").hidden = false;
    worker.terminate();
    // What was typed is still there and goes out by itself; a password has to be typed again.
    if (!form.querySelector("[type=password]")) form.requestSubmit(button);
  };
  field.nextElementSibling.scrollIntoView({ block: "center" });
  worker.postMessage({ challenge, bits: PUZZLE_BITS + challenge[0] });
}
