// SPDX-License-Identifier: Apache-2.0
// The house's text messages: where the worker asks for it, number, code and link of each row go to the server, one row at
// a time. It sends the message once and forgets the number; what became of it is asked for by an id that stands here alone.
const ROUNDS = 40;
const PAUSE_MILLISECONDS = 3000;
const AT_ONCE = 50;

/** Offers to send what is not handed over. cases: gives all rows; note: (row, word) shows at a row what became of it.
 *  Returns what to call when the rows have changed. */
export function offerHouse(page, word, cases, note) {
  const at = (name) => page.querySelector(`[data-at="${name}"]`);
  const section = at("house");
  if (!section) return () => {};
  const left = () => cases().filter((one) => one.code && !one.handed);
  const tell = () => {
    section.hidden = !cases().some((one) => one.code);
    at("house-send").textContent = word("house_send", { count: left().length });
    at("house-send").disabled = !left().length;
  };
  at("house-send").addEventListener("click", async () => {
    const going = left();
    let problem = "";
    at("house-send").disabled = true;
    for (const [sent, one] of going.entries()) {
      at("house-said").textContent = word("house_sending", { sent, all: going.length });
      problem = await send(one);
      if (problem) break;
    }
    tell();
    at("house-said").textContent = problem ? word(problem) : counted(going);
    if (!problem) follow(going);
  });

  async function send(one) {
    let answer;
    try {
      answer = await fetch(section.dataset.send, {
        method: "POST", redirect: "manual", body: JSON.stringify({ pk: one.pk, ticket: one.ticket, phone: one.phone, code: one.code, link: one.link }),
        headers: { "Content-Type": "application/json", "X-CSRFToken": page.dataset.token },
      });
      if (answer.type === "opaqueredirect" || answer.status === 403) return "house_signed_out";
      const told = await answer.json();
      one.message = told.message;
      const sent = answer.status === 201 || told.error?.code === "code_message_sent_before";
      if (answer.status === 429) return "house_spent";
      one.house = sent ? "waiting" : "failed";
      note(one, sent ? "house_handed" : "house_failed", sent);
      return "";
    } catch {
      return "house_offline";
    }
  }

  const counted = (going) => {
    const failed = going.filter((one) => one.house === "failed").length;
    return word("house_done", { sent: going.length - failed }) + (failed ? " " + word("house_done_failed", { failed }) : "");
  };

  async function follow(going) {
    for (let round = 0; round < ROUNDS; round++) {
      const asked = going.filter((one) => one.message && one.house === "waiting");
      if (!asked.length) return;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
      for (let from = 0; from < asked.length; from += AT_ONCE) await ask(asked.slice(from, from + AT_ONCE));
      tell();
      at("house-said").textContent = counted(going);
    }
  }

  async function ask(rows) {
    const query = new URLSearchParams(rows.map((one) => ["id", one.message]));
    try {
      const { states } = await (await fetch(`${section.dataset.sent}?${query}`, { redirect: "error" })).json();
      for (const one of rows) {
        one.house = states[one.message] ?? one.house;
        if (one.house === "failed") note(one, "house_failed", false);
        if (one.house === "sent") note(one, "house_sent", true);
      }
    } catch {
      // Asked again in the next round.
    }
  }
  return tell;
}
