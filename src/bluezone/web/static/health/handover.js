// SPDX-License-Identifier: Apache-2.0
// From the codes on the page to the patients: an sms: link and its QR code for the work phone, slips, a file. Numbers and
// messages are put together and drawn in this browser.
import { encodeQR } from "./qr-encode.js";

const SVG = "http://www.w3.org/2000/svg";
const SLIPS_A_SHEET = 4;
// Scanners want four modules of white; the encoder leaves two.
const MORE_QUIET = 2;

/** Opens a message that is ready to send, on the phone that follows it. */
export function smsLink(phone, message) {
  return `sms:${phone}?body=${encodeURIComponent(message)}`;
}

/** A QR code, dark on white, as one path. label: what a screen reader says. */
export function drawQr(text, label) {
  const modules = encodeQR(text, "raw", { ecc: "low" });
  const size = modules.length + 2 * MORE_QUIET;
  const made = (name, values) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(values)) element.setAttribute(key, value);
    return element;
  };
  const d = modules.map((row, y) => row.map((dark, x) => (dark ? `M${x + MORE_QUIET} ${y + MORE_QUIET}h1v1h-1z` : "")).join("")).join("");
  const svg = made("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" });
  svg.append(made("path", { fill: "#fff", d: `M0 0h${size}v${size}H0z` }), made("path", { fill: "#000", d }));
  return svg;
}

/** Slips for cutting, four to a sheet of A4; put: (slip, case) fills one in. */
export function sheetsOf(cases, template, put) {
  const sheets = [];
  for (let from = 0; from < cases.length; from += SLIPS_A_SHEET) {
    const sheet = document.createElement("div");
    sheet.className = "slips";
    for (const one of cases.slice(from, from + SLIPS_A_SHEET)) {
      const slip = template.content.cloneNode(true).firstElementChild;
      put(slip, one);
      sheet.append(slip);
    }
    sheets.push(sheet);
  }
  return sheets;
}
