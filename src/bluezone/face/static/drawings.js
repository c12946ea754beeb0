// SPDX-License-Identifier: Apache-2.0
/** Small drawings for the guides, in the page's own colours. The sentence beside each says the same, so they are silent. */
import { svg } from "./dom.js";

const line = (d, kind = "line") => svg("path", { class: kind, d });
const box = (x, y, width, height, rx, kind) => svg("rect", { class: kind, x, y, width, height, rx });
const dot = (cx, cy, r, kind) => svg("circle", { class: kind, cx, cy, r });
const text = (x, y, content) => {
  const node = svg("text", { x, y, "text-anchor": "middle", "font-size": 13, "font-weight": 700, fill: "currentColor" });
  node.textContent = content;
  return node;
};

/** A telephone with something on its screen. */
const phone = (...content) => [box(60, 8, 80, 144, 12, "paper"), line("M92 16h16"), content];
const qr = (x, y, s) => [
  [0, 0], [0, 4], [4, 0],
].flatMap(([dx, dy]) => [box(x + dx * s, y + dy * s, 2.6 * s, 2.6 * s, 1, "line"), box(x + dx * s + 0.8 * s, y + dy * s + 0.8 * s, s, s, 0, "strong")])
  .concat([[4, 4], [5.6, 5.6], [3.2, 5.6], [5.6, 3.2], [3, 3]].map(([dx, dy]) => box(x + dx * s, y + dy * s, s, s, 0, "strong")));
const rows = (y, count, x = 72, width = 56) => Array.from({ length: count }, (_, place) => box(x, y + place * 16, width - (place % 2) * 14, 7, 3, "soft"));
const shield = (x, y, s, kind) => line(`M${x} ${y}l-${8 * s} ${3 * s}v${6 * s}c0 ${5 * s} ${3.4 * s} ${8.4 * s} ${8 * s} ${10 * s} ${4.600 * s}-${1.600 * s} ${8 * s}-${5 * s} ${8 * s}-${10 * s}v-${6 * s}z`, kind);

const DRAWINGS = {
  menu: () => phone(rows(34, 5), dot(124, 24, 2, "strong"), dot(131, 24, 2, "strong"), dot(117, 24, 2, "strong"), dot(124, 24, 15, "hit")),
  address: () => phone(box(70, 26, 60, 16, 8, "shade"), text(100, 38, "https"), line("M84 70a16 16 0 0 1 32 0M90 70a10 10 0 0 1 20 0"), dot(100, 76, 4, "strong"), rows(96, 3)),
  install: () => phone(box(70, 100, 60, 24, 8, "strong"), line("M92 112l6 6 11-12", "white"), shield(100, 36, 2.4, "shade"), line("M90 60l7 7 13-14")),
  settings: () => phone(rows(40, 6), dot(76, 31, 4, "strong"), box(84, 28, 40, 7, 3, "shade")),
  toggle: () => phone(line("m88 44 22 18-12 9V35l12 9-22 18"), box(78, 92, 44, 22, 11, "strong"), dot(111, 103, 8, "paper")),
  home: () => phone(box(68, 28, 64, 56, 8, "shade"), shield(100, 36, 2, "line"), line("M93 55l5 5 9-10"), box(68, 92, 28, 24, 5, "soft"), box(104, 92, 28, 24, 5, "soft")),
  poster: () => [box(12, 20, 60, 84, 4, "paper"), qr(26, 36, 4.6), rows(84, 1, 28, 30), box(112, 34, 66, 116, 11, "paper"), box(122, 54, 46, 46, 4, "shade"), qr(129, 62, 4.3), line("M78 66h26m-8-7 8 7-8 7")],
  place: () => phone(line("M100 74s16-14 16-27a16 16 0 0 0-32 0c0 13 16 27 16 27z"), dot(100, 47, 5, "strong"), text(100, 98, "K7Q 2MD"), box(74, 112, 52, 20, 7, "strong"), line("M93 122l5 5 9-10", "white")),
  leave: () => phone(line("M78 40h26v54H78zM92 67h34m-9-9 9 9-9 9"), rows(108, 2)),
  call: () => [line("M58 34h26l10 32-14 10a76 76 0 0 0 33 33l10-14 32 10v26a10 10 0 0 1-10 10A97 97 0 0 1 48 44a10 10 0 0 1 10-10z", "paper"), line("M120 30a36 36 0 0 1 34 34M120 46a20 20 0 0 1 18 18")],
  digits: () => phone(text(100, 56, "4821"), text(100, 78, "9036"), text(100, 100, "7715"), box(74, 114, 52, 20, 7, "strong")),
  choose: () => phone([0, 1, 2].map((row) => [box(72, 38 + row * 26, 16, 16, 3, row === 1 ? "paper" : "strong"), row !== 1 && line(`M75 ${46 + row * 26}l4 4 6-8`, "white"), box(95, 42 + row * 26, 32, 7, 3, "soft")])),
  agree: () => phone(rows(34, 4), box(70, 108, 60, 26, 8, "strong"), line("M100 128v-13m-6 6 6-6 6 6", "white")),
  stay: () => [line("m30 80 70-58 70 58v66H30z", "paper"), box(84, 100, 32, 46, 3, "shade"), line("M100 82c-12-8-14-13-14-18a7 7 0 0 1 14-2 7 7 0 0 1 14 2c0 5-2 10-14 18z")],
  thermometer: () => [line("M88 28a12 12 0 0 1 24 0v70a24 24 0 1 1-24 0z", "paper"), dot(100, 118, 14, "bad"), box(96, 56, 8, 56, 4, "bad"), line("M122 40h14M122 58h14M122 76h14")],
  qr: () => [box(46, 24, 108, 108, 10, "paper"), qr(66, 44, 10)],
  bell: () => phone(line("M84 88V70a16 16 0 0 1 32 0v18l6 7H78zM94 104h12"), box(72, 118, 56, 14, 6, "soft")),
};

/** A drawing by its name. */
export function drawing(name) {
  return svg("svg", { class: "picture", viewBox: "0 0 200 160", "aria-hidden": "true" }, DRAWINGS[name]());
}
