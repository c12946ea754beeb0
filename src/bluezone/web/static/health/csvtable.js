// SPDX-License-Identifier: Apache-2.0
// A list of cases out of a file or of pasted text: which column is which, what each row says, what is wrong with it.
// It runs in the browser and asks nobody: telephone numbers never leave this computer.

const HEADINGS = {
  phone: ["phone", "phone number", "telephone", "mobile", "tel", "sdt", "dt", "so dt", "so dien thoai", "dien thoai", "di dong"],
  klass: ["class", "case", "diagnosis", "result", "phan loai", "loai", "loai ca", "ca benh", "xac dinh", "ket qua", "kq", "chan doan"],
  onset: ["onset", "onset day", "first symptoms", "symptoms", "ngay khoi phat", "khoi phat", "ngay co trieu chung", "ngay trieu chung"],
};
// People with symptoms fell ill before the sample was taken: its day is not taken for their first one unasked.
const SAMPLE = ["sample", "sampling", "sampled", "date of sample", "ngay lay mau", "lay mau", "ngay xet nghiem", "ngay xn"];
// A relative's number must not be taken for the patient's.
const SOMEBODY_ELSE = /nguoi nha|nguoi than|lien he khan|relative|family/;
const CLASSES = {
  confirmed: ["1", "confirmed", "test", "positive", "pos", "f0", "+", "(+)", "xac nhan", "xac dinh", "khang dinh", "xet nghiem", "duong tinh", "ca xac dinh", "ca benh xac dinh", "pcr duong tinh", "test nhanh duong tinh", "pcr (+)", "test nhanh (+)"],
  clinical: ["2", "clinical", "suspected", "probable", "lam sang", "nghi ngo", "ca nghi ngo", "ca benh nghi ngo", "ca lam sang", "co the"],
  negative: ["negative", "neg", "-", "(-)", "am tinh", "pcr am tinh", "test nhanh am tinh"],
};
const LARGEST_ROWS = 2000;
const ROWS_ABOVE = 10;
const MOBILE = /^0[35789][0-9]{8}$/;
const MILLISECONDS_A_DAY = 86_400_000;

/** The text of a file as offices save it: UTF-8, UTF-16, or the Vietnamese code page of Windows. Null for a workbook. */
export function textOf(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return null; // "PK": an XLSX
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1258").decode(bytes);
  }
}

/** Rows of cells. The separator is the one of comma, semicolon and tab that the first lines have most of. */
export function cellsOf(text) {
  const first = text.split(/\r\n?|\n/, ROWS_ABOVE).join("\n");
  const separator = [",", ";", "\t"].reduce((best, sign) => (first.split(sign).length > first.split(best).length ? sign : best));
  const rows = [];
  let row = [], cell = "", quoted = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') { cell += '"'; at++; }
      else quoted = false;
    } else if (sign === '"' && cell === "") quoted = true;
    else if (sign === separator) { row.push(cell); cell = ""; }
    else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && text[at + 1] === "\n") at++;
      row.push(cell); rows.push(row);
      row = []; cell = "";
    } else cell += sign;
  }
  if (cell !== "" || row.length) { row.push(cell); rows.push(row); }
  return rows;
}

/** What the rows say. `first`, `last`: the days an onset may lie between, "YYYY-MM-DD".
 *  Returns {missing: [column…], tooMany, columns, cases: [{line, phone, klass, onset, said, problem}]}; problem "" when
 *  there is none. columns: by name the heading it was read from, or its number where it has none; "day" is one of days
 *  that may not be first days of symptoms: `settleDays` takes them once the worker has chosen what they are. */
export function casesOf(rows, first, last) {
  const { column, from } = columnsOf(rows, first, last);
  const asks = column.onset < 0 && column.day >= 0;
  const missing = Object.keys(HEADINGS).filter((name) => column[name] < 0 && !(name === "onset" && asks));
  if (missing.length) return { missing, tooMany: false, cases: [] };
  const filled = rows.map((cells, index) => ({ cells, line: index + 1 })).slice(from).filter(({ cells }) => cells.some((cell) => cell.trim()));
  const cases = filled.slice(0, LARGEST_ROWS).map(({ cells, line }) => {
    const one = { line, said: {} };
    for (const name of Object.keys(HEADINGS)) put(one, name, cells[column[name]] ?? "", last);
    if (asks) one.said.day = (cells[column.day] ?? "").trim();
    return one;
  });
  if (asks) settleDays(cases, "", first, last);
  else judge(cases, first, last);
  const columns = {};
  for (const name of ["phone", "klass", asks ? "day" : "onset"]) columns[name] = headingOf(rows, from, column[name]);
  return { missing, tooMany: filled.length > LARGEST_ROWS, cases, columns };
}

const headingOf = (rows, from, at) => (from ? (rows[from - 1][at] ?? "").trim() : "") || at + 1;

/** Take the days of a column without first days of symptoms as the worker has chosen. what: "sample", of people without
 *  symptoms, or "onset", for either of which the day counts; "unknown", for which none does; "" before that. */
export function settleDays(cases, what, first, last) {
  for (const one of cases) {
    if (one.code || one.corrected) continue;
    one.unsettled = what === "";
    one.key = "";
    put(one, "onset", ["sample", "onset"].includes(what) ? one.said.day : "", last);
  }
  judge(cases, first, last);
}

/** Take what somebody wrote for one column of a case: "phone", "klass" or "onset". */
export function put(one, name, text, last) {
  one.said[name] = text.trim();
  one[name] = { phone: phoneOf, klass: classOf, onset: dayOf }[name](text.trim(), last);
}

