// SPDX-License-Identifier: Apache-2.0
/**
 * The engine contract: what every screen may ask of the phone, whichever engine stands behind it.
 *
 * handset.js  the Python agent on this machine, over its local JSON API; has Bluetooth.
 * web/        the browser's own engine; has none, and can neither send nor hear anything by Bluetooth.
 *
 * Every method is async (but subscribe, which returns what ends it). A "no" is a rejection with `Refusal` (refusal.js);
 * whatever was stored before it still is. What each takes and gives stands in contract.js.
 * Times are Unix seconds, days "YYYY-MM-DD" in the city's zone.
 */

/** Every method of the contract; both engines have all of them. */
export const METHODS = Object.freeze([
  "state", "start", "check",
  "readVenue", "checkIn", "checkOut", "visits", "forgetVisit", "diary",
  "inbox", "markRead",
  "prepareReport", "previewReport", "sendReport", "reportState", "sentLog",
  "journal", "writeJournal", "removeJournal", "events", "makeEvent", "forgetEvent",
  "askForHelp", "declare", "showPass", "passState", "hidePass",
  "setLanguage", "language", "beginAnew", "chooseNeighbour", "erase", "subscribe", "notifications", "allowNotifications",
]);

/**
 * Open the engine that whoever served the page named in `<body data-engine="web|handset">`.
 *
 * @param {"web"|"handset"} kind
 * @param {object} [options]  web: {cityKey: 64 hex digits of the city's Ed25519 key, as in `<body data-city-key>`}
 * @returns {Promise<object>} the engine; every method and value is described in contract.js
 */
export async function openEngine(kind, options = {}) {
  const engine = kind === "handset" ? await import("./handset.js") : await import("./web/engine.js");
  return engine.open({ ...options, methods: METHODS });
}
