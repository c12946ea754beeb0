// SPDX-License-Identifier: Apache-2.0
// What joins an issued code to its state: a ticket that the server gives to the browser which issued the code and does
// not keep. It stands here until the code leaves the list; with it this browser, and no other, asks what became of the code.
const PREFIX = "code-ticket|";
const KEPT_MILLISECONDS = 15 * 24 * 3600 * 1000;
const POLL_MILLISECONDS = 4000;
const ENDED = ["used", "revoked"];
const own = `${PREFIX}${document.body.dataset.account}|`;

function parsed(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

function write(pk, record) {
  try {
    localStorage.setItem(own + pk, JSON.stringify(record));
  } catch {
    // Private mode, or full: the code works as ever, and this browser cannot say what became of it.
  }
}

/** Keep the ticket of a code. */
export function keepTicket(pk, ticket) {
  if (parsed(own + pk)?.ticket !== ticket) write(pk, { ticket, at: Date.now() });
}

/** Ask what became of a code: {state, html}, state "" where nobody answers or this browser has no ticket. */
export async function askState(place, pk, token) {
  const record = parsed(own + pk);
  if (!record) return { state: "", html: "" };
  try {
    const body = new URLSearchParams({ ticket: record.ticket });
    const answer = await fetch(place, { method: "POST", redirect: "error", body, headers: { "X-CSRFToken": token } });
    if (!answer.ok) return { state: "", html: "" };
    const told = { state: answer.headers.get("X-Code-State") ?? "", html: await answer.text() };
    // Of a used code the server knows for a week or so; this browser remembers it as long as the list does.
    if (told.state === "expired" && record.told) return record.told;
    if (ENDED.includes(told.state)) write(pk, { ...record, told });
    return told;
  } catch {
    return { state: "", html: "" };
  }
}

for (const name of Object.keys(localStorage)) {
  if (name.startsWith(PREFIX) && !(parsed(name)?.at > Date.now() - KEPT_MILLISECONDS)) localStorage.removeItem(name);
}

for (const place of document.querySelectorAll("[data-state-of]")) {
  const { pk, ticket, token, stateOf } = place.dataset;
  if (ticket) keepTicket(pk, ticket);
  const held = parsed(own + pk)?.ticket, field = document.querySelector("main form input[name=ticket]");
  if (held && field) {
    field.value = held;
    document.querySelector("[data-typed]").hidden = true;
  }
  const show = async () => {
    const told = document.hidden ? { state: "" } : await askState(stateOf, pk, token);
    if (told.state) draw(place, told);
    // The page of a new code asks again while it is open, in case it is revoked elsewhere.
    if (ticket && ["", "open"].includes(told.state)) setTimeout(show, POLL_MILLISECONDS);
  };
  if (ticket) setTimeout(show, POLL_MILLISECONDS);
  else show();
}

function draw(place, { state, html }) {
  if (place.dataset.ticket) {
    if (place.innerHTML !== html) place.innerHTML = html;
    return;
  }
  // Elsewhere the tag alone.
  const drawn = document.createElement("template");
  drawn.innerHTML = html;
  place.replaceChildren(drawn.content.firstElementChild);
  const revoke = place.closest("tr")?.querySelector("a.row");
  if (revoke) revoke.hidden = state !== "open";
  const shown = ["open", "used"].includes(state) ? state : "past";
  for (const part of document.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== shown;
}
