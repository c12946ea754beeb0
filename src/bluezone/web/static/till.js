// SPDX-License-Identifier: Apache-2.0
// Counts people at the till by tap. The number of the day is absolute and stays in this browser until the city has it,
// so nothing is lost without a network and nothing counts twice.
const place = document.querySelector("[data-count]");
const DAYS_KEPT = 7;
const key = `till ${place.dataset.count}`;
const today = () => new Intl.DateTimeFormat("sv-SE").format(new Date());

const load = () => {
  try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; }
};
const held = load();
held.tablet ||= [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
held.days ||= {};
held.sent ||= {};
const keep = () => {
  for (const day of Object.keys(held.days).sort().slice(0, -DAYS_KEPT)) { delete held.days[day]; delete held.sent[day]; }
  try { localStorage.setItem(key, JSON.stringify(held)); } catch { /* The count goes on in memory. */ }
};
const show = () => { place.querySelector("[data-people]").textContent = held.days[today()] || 0; };

let sending = false;
const send = async () => {
  if (sending) return;
  sending = true;
  let told = "";
  for (const [day, people] of Object.entries(held.days)) {
    if (held.sent[day] === people) continue;
    try {
      const answer = await fetch(place.dataset.count, {
        method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ tablet: held.tablet, day, people }),
      });
      if (answer.ok || answer.status === 422) held.sent[day] = people;
      else told = place.dataset.waiting;
    } catch {
      told = place.dataset.waiting;
    }
  }
  place.querySelector("[data-told]").textContent = told;
  keep();
  sending = false;
};
const tap = (by) => {
  const day = today();
  // What the city has is only ever raised: a tap too many is taken back before the next sending.
  held.days[day] = Math.max(held.sent[day] || 0, (held.days[day] || 0) + by);
  keep();
  show();
  clearTimeout(tap.later);
  tap.later = setTimeout(send, 4000);
};
for (const [name, by] of [["more", 1], ["less", -1]]) {
  const button = place.querySelector(`[data-${name}]`);
  button.hidden = false;
  button.addEventListener("click", () => tap(by));
}
addEventListener("online", send);
addEventListener("pagehide", send);
show();
send();
