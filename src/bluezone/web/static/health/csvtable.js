// SPDX-License-Identifier: Apache-2.0
// A list of cases out of a CSV file: which column is which, what each row says, what is wrong with it.
// It runs in the browser and asks nobody: telephone numbers never leave this computer.

const HEADINGS = {
  phone: ["phone", "phone number", "telephone", "mobile", "sdt", "so dt", "so dien thoai", "dien thoai", "so dien thoai di dong"],
  klass: ["class", "case", "diagnosis", "phan loai", "loai", "loai ca", "ca benh", "xac dinh"],
  onset: ["onset", "onset day", "first symptoms", "symptoms", "ngay khoi phat", "khoi phat", "ngay co trieu chung", "ngay trieu chung", "ngay lay mau"],
};
const CLASSES = {
  confirmed: ["1", "confirmed", "test", "positive", "xac nhan", "xet nghiem", "duong tinh"],
  clinical: ["2", "clinical", "lam sang"],
};
const LARGEST_ROWS = 2000;

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

/** Rows of cells. The separator is the one of comma, semicolon and tab that the first line has most of. */
export function cellsOf(text) {
  const first = text.split(/\r\n?|\n/, 1)[0];
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
 *  Returns {missing: [column…], tooMany, cases: [{line, phone, klass, onset, problem}]}; problem "" when there is none. */
export function casesOf(rows, first, last) {
  const heading = (rows[0] ?? []).map(folded);
  const column = {};
  for (const [name, known] of Object.entries(HEADINGS)) column[name] = heading.findIndex((text) => known.includes(text));
  const missing = Object.keys(column).filter((name) => column[name] < 0);
  if (missing.length) return { missing, tooMany: false, cases: [] };
  const filled = rows.map((cells, index) => ({ cells, line: index + 1 })).slice(1).filter(({ cells }) => cells.some((cell) => cell.trim()));
  const seen = new Set();
  const cases = filled.slice(0, LARGEST_ROWS).map(({ cells, line }) => {
    const said = (name) => (cells[column[name]] ?? "").trim();
    const phone = said("phone").replace(/[\s.()-]/g, "");
    const klass = Object.keys(CLASSES).find((name) => CLASSES[name].includes(folded(said("klass")))) ?? "";
    const onset = dayOf(said("onset"));
    let problem = "";
    if (!/^\+?[0-9]{8,15}$/.test(phone)) problem = "phone_wrong";
    else if (seen.has(phone)) problem = "phone_twice";
    else if (!klass) problem = "class_wrong";
    else if (!onset) problem = "onset_wrong";
    else if (onset < first || onset > last) problem = "onset_outside";
    if (!problem) seen.add(phone);
    return { line, phone: phone || said("phone"), klass, onset, problem };
  });
  return { missing, tooMany: filled.length > LARGEST_ROWS, cases };
}

/** "2026-11-24" from 24/11/2026, 24-11-2026, 24.11.2026 or 2026-11-24; "" from anything else, 31/2/2026 too. */
export function dayOf(text) {
  const local = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/.exec(text);
  const iso = /^(\d{4})-(\d{2})-(\d{2})/.exec(text);
  const [year, month, day] = local ? [local[3], local[2], local[1]] : iso ? iso.slice(1) : [];
  if (!year) return "";
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
