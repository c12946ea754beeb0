// SPDX-License-Identifier: Apache-2.0
// The button that lets this browser show notices; without it the page still says what it can.

const place = document.querySelector("[data-push-key]");
const say = (name) => {
  for (const one of place.querySelectorAll("[data-say]")) one.hidden = one.dataset.say !== name;
};
const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return say("refused");
  const registration = await navigator.serviceWorker.register("/notices/worker.js");
  await new Promise((ready) => {
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    if (worker.state === "activated") return ready();
    worker.addEventListener("statechange", () => worker.state === "activated" && ready());
  });
  const key = bytesOf(place.dataset.pushKey);
  const found = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = found.toJSON();
  const answer = await fetch(place.dataset.to, {
    method: "POST",
    headers: { "X-CSRFToken": place.querySelector("[name=csrfmiddlewaretoken]").value },
    body: JSON.stringify({ endpoint, keys }),
  });
  if (answer.status === 201) return location.reload();
  await found.unsubscribe();
  return say("failed");
}

if (place && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  say("");
  const button = place.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    subscribe()
      .catch(() => say("failed"))
      .finally(() => (button.disabled = false));
  });
}
