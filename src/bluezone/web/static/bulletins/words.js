// SPDX-License-Identifier: Apache-2.0
// Plays what stands in a field as the machine says it, before it is stored.

const player = new Audio();

for (const button of document.querySelectorAll("button[data-play]")) {
  const form = button.closest("form");
  const field = document.getElementById(button.dataset.play);
  const heard = form.querySelector("[data-heard]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const said = field.value.trim();
    heard.textContent = "";
    if (!said) {
      field.focus();
      return;
    }
    player.src = `${form.dataset.hear}?said=${encodeURIComponent(said)}`;
    try {
      await player.play();
    } catch {
      // A server without a voice says why; a browser without sound says nothing more than this.
      const answer = await fetch(player.src).catch(() => null);
      if (answer && !answer.ok) heard.textContent = await answer.text();
    }
  });
}
