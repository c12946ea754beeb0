// SPDX-License-Identifier: Apache-2.0
// The first sheet of an Excel workbook (XLSX, ECMA-376) as rows of text, read by what browsers have: inflate and XML.

const END_OF_DIRECTORY = 0x06054b50, ENTRY = 0x02014b50;
const STORED = 0, DEFLATED = 8;
const LARGEST_PART_BYTES = 30_000_000;
const LARGEST_ROW = 10_000, LARGEST_COLUMN = 256;

/** Rows of cells, an empty one for each row that is left out, days as the number of the spreadsheet. Null where the file
 *  is no such workbook (or an encrypted one) or this browser cannot inflate. */
export async function workbookRows(buffer) {
  try {
    const parts = partsOf(new DataView(buffer));
    const xml = async (name) => new DOMParser().parseFromString(new TextDecoder().decode(await inflated(buffer, parts.get(name))), "text/xml");
    const named = (node, name) => [...node.getElementsByTagNameNS("*", name)];
    const sheet = named(await xml("xl/workbook.xml"), "sheet")[0];
    const link = [...sheet.attributes].find((one) => one.localName === "id" && one.prefix).value;
    const target = named(await xml("xl/_rels/workbook.xml.rels"), "Relationship").find((one) => one.getAttribute("Id") === link).getAttribute("Target");
    // Readings of Asian characters (rPh) stand beside a text and are no part of it.
    const textOf = (node) => named(node, "t").filter((one) => one.parentNode.localName !== "rPh").map((one) => one.textContent).join("");
    const shared = parts.has("xl/sharedStrings.xml") ? named(await xml("xl/sharedStrings.xml"), "si").map(textOf) : [];
    const rows = [];
    for (const cell of named(await xml(target.startsWith("/") ? target.slice(1) : `xl/${target}`), "c")) {
      const [, letters, row] = /^([A-Z]+)(\d+)$/.exec(cell.getAttribute("r"));
      const column = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);
      if (Number(row) > LARGEST_ROW || column > LARGEST_COLUMN) continue;
      while (rows.length < Number(row)) rows.push([]);
      const cells = rows[Number(row) - 1];
      while (cells.length < column) cells.push("");
      cells[column - 1] = valueOf(cell, named(cell, "v")[0]?.textContent ?? "", shared, textOf);
    }
    return rows;
  } catch {
    return null;
  }
}

function valueOf(cell, value, shared, textOf) {
  const type = cell.getAttribute("t");
  if (type === "s") return shared[Number(value)];
  if (type === "inlineStr") return textOf(cell);
  return (type ?? "n") === "n" && value ? String(Number(value)) : value;
}

/** Where each part of a ZIP file is, by name. */
function partsOf(view) {
  let end = view.byteLength - 22;
  while (view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
  const parts = new Map();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0 && view.getUint32(at, true) === ENTRY; left--) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const start = view.getUint32(at + 42, true);
    parts.set(new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, name)), {
      method: view.getUint16(at + 10, true), size: view.getUint32(at + 24, true), packed: view.getUint32(at + 20, true),
      from: start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true),
    });
    at += 46 + name + extra + comment;
  }
  return parts;
}

async function inflated(buffer, part) {
  const bytes = new Uint8Array(buffer, part.from, part.packed);
  if (part.method === STORED) return bytes;
  if (part.method !== DEFLATED || part.size > LARGEST_PART_BYTES) throw new Error("a part that is not read here");
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer();
}
