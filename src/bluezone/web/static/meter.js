// SPDX-License-Identifier: Apache-2.0
// The meter counts while one writes; without this script its button does the same.
const PAUSE_MILLISECONDS = 200;
for (const form of document.querySelectorAll("form[data-meter]")) {
  const place = document.getElementById(form.dataset.meter);
  let timer, last = 0;
  const count = async () => {
    const mine = (last += 1);
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Fragment": "1" }, redirect: "error" });
      // An older answer that comes late says nothing of what is written now.
      if (answer.ok && mine === last) place.innerHTML = await answer.text();
    } catch {
      // No network for a moment: the button still works, and so does the next letter.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(count, PAUSE_MILLISECONDS);
  });
}
