// SPDX-License-Identifier: Apache-2.0
// Codes for many cases. The list is read here, and what is wrong in it is put right here; (class, onset) alone go to the
// server, a row at a time, under a key of which kept.js says that the same row has the same one. The codes that come back
// are put beside the telephone numbers here.
import { casesOf, cellsOf, csvFile, judge, put, settleDays, textOf } from "./csvtable.js";
import { drawQr, sheetsOf, smsLink } from "./handover.js";
import { offerHouse } from "./house.js";
import { keep, keyOf, label, stateOf } from "./kept.js";
import { keepRows, rowsOfSitting } from "./sitting.js";
import { keepTicket } from "./tickets.js";
import { showUnused } from "./unused.js";
import { workbookRows } from "./workbook.js";

const page = document.getElementById("bulk");
const { first, last } = page.dataset;
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
let columns = {};
let saved = true;
// Codes for which the question whether to revoke them was opened in another window.
const asked = new Set();

const show = (name, shown = true) => { at(name).hidden = !shown; };
const say = (name, text) => { at(name).textContent = text; };
const ready = () => cases.filter((one) => !one.problem && !one.code && !one.revoked);

page.hidden = false;
showUnused(page);
showEarlier();
const tellHouse = offerHouse(page, word, () => cases, (one, how, handed) => { if (handed) noteHanded(one, how); else takeBack(one, how); });
at("file").addEventListener("change", async () => {
  const file = at("file").files[0];
  if (!file) return;
  const buffer = await file.arrayBuffer(), text = textOf(buffer);
  take(text === null ? await workbookRows(buffer) : cellsOf(text));
});
at("pasted").addEventListener("input", (event) => { if (event.inputType === "insertFromPaste") take(cellsOf(at("pasted").value)); });
at("pasted").addEventListener("change", () => { if (at("pasted").value.trim()) take(cellsOf(at("pasted").value)); });
at("issue").addEventListener("click", sendAll);
at("again").addEventListener("click", sendAll);
at("rest").addEventListener("click", sendAll);
at("save").addEventListener("click", save);
at("print").addEventListener("click", printSlips);
at("keep").addEventListener("change", () => { for (const one of cases) if (one.code && one.tag) label(one.tag, at("keep").checked ? one.phone : ""); });
for (const choice of at("days").querySelectorAll("input")) {
  choice.addEventListener("change", () => {
    settleDays(cases, choice.value, first, last);
    tellColumns(choice.value);
    drawWrong();
    tell();
  });
}
at("next").addEventListener("click", () => noteHanded(at("square").one));
addEventListener("focus", lookAgain);
addEventListener("storage", lookAgain);
document.addEventListener("visibilitychange", lookAgain);
addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });

/** Take a list as rows of cells; null is a workbook that cannot be read here. */
function take(rows) {
  if (rows === null) return refuseList(word("workbook"));
  const read = casesOf(rows, first, last);
  if (read.missing.length) return refuseList(word("columns", { columns: read.missing.map((name) => word("column_" + name)).join(", ") }));
  if (read.tooMany) return refuseList(word("too_many"));
  if (!read.cases.length) return refuseList(word("empty"));
  ({ cases, columns } = read);
  show("file-problem", false);
  show("days", "day" in columns);
  for (const choice of at("days").querySelectorAll("input")) choice.checked = false;
  say("days-legend", word("days", { column: columnName("day") }));
  tellColumns("");
  drawWrong();
  tell();
  show("preview");
  at("read").focus();
}

function refuseList(text) {
  cases = [];
  say("file-problem", text);
  show("file-problem");
  show("preview", false);
  at("file").value = "";
}

const columnName = (name) => (typeof columns[name] === "number" ? word("column_number", { number: columns[name] }) : `“${columns[name]}”`);

/** Which column was read as what. what: as settleDays is given it. */
function tellColumns(what) {
  const onset = ["sample", "onset"].includes(what) ? "day" : "onset";
  const read = { phone: columnName("phone"), klass: columnName("klass"), onset: onset in columns ? columnName(onset) : word("column_none") };
  say("columns-read", word("columns_read", read));
}

/** How many rows there are, of which class, and how many codes the button issues. */
function tell() {
  const wrong = cases.filter((one) => one.problem).length;
  const count = (klass) => cases.filter((one) => !one.problem && one.klass === klass).length;
  if (!cases.some((one) => one.code)) say("read", word("read", { all: cases.length, ready: cases.length - wrong, wrong }));
  else say("read", word("read_rest", { wrong }));
  say("classes", word("classes", { confirmed: count("confirmed"), clinical: count("clinical") }));
  at("issue").textContent = word("issue", { ready: ready().length });
  at("issue").disabled = !ready().length;
}

