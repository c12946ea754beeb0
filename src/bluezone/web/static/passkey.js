// SPDX-License-Identifier: Apache-2.0
// Asks the browser for a passkey and sends its answer with the form. Without passkeys the form still takes a code.
const decoded = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), sign => sign.charCodeAt(0));
const encoded = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** The options as the browser takes them: what was base64url becomes bytes. */
function readOptions(text) {
  const options = JSON.parse(text);
  options.challenge = decoded(options.challenge);
  if (options.user) options.user.id = decoded(options.user.id);
  for (const list of [options.allowCredentials, options.excludeCredentials])
    for (const key of list ?? []) key.id = decoded(key.id);
  return options;
}

/** The browser's answer as JSON; the bytes in it become base64url. */
function writeAnswer(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (credential.response[name]) response[name] = encoded(credential.response[name]);
  return JSON.stringify({ id: credential.id, rawId: encoded(credential.rawId), type: credential.type, response, clientExtensionResults: {} });
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
  const start = form.querySelector("[data-passkey-start]");
  const failed = form.querySelector("[data-passkey-failed]");
  form.querySelector("[data-passkey-missing]")?.remove();
  start.hidden = false;
  start.addEventListener("click", async () => {
    const making = form.dataset.passkey === "create";
    if (making && !form.reportValidity()) return;
    failed.hidden = true;
    try {
      const publicKey = readOptions(form.dataset.options);
      const credential = await navigator.credentials[making ? "create" : "get"]({ publicKey });
      form.elements.answer.value = writeAnswer(credential);
      form.submit();
    } catch {
      failed.hidden = false;
    }
  });
  // Enter in the name field makes the passkey instead of sending an empty answer.
  form.addEventListener("submit", event => {
    if (form.dataset.passkey === "create" && !form.elements.answer.value) {
      event.preventDefault();
      start.click();
    }
  });
}
