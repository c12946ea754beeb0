// SPDX-License-Identifier: Apache-2.0
/** QR codes drawn here, dark on white whatever the colours around them, as scanners need it. */
import { svg } from "./dom.js";

// The encoder leaves two modules of white; scanners want four.
const MORE_QUIET = 2;

/** The modules of a text, rows of booleans. ecc: "low" where a code is long and shown on a screen. */
export async function modulesOf(text, ecc = "medium") {
  const { encodeQR } = await import("./vendor/qr-encode.js");
  return encodeQR(text, "raw", { ecc });
}

/** A code as one path. label: what a screen reader says. */
export function drawn(modules, label) {
  const size = modules.length + 2 * MORE_QUIET;
  const d = modules.map((row, y) => row.map((dark, x) => (dark ? `M${x + MORE_QUIET} ${y + MORE_QUIET}h1v1h-1z` : "")).join("")).join("");
  return svg("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" }, svg("path", { d }));
}
