// SPDX-License-Identifier: Apache-2.0
// Tells the office when a sound begins from its start and when it has ended; only then can it be approved.

for (const player of document.querySelectorAll("audio[data-listening]")) {
  const form = document.getElementById(player.dataset.listening);
  if (!form) continue;
  const said = form.querySelector("[data-said]");
  const tell = async (stage) => {
    const body = new FormData(form);
    body.set("stage", stage);
    const answer = await fetch(form.dataset.tell, { method: "POST", body, redirect: "error" });
    return { ok: answer.ok, said: (await answer.json()).said };
  };
  player.addEventListener("play", () => {
    if (player.currentTime < 0.5) tell("begun").catch(() => {});
  });
  player.addEventListener("ended", async () => {
    try {
      const answer = await tell("heard");
      said.textContent = answer.said;
      if (answer.ok) form.querySelector("button").disabled = false;
    } catch {
      // The network went: nothing was noted, and the sentence above still says what to do.
    }
  });
}
