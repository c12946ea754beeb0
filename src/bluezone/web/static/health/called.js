// SPDX-License-Identifier: Apache-2.0
// Notes a call without leaving the page, because what it shows is shown once. Without this script the browser stays, too.
for (const form of document.querySelectorAll("form[data-called]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const label = form.querySelector("[data-label]");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      label.textContent = label.dataset.done;
      button.disabled = true;
    } catch {
      // Network gone: the button stays, so that it can be pressed again.
    }
  });
}