/** A row that is wrong can be put right where it stands; it stays there, with a word that it is right now. */
function drawWrong() {
  // What the question above the rows settles needs no form for each.
  const wrong = cases.filter((one) => one.problem && one.problem !== "onset_unsettled");
  const drawn = wrong.map((one) => {
    const row = at("fix").content.cloneNode(true).firstElementChild;
    const field = (name) => row.querySelector(`[data-fix="${name}"]`);
    row.querySelector("legend").textContent = word("row", { line: one.line });
    field("phone").value = one.phone;
    field("klass").value = one.klass in { confirmed: 1, clinical: 1 } ? one.klass : "";
    Object.assign(field("onset"), { min: first, max: last, value: one.onset });
    row.querySelector("[data-said]").textContent = [...new Set(Object.values(one.said))].filter(Boolean).join(" · ");
    for (const name of ["phone", "klass", "onset"]) {
      field(name).addEventListener("change", () => {
        put(one, name, field(name).value, last);
        if (name === "onset") one.corrected = true;
        one.key = "";
        judge(cases, first, last);
        for (const other of drawn) other.tell();
        tell();
      });
    }
    return { row, tell: () => {
      const problem = row.querySelector("[data-problem]");
      problem.textContent = word(one.problem || "row_right");
      problem.classList.toggle("wrong", Boolean(one.problem));
    } };
  });
  for (const one of drawn) one.tell();
  at("wrong").replaceChildren(...drawn.map(({ row }) => row));
}

async function sendAll() {
  show("choose", false);
  show("failed", false);
  show("over-note", false);
  show("sending");
  const waiting = ready();
  for (const one of waiting) Object.assign(one, { refusal: "" }, one.key && !one.tag ? {} : await keyOf(one));
  // What this browser was given before costs nothing of the day's limit, so that it is asked for first.
  waiting.sort((one, other) => Number(other.again) - Number(one.again));
  let problem = "", full = false;
  for (const [sent, one] of waiting.entries()) {
    at("progress").value = sent / waiting.length;
    say("sent", word("sending", { sent, all: waiting.length }));
    if (full) { one.refusal = "quota_reached"; continue; }
    problem = await send(one);
    if (problem) break;
    full = one.refusal === "quota_reached";
  }
  show("sending", false);
  if (problem) {
    say("failure", word(problem));
    show("failed");
  }
  results();
  if (problem) at("again").focus();
}

/** Ask for the code of one row; returns "" or the word for what went wrong. Nothing but class and onset is sent. */
async function send(one) {
  const body = JSON.stringify({ key: one.key, rows: [{ class: one.klass, onset: one.onset }] });
  let answer, told;
  try {
    answer = await fetch(page.dataset.place, {
      method: "POST", redirect: "manual", body,
      headers: { "Content-Type": "application/json", "X-CSRFToken": page.dataset.token },
    });
    if (answer.type === "opaqueredirect" || answer.status === 403) return "signed_out";
    if (!answer.ok) return "busy";
    told = (await answer.json()).rows[0];
  } catch {
    return "offline";
  }
  if (told.code) keepTicket(told.pk, told.ticket);
  if (told.code && one.again && await stateOf(told.pk) === "revoked") {
    Object.assign(one, { revoked: true, refusal: "revoked" });
    return "";
  }
  Object.assign(one, told);
  if (one.code) {
    keep(one);
    if (at("keep").checked && one.tag) label(one.tag, one.phone);
    saved = false;
  }
  return "";
}

function results() {
  const tried = cases.filter((one) => one.code || one.refusal);
  if (!tried.length) return;
  const made = tried.filter((one) => one.code).length;
  const before = tried.filter((one) => one.code && one.again).length;
  const over = tried.filter((one) => !one.code && one.refusal === "quota_reached").length;
  say("made", word("made", { made, all: cases.length }) + (before ? " " + word("made_before", { before }) : ""));
  say("over", word("over", { over }));
  show("over-note", over > 0);
  at("rows").replaceChildren(...cases.map(resultRow));
  show("results");
  // Rows that are still wrong can be put right and issued now.
  at("results").after(at("preview"));
  drawWrong();
  tell();
  show("preview", cases.some((one) => one.problem));
  hand(cases.find((one) => one.code && !one.handed) ?? null);
  tellHouse();
  keepRows(cases).then(showEarlier);
  at("made").focus();
}

