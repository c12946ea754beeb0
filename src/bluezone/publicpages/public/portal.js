// SPDX-License-Identifier: Apache-2.0
// Small conveniences; every page works without them.

// Zalo's and Facebook's built-in browsers neither install nor scan: say so, and give the address to copy.
const inside = /Zalo/i.test(navigator.userAgent) ? "Zalo" : /FBAN|FBAV|FB_IAB|Messenger/i.test(navigator.userAgent) ? "Facebook" : "";
const notice = document.getElementById("inside");
if (inside && notice) {
  for (const place of notice.querySelectorAll("[data-name]")) place.textContent = inside;
  notice.querySelector("code").textContent = location.origin + location.pathname;
  notice.hidden = false;
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

// A form that must not be sent twice: the second tap finds the button asleep; coming back wakes it.
for (const form of document.querySelectorAll("form[data-once]")) {
  const sleep = (asleep) => { for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = asleep; };
  form.addEventListener("submit", () => sleep(true));
  addEventListener("pageshow", () => sleep(false));
}
