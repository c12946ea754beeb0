// SPDX-License-Identifier: Apache-2.0
// A public form that is sent later where there is no network: what was typed is kept in this browser, sealed as the web
// edition's records are, and goes by itself from this page. What the city does not take comes back into the form. With
// data-later="onward" the page goes on to what was answered, such as a number to wait with.
import { Outbox } from "/app/outbox.js";

const form = document.querySelector("form[data-later]");
const place = document.querySelector("[data-later-told]");
const PATIENCE_MS = 15_000;

function tell(name, kind = "info") {
  place.className = `note ${kind}`;
  place.textContent = place.dataset[name];
  place.hidden = false;
}

async function reach(options) {
  const stopper = new AbortController();
  const timer = setTimeout(() => stopper.abort(), PATIENCE_MS);
  try {
    return await fetch(location.pathname, { ...options, cache: "no-store", signal: stopper.signal });
  } finally {
    clearTimeout(timer);
  }
}

let onward = "";

async function send({ body }) {
  const answer = await reach({ method: "POST", body: new URLSearchParams(body.fields) });
  if (answer.ok) {
    onward = answer.url;
    return;
  }
  // The server is not there or busy: the same again later. Whatever else it says is about what was typed.
  if (answer.status >= 500 || answer.status === 429) throw new Error(`answered ${answer.status}`);
  throw Object.assign(new Error("refused"), { permanent: true, code: String(answer.status) });
}

const outbox = await Outbox.open(`form-${location.pathname}`);

// What was refused stays until its week is sent anew, however often the page is closed before; it is filled in once.
const filled = new Set();

async function look({ ran, sent }) {
  if (!ran) return;
  const kept = await outbox.list();
  const refused = kept.filter((one) => one.refused !== null && !filled.has(one.id));
  for (const { id, body } of refused) {
    filled.add(id);
    for (const [name, value] of body.fields) if (form.elements[name]) form.elements[name].value = value;
  }
  if (refused.length) tell("refused", "error");
  else if (kept.some((one) => one.refused === null)) tell("kept", "warning");
  else if (sent && form.dataset.later === "onward") location.assign(onward);
  else if (sent) tell("sent", "done");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = [...new FormData(form)];
  const there = await reach({ method: "HEAD" }).then(({ ok }) => ok, () => false);
  // The newest word about a week is the one that counts.
  const week = new Map(fields).get("week");
  for (const one of await outbox.list()) if (new Map(one.body.fields).get("week") === week) await outbox.remove(one.id);
  if (there) {
    form.submit();
    return;
  }
  await outbox.append("form", { fields });
  tell("kept", "warning");
  for (const button of form.querySelectorAll("button[disabled]")) button.disabled = false;
});
// Whoever opens the page again waits for nothing.
await look(await outbox.flush(send, { force: true }));
outbox.keepFlushing(send, look);