function resultRow(one) {
  const row = at("row").content.cloneNode(true).firstElementChild;
  const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
  const why = one.problem || one.refusal;
  cell("phone").textContent = one.phone || one.said.phone;
  cell("line").textContent = word("row", { line: one.line });
  cell("code").textContent = one.code ?? "";
  cell("mark").textContent = one.mark ?? "";
  cell("state").textContent = one.code ? word("until", { until: momentOf(one.expires) }) : why ? word(why) : word("not_sent");
  row.classList.toggle("refused", !one.code);
  if (!one.code) return row;
  const link = row.querySelector("a");
  link.href = smsLink(one.phone, messageFor(one));
  link.hidden = false;
  link.addEventListener("click", () => noteHanded(one));
  offerRevoking(cell("revoke"), one.pk);
  one.tick = cell("handed");
  one.tick.textContent = one.how ? word(one.how) : "";
  return row;
}

/** The codes of other lists since this worker signed in, by telephone number; what is in the table above is left out. */
async function showEarlier() {
  const here = new Set(cases.map((one) => one.pk));
  const rows = (await rowsOfSitting()).filter((row) => !here.has(row.pk));
  const drawn = rows.map((earlier) => {
    const row = at("earlier-row").content.cloneNode(true).firstElementChild;
    row.querySelector('[data-cell="phone"]').textContent = earlier.phone;
    row.querySelector('[data-cell="mark"]').textContent = earlier.mark;
    offerRevoking(row.querySelector('[data-cell="revoke"]'), earlier.pk);
    return row;
  });
  at("earlier-rows").replaceChildren(...drawn);
  show("earlier", rows.length > 0);
  for (const [index, earlier] of rows.entries()) {
    const state = await stateOf(earlier.pk);
    drawn[index].querySelector('[data-cell="state"]').textContent = state ? word(`state_${state}`) : "";
    drawn[index].querySelector('[data-cell="revoke"]').hidden = !["", "open"].includes(state);
  }
}

/** The question opens in another window: the codes on this page are stored nowhere. */
function offerRevoking(link, pk) {
  link.href = page.dataset.revoke.replace("/0/", `/${pk}/`);
  link.hidden = false;
  link.addEventListener("click", () => asked.add(pk));
}

/** Take the codes that were revoked in another window off this page. */
async function lookAgain() {
  let changed = false;
  for (const pk of [...asked]) {
    if ((await stateOf(pk)) !== "revoked" || !asked.delete(pk)) continue;
    const one = cases.find((other) => other.pk === pk);
    if (one) Object.assign(one, { revoked: true, refusal: "revoked", code: "" });
    changed = true;
  }
  if (!changed) return;
  if (cases.length) results();
  else showEarlier();
}

/** how: the word for the way; what was not handed over after all is taken back. */
function noteHanded(one, how = "handed") {
  Object.assign(one, { handed: true, how });
  one.tick.textContent = word(how);
  tellHouse();
  const current = at("square").one;
  hand(current?.handed ? nextAfter(current) : current);
}

function takeBack(one, how) {
  Object.assign(one, { handed: false, how });
  one.tick.textContent = word(how);
  if (!at("square").one) hand(one);
}

/** The next case with a code that was not handed over yet, from the top again after the last; null when all were. */
function nextAfter(one) {
  const from = cases.indexOf(one) + 1;
  return [...cases.slice(from), ...cases.slice(0, from)].find((other) => other !== one && other.code && !other.handed) ?? null;
}

/** Show the square with the message of one case; null: of none any more. */
function hand(one) {
  at("square").one = one;
  show("hand", Boolean(one));
  if (!one) return;
  at("square").replaceChildren(drawQr(smsLink(one.phone, messageFor(one)), word("square", { phone: one.phone })));
  say("hand-phone", one.phone);
  say("hand-text", messageFor(one));
  at("next").textContent = word(nextAfter(one) ? "next" : "next_last");
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
  const sheets = sheetsOf(cases.filter((one) => one.code), document.getElementById("slip"), (slip, one) => {
    const write = (name, text) => { slip.querySelector(`[data-slip="${name}"]`).textContent = text; };
    write("phone", one.phone);
    write("code", one.code);
    write("until", one.until_words);
    write("link-until", one.link_until_words);
    write("address", one.link);
    // The picture comes from our own server and is drawn there from the link alone.
    slip.querySelector('[data-slip="qr"]').append(new DOMParser().parseFromString(one.qr, "text/html").body.firstElementChild);
  });
  document.getElementById("slips").replaceChildren(...sheets);
  saved = true;
  print();
}
