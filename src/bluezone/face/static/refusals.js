// SPDX-License-Identifier: Apache-2.0
/** The sentence for a refusal: what happened, what was kept, what to do; in the owner's language, by its code. */

// Codes that are told alike. What is not listed has a sentence of its own name, or the general one.
const SAME = {
  week_key: ["week_key_untrusted"],
  file: [
    "file_untrusted", "signature_untrusted", "signed_file_invalid", "config_invalid", "config_refused", "config_rolled_back",
    "config_history_differs", "config_mismatch", "config_log_missing", "index_invalid", "index_refused", "index_rolled_back",
    "index_history_differs", "index_gap", "export_invalid", "export_too_large", "venue_package_invalid",
    "blind_signature_invalid", "declaration_key_invalid", "epoch_refused", "epoch_invalid",
    "log_note_invalid", "log_note_untrusted", "log_proof_invalid", "witnesses_invalid",
  ],
  watch: ["witness_quorum_missing", "witnesses_refused"],
  server: ["server_answer_refused", "bad_answer", "bad_request", "declarations_full", "server", "call_invalid"],
  wait: ["help_too_many", "too_many_requests", "wait"],
  trust: ["trust_missing", "trust_invalid"],
  venue_code_unknown: ["venue_invalid", "venue_malformed"],
  storage_unavailable: ["SecurityError", "InvalidStateError"],
  storage_damaged: ["handset_store_damaged", "handset_key_damaged"],
  help_invalid: ["help_channel_unknown", "help_contact_missing", "help_text_too_long", "help_unit_unknown", "body_invalid"],
  declarations_closed: ["declaration_impossible"],
  declaration_refused: ["declaration_not_taken"],
  warning_missing: ["not_warned"],
  not_built: ["not_built_yet", "not_offered"],
  handset_busy: ["locked"],
};
const KIND_OF = new Map(Object.entries(SAME).flatMap(([kind, codes]) => codes.map((code) => [code, kind])));

/** The sentence for an error; one that is no refusal is told as such, with its name. */
export function sentence(app, error) {
  // A browser's own errors have a number for a code and say what happened by their name.
  const code = error && typeof error.code === "string" ? error.code : `${(error && error.name) || "error"}`;
  const kind = KIND_OF.get(code) || code;
  const own = app.words.has(`refusal.${kind}.${app.engine && app.engine.kind}`) ? `${kind}.${app.engine.kind}` : kind;
  const key = app.words.has(`refusal.${own}`) ? `refusal.${own}` : "refusal.other";
  return app.words.t(key, { code, hotline: app.hotline(), ...((error && error.details) || {}) });
}

/** Whether trying the same again may help, and under which name the button goes; null if not. */
export function retryName(error) {
  if (error.code === "storage_full" || error.code === "handset_disk_full") return "retry.save";
  return ["offline", "server", "wait"].includes(KIND_OF.get(error.code) || error.code) ? "retry.send" : null;
}
