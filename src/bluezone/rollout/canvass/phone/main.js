// SPDX-License-Identifier: Apache-2.0
/** Where the app begins; nothing runs in a browser that is too old (oldbrowser.js says so there). */
import { App } from "./app.js";

if (!window.bluezoneTooOld) {
  new App(document).begin();
  // The worker is asked for after the page is there, so that the first visit is not slower for it.
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("service-worker.js").catch(() => {});
}
