// SPDX-License-Identifier: Apache-2.0
// Codes for many cases. The file is read here; (class, onset) alone go to the server, 50 at a time, under a key drawn
// here; the codes that come back are put beside the telephone numbers here. Sending again with a key issues nothing anew.
import { casesOf, cellsOf, csvFile, textOf } from "./csvtable.js";

const ROWS_A_BATCH = 50;
const page = document.getElementById("bulk");
const at = (name) => page.querySelector(`[data-at="${name}"]`);
const word = (name, values = {}) => {
  const text = document.querySelector(`#words [data-word="${name}"]`)?.textContent ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
};
const when = new Intl.DateTimeFormat(page.dataset.language === "vi" ? "vi-VN" : "en-GB", {
  hour: "2-digit", minute: "2-digit", day: "numeric", month: "numeric", year: "numeric", timeZone: page.dataset.zone,
});
const momentOf = (seconds) => when.format(new Date(seconds * 1000));

let cases = [];
let batches = [];
let saved = true;

const show = (name, shown = true) => { at(name).hidden = !shown; };
const say = (name, text) => { at(name).textContent = text; };

page.hidden = false;
at("file").addEventListener("change", async () => {
  const file = at("file").files[0];
  if (!file) return;
  const text = textOf(await file.arrayBuffer());
  if (text === null) return refuseFile(word("workbook"));
  const read = casesOf(cellsOf(text), page.dataset.first, page.dataset.last);
  if (read.missing.length) return refuseFile(word("columns", { columns: read.missing.map((name) => word("column_" + name)).join(", ") }));
  if (read.tooMany) return refuseFile(word("too_many"));
  if (!read.cases.length) return refuseFile(word("empty"));
  cases = read.cases;
  preview();
});
at("issue").addEventListener("click", () => {
  const ready = cases.filter((one) => !one.problem && !one.code);
  batches = [];
  for (let from = 0; from < ready.length; from += ROWS_A_BATCH) batches.push({ key: newKey(), rows: ready.slice(from, from + ROWS_A_BATCH) });
  sendAll();
});
at("again").addEventListener("click", sendAll);
at("rest").addEventListener("click", () => at("issue").click());
at("save").addEventListener("click", save);
at("print").addEventListener("click", printSlips);
addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });

function refuseFile(text) {
  cases = [];
  say("file-problem", text);
  show("file-problem");
  show("preview", false);
  at("file").value = "";
}

function preview() {
  const wrong = cases.filter((one) => one.problem);
  const ready = cases.length - wrong.length;
  show("file-problem", false);
  say("read", word("read", { all: cases.length, ready, wrong: wrong.length }));
  at("wrong").replaceChildren(...wrong.map((one) => item(word("row", { line: one.line }) + ": " + word(one.problem))));
  show("wrong", wrong.length > 0);
  at("issue").textContent = word("issue", { ready });
  at("issue").disabled = ready === 0;
  show("preview");
  at("read").focus();
}

function item(text) {
  const made = document.createElement("li");
  made.textContent = text;
  return made;
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sendAll() {
  show("choose", false);
  show("failed", false);
  show("sending");
  for (const batch of batches) {
    if (batch.done) continue;
    const sent = batches.filter((one) => one.done).reduce((sum, one) => sum + one.rows.length, 0);
    const all = batches.reduce((sum, one) => sum + one.rows.length, 0);
    at("progress").value = sent / all;
    say("sent", word("sending", { sent, all }));
    const problem = await send(batch);
    if (problem) {
      show("sending", false);
      say("failure", word(problem));
      show("failed");
      at("again").focus();
      break;
    }
  }
  if (batches.every((batch) => batch.done)) show("sending", false);
  results();
}

/** Send one batch; returns "" or the word for what went wrong. Nothing but class and onset is in it. */
async function send(batch) {
  const body = JSON.stringify({ key: batch.key, rows: batch.rows.map((one) => ({ class: one.klass, onset: one.onset })) });
  let answer;
  try {
    answer = await fetch(page.dataset.place, {
      method: "POST", redirect: "manual", body,
      headers: { "Content-Type": "application/json", "X-CSRFToken": page.dataset.token },
    });
  } catch {
    return "offline";
  }
  if (answer.type === "opaqueredirect" || answer.status === 403) return "signed_out";
  if (!answer.ok) return "busy";
  let told;
  try {
    told = await answer.json();
  } catch {
    return "offline";
  }
  batch.rows.forEach((one, index) => Object.assign(one, told.rows[index]));
  batch.done = true;
  if (told.rows.some((row) => row.code)) saved = false;
  return "";
}

function results() {
  const tried = cases.filter((one) => one.code || one.refusal);
  if (!tried.length) return;
  const made = tried.filter((one) => one.code).length;
  const over = tried.filter((one) => !one.code && one.refusal === "quota_reached").length;
  say("made", word("made", { made, all: cases.length }));
  say("over", word("over", { over }));
  show("over-note", over > 0);
  at("rows").replaceChildren(...cases.map(resultRow));
  show("results");
  at("made").focus();
}

function resultRow(one) {
  const row = at("row").content.cloneNode(true).firstElementChild;
  const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
  cell("phone").textContent = one.phone;
  cell("line").textContent = word("row", { line: one.line });
  cell("code").textContent = one.code ?? "";
  const why = one.problem || one.refusal;
  cell("state").textContent = one.code ? word("until", { until: momentOf(one.expires) }) : why ? word(why) : word("not_sent");
  row.classList.toggle("refused", !one.code);
  return row;
}

function messageFor(one) {
  return word("message", { code: one.code, until: momentOf(one.expires), link: one.link });
}

function save() {
  const heading = ["phone", "code", "until", "link", "link_until", "message", "refusal"].map((name) => word("head_" + name));
  const rows = cases.map((one) => one.code
    ? [one.phone, one.code, momentOf(one.expires), one.link, momentOf(one.link_expires), messageFor(one), ""]
    : [one.phone, "", "", "", "", "", word(one.problem || one.refusal || "not_sent")]);
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(csvFile([heading, ...rows]));
  anchor.download = word("file_name") + ".csv";
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
  saved = true;
  say("saved", word("saved"));
}

function printSlips() {
  const slips = cases.filter((one) => one.code).map((one) => {
    const slip = document.getElementById("slip").content.cloneNode(true).firstElementChild;
    const put = (name, text) => { slip.querySelector(`[data-slip="${name}"]`).textContent = text; };
    put("phone", one.phone);
    put("code", one.code);
    put("until", one.until_words);
    put("link-until", one.link_until_words);
    put("address", one.link);
    // The picture comes from our own server and is drawn there from the link alone.
    slip.querySelector('[data-slip="qr"]').append(new DOMParser().parseFromString(one.qr, "text/html").body.firstElementChild);
    return slip;
  });
  document.getElementById("slips").replaceChildren(...slips);
  saved = true;
  print();
}
