// SPDX-License-Identifier: Apache-2.0
// Sends what the microphone hears to the office in pieces of a second, one after the other.

const TYPE = "audio/webm;codecs=opus";
const form = document.querySelector("form[data-live]");
const begin = form.querySelector("[data-begin]");
const end = form.querySelector("[data-end]");
const said = form.querySelector("[data-said]");

const send = async (number, sound, isLast) => {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.set("number", number);
  if (sound.size) body.set("sound", sound, "piece.webm");
  if (isLast) body.set("last", "1");
  const answer = await fetch(location.pathname, { method: "POST", body, redirect: "manual" });
  // The second factor is asked for again.
  if (answer.type === "opaqueredirect") location.reload();
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.said);
  return told.left;
};

const speak = (stream) => {
  const recorder = new MediaRecorder(stream, { mimeType: TYPE, audioBitsPerSecond: 32_000 });
  const stop = () => recorder.state !== "inactive" && recorder.stop();
  let number = 0;
  let failed = "";
  let sent = Promise.resolve();
  recorder.addEventListener("dataavailable", ({ data }) => {
    const isLast = recorder.state === "inactive";
    if (failed || (!data.size && !isLast)) return;
    const mine = number++;
    sent = sent
      .then(() => failed || send(mine, data, isLast))
      .then((left) => {
        if (!failed) said.textContent = isLast ? form.dataset.over : `${form.dataset.left} ${left}`;
      })
      .catch((error) => {
        failed = error instanceof TypeError ? form.dataset.lost : error.message;
        said.textContent = failed;
        stop();
      });
  });
  recorder.addEventListener("stop", () => {
    for (const track of stream.getTracks()) track.stop();
    begin.hidden = false;
    end.hidden = true;
  });
  end.onclick = stop;
  addEventListener("pagehide", stop, { once: true });
  setTimeout(stop, (Number(form.dataset.most) - 2) * 1000);
  begin.hidden = true;
  end.hidden = false;
  recorder.start(1000);
};

begin.addEventListener("click", async () => {
  if (!globalThis.MediaRecorder?.isTypeSupported(TYPE)) {
    said.textContent = form.dataset.unfit;
    return;
  }
  try {
    speak(await navigator.mediaDevices.getUserMedia({ audio: true }));
  } catch {
    said.textContent = form.dataset.denied;
  }
});
