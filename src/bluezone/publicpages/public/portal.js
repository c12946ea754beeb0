// SPDX-License-Identifier: Apache-2.0
// Small conveniences; every page works without them.

// Browsers inside other apps neither install nor scan: say so, and show the way out. Only phones have them.
const notice = document.getElementById("inside");
if (notice && /Android|iPhone|iPad/.test(navigator.userAgent)) {
  import("/app/inapp.js").then(({ inAppBrowser, wayOut }) => {
    const inside = inAppBrowser();
    if (inside === null) return;
    for (const place of notice.querySelectorAll("[data-name]")) place.textContent = inside || notice.dataset.other;
    notice.querySelector("code").textContent = location.href;
    const out = notice.querySelector("[data-out]");
    out.href = wayOut(location.href) || "";
    out.hidden = !out.getAttribute("href");
    notice.hidden = false;
  }).catch(() => {});
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      button.textContent = button.dataset.done;
    } catch {
      // No clipboard here: mark the text, so that the reader's own copy takes it.
      getSelection().selectAllChildren(source);
    }
  });
}

// Read aloud with a voice of the device itself: nothing of the page is sent for it.
for (const button of document.querySelectorAll("button[data-read]")) {
  if (!("speechSynthesis" in globalThis)) continue;
  const name = button.textContent;
  const still = () => { button.textContent = name; };
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { hush, readAloud } = await import("/app/voice.js");
    if (button.textContent !== name) {
      hush();
      still();
      return;
    }
    button.textContent = button.dataset.stop;
    const spoken = await readAloud(document.querySelector("main article"), document.documentElement.lang, still);
    if (!spoken) button.textContent = button.dataset.missing;
  });
}

// A form that must not be sent twice: the second tap finds the button asleep; coming back wakes it.
for (const form of document.querySelectorAll("form[data-once]")) {
  const sleep = (asleep) => { for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = asleep; };
  form.addEventListener("submit", () => sleep(true));
  addEventListener("pageshow", () => sleep(false));
}