/** Say of each case without a code what is wrong with it, in `problem`. */
export function judge(cases, first, last) {
  const seen = new Set(cases.filter((one) => one.code).map((one) => one.phone));
  for (const one of cases) {
    if (one.code) continue;
    one.problem = problemOf(one, seen, first, last);
    if (!one.problem) seen.add(one.phone);
  }
}

function problemOf(one, seen, first, last) {
  if (!/^\+?[0-9]{8,15}$/.test(one.phone)) return "phone_wrong";
  if (seen.has(one.phone)) return "phone_twice";
  if (one.klass === "negative") return "class_negative";
  if (!one.klass) return "class_wrong";
  if (!one.onset && one.unsettled) return "onset_unsettled";
  if (!one.onset) return one.said.onset ? "onset_wrong" : "onset_empty";
  return one.onset < first || one.onset > last ? "onset_outside" : "";
}

/** The columns by name, -1 for one that is not there, and the first row that is a case. Titles may stand above the
 *  headings; a column without a heading is known by what stands in it. */
function columnsOf(rows, first, last) {
  let best = { column: named([]), from: 0, known: 0 };
  for (const [index, cells] of rows.slice(0, ROWS_ABOVE).entries()) {
    const column = named(cells);
    const known = Object.values(column).filter((at) => at >= 0).length;
    if (known > best.known) best = { column, from: index + 1, known };
  }
  const below = rows.slice(best.from).filter((cells) => cells.some((cell) => cell.trim()));
  const fits = {
    phone: (text) => MOBILE.test(phoneOf(text)),
    klass: (text) => !/^\d+$/.test(text) && classOf(text) !== "",
    onset: (text) => { const day = dayOf(text, last); return day >= first && day <= last; },
  };
  for (const name of Object.keys(HEADINGS)) {
    if (best.column[name] >= 0 || (name === "onset" && best.column.day >= 0)) continue;
    const taken = Object.values(best.column);
    const hits = (at) => below.filter((cells) => fits[name]((cells[at] ?? "").trim())).length;
    for (let at = 0; at < (below[0]?.length ?? 0); at++) {
      if (taken.includes(at) || hits(at) * 2 <= below.length) continue;
      // Days under a heading that is not known may be those of the sample.
      const unsure = name === "onset" && best.from > 0 && (rows[best.from - 1][at] ?? "").trim() !== "";
      best.column[unsure ? "day" : name] = at;
      break;
    }
  }
  return best;
}

function named(cells) {
  const heading = cells.map(folded);
  const column = {};
  for (const [name, known] of Object.entries({ ...HEADINGS, day: SAMPLE })) {
    column[name] = known.map((word) => heading.indexOf(word)).find((at) => at >= 0) ?? -1;
    if (column[name] < 0) column[name] = heading.findIndex((text) => !SOMEBODY_ELSE.test(text) && known.some((word) => text.startsWith(word + " ")));
  }
  return column;
}

/** "0912345678" from "+84 912.345.678", "84912345678" and from "912345678", of which a spreadsheet ate the zero. */
export function phoneOf(text) {
  const bare = text.replace(/[\s.()'\u00a0\u200b-\u200f\u202a-\u202e\u2060-\u2069-]/g, "");
  const home = /^(?:\+?84|0084)([35789][0-9]{8})$/.exec(bare) ?? /^([35789][0-9]{8})$/.exec(bare);
  return home ? "0" + home[1] : bare;
}

/** "confirmed", "clinical", "negative", or "" where nobody can be sure. */
export function classOf(text) {
  return Object.keys(CLASSES).find((name) => CLASSES[name].includes(folded(text))) ?? "";
}

/** "2026-11-26" from 26/11/2026, 26.11.26, 26-11, 2026-11-26 or the number of a spreadsheet; "" from anything else,
 *  31/2/2026 too. last: a day without a year is the latest one that is not after it. */
export function dayOf(text, last) {
  const bare = text.replace(/[T ]\d{1,2}:\d{2}(:\d{2})?\S*$/, "").trim();
  if (/^[45]\d{4}(\.\d+)?$/.test(bare)) return new Date(Date.UTC(1899, 11, 30) + Math.floor(Number(bare)) * MILLISECONDS_A_DAY).toISOString().slice(0, 10);
  const local = /^(\d{1,2}) ?[/.-] ?(\d{1,2})(?: ?[/.-] ?(\d{4}|\d{2}))?\.?$/.exec(bare);
  const iso = /^(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})$/.exec(bare);
  if (iso) return dated(iso[1], iso[2], iso[3]);
  if (!local) return "";
  if (local[3]) return dated(local[3].padStart(4, "20"), local[2], local[1]);
  const year = Number(last.slice(0, 4)), day = dated(year, local[2], local[1]);
  return day > last ? dated(year - 1, local[2], local[1]) : day;
}

function dated(year, month, day) {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const right = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return right ? date.toISOString().slice(0, 10) : "";
}

/** Lower case without diacritics, so that "Số điện thoại" is found however it was typed. */
function folded(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase().replace(/[\s_:]+/g, " ").trim();
}

/** A CSV that Excel opens without asking; no cell is one that a program would run. */
export function csvFile(rows) {
  const cell = (value) => {
    let text = String(value);
    if (/^[=@\t\r\n＝＋－＠]/.test(text) || (/^[+-]/.test(text) && !/^\+?[0-9]+$/.test(text))) text = "'" + text;
    return '"' + text.replaceAll('"', '""') + '"';
  };
  const text = rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  return new Blob(["\ufeff" + text], { type: "text/csv;charset=utf-8" });
}
