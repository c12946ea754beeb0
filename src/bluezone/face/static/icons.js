// SPDX-License-Identifier: Apache-2.0
/** Line icons of 24 units; each stands beside words that say the same, so a screen reader skips them. */
import { svg } from "./dom.js";

const SHIELD = "M12 2.5 4 5.5v6c0 5 3.4 8.4 8 10 4.6-1.6 8-5 8-10v-6z";

const PATHS = {
  ok: [SHIELD, "m8.5 12 2.5 2.5 4.5-5"],
  warn: ["M12 3.5 2.5 20h19z", "M12 9.5v5M12 17.4v.1"],
  alert: [SHIELD, "M12 7.5v5.5M12 16.2v.1"],
  stop: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M9.5 9v6M14.5 9v6"],
  info: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 11v5.5M12 7.5v.1"],
  scan: ["M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4", "M8 8h3v3H8zM13 8h3v3h-3zM8 13h3v3H8zM14 14h2v2"],
  send: ["M12 3v11m0-11 4 4m-4-4L8 7M5 15v4h14v-4"],
  help: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M12 16.8v.1"],
  share: ["M8.6 10.7 15.4 7M8.6 13.3l6.8 3.7", "M6 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM18 3.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM18 15.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z"],
  phone: ["M5 4h4l1.5 5-2.2 1.6a12 12 0 0 0 5.1 5.1L15 13.5l5 1.5v4a1.5 1.5 0 0 1-1.5 1.5A15 15 0 0 1 3.5 5.5 1.5 1.5 0 0 1 5 4z"],
  home: ["m4 11 8-7 8 7v9h-5v-6H9v6H4z"],
  diary: ["M5 4h14v16H5z", "M9 8h6M9 12h6M9 16h4"],
  inbox: ["M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4"],
  more: ["M5 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM12 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2zM19 11a1 1 0 1 0 0 2 1 1 0 0 0 0-2z"],
  place: ["M12 21s7-6.3 7-11.5A7 7 0 0 0 5 9.500C5 14.700 12 21 12 21z", "M12 7.200a2.400 2.400 0 1 0 0 4.800 2.400 2.400 0 0 0 0-4.800z"],
  list: ["M9 6h11M9 12h11M9 18h11", "M4.500 6h.1M4.500 12h.1M4.500 18h.1"],
  book: ["M4 5.500c3-1.500 6-1 8 .5 2-1.500 5-2 8-.5v13c-3-1.500-6-1-8 .5-2-1.500-5-2-8-.5z", "M12 6v13"],
  globe: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"],
  trash: ["M5 7h14M10 4h4M7 7l1 13h8l1-13", "M10.500 11v5M13.500 11v5"],
  lock: ["M6 11h12v9H6z", "M8.500 11V8a3.500 3.500 0 0 1 7 0v3"],
  home_stay: ["m4 11 8-7 8 7v9H4z", "M12 16.500c-2.500-1.700-3-2.800-3-3.700a1.500 1.500 0 0 1 3-.4 1.500 1.500 0 0 1 3 .4c0 .9-.5 2-3 3.700z"],
  health: ["M12 20C5 15 3.500 12 3.500 9A4.200 4.200 0 0 1 12 7.500 4.200 4.200 0 0 1 20.500 9c0 3-1.500 6-8.500 11z", "M7 12h2.500l1.500-3 2 5 1.200-2H17"],
  bluetooth: ["m7 8 10 8-5 4V4l5 4L7 16"],
  watch: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 7v5l3.500 2"],
  check: ["m5 12.500 4.500 4.500L19 7"],
  voice: ["M4 9.500h3.500L12 5.500v13l-4.500-4H4z", "M15.500 9.500a4 4 0 0 1 0 5M18 7a7.500 7.500 0 0 1 0 10"],
  back: ["M15 5l-7 7 7 7"],
  copy: ["M9 9h11v11H9z", "M15 9V4H4v11h5"],
  picture: ["M4 5h16v14H4z", "m4 16 5-5 4 4 3-3 4 4M15.500 8.500h.1"],
  open: ["M14 4h6v6M20 4l-9 9", "M18 14v5H5V6h5"],
};

/** A line icon of `size` pixels. */
export function icon(name, size = 24) {
  const paths = PATHS[name].map((d) => svg("path", { d }));
  return svg("svg", { class: "icon", width: size, height: size, viewBox: "0 0 24 24", "aria-hidden": "true" }, paths);
}

/** The mark of Bluezone. */
export function mark() {
  return svg(
    "svg", { class: "mark", width: 30, height: 30, viewBox: "0 0 32 32", "aria-hidden": "true" },
    svg("circle", { cx: 16, cy: 16, r: 15 }), svg("path", { d: "M9 16a7 7 0 0 1 14 0M12.5 16a3.5 3.5 0 0 1 7 0" }),
    svg("circle", { class: "dot", cx: 16, cy: 18.5, r: 2.2 }),
  );
}
