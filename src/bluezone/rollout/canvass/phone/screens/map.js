// SPDX-License-Identifier: Apache-2.0
/** The doors of a list as they lie, over the ward's outline and streets; and, if its owner asks, where the phone is. */
import { h, p, svg } from "../face/dom.js";
import { icon } from "../face/icons.js";
import { Chart, nearest, spotsOf } from "../chart.js";
import { standing, titleOf } from "../doors.js";
import { outcomeLabel } from "../script.js";
import { Whereabouts } from "../whereabouts.js";

// Half of what a thumb needs, in pixels of the screen whatever the zoom.
const PIN = 15;
// Height of a street's name, in pixels.
const NAME = 12;
const [LEAST, MOST, STEP] = [1, 16, 1.6];
// Which standing a spot with several doors shows: what is to be done first.
const FIRST = ["due", "left", "again", "done"];

export function show(app, parameter) {
  const list = app.lists.find(({ turf }) => turf === Number(parameter));
  const drawn = list && list.map ? app.maps[list.map] : null;
  const title = app.t("map.title");
  const lying = list ? list.doors.filter(({ latitude }) => latitude !== null && latitude !== undefined) : [];
  if (!drawn || !lying.length) return { title, back: "#/", body: [h("h1", {}, title), p(app.t("map.none"), "soft")] };
  const view = new MapView(app, drawn, lying);
  const away = list.doors.length - lying.length;
  const body = [
    h("h1", {}, title), p(list.name, "soft"),
    view.element, view.chosen, legend(app),
    away ? p(app.n("map.away", away), "soft") : null,
    drawn.source ? h("small", { class: "soft" }, drawn.source) : null,
  ];
  return { title: `${title} · ${list.name}`, back: "#/", body, leave: () => view.leave() };
}

class MapView {
  constructor(app, drawn, doors) {
    this.app = app;
    this.chart = new Chart(drawn.box);
    this.doors = doors;
    this.spots = [];
    this.zoom = 1;
    this.here = null;
    this.whereabouts = new Whereabouts((where) => this.found(where), (why) => {
      this.lose();
      this.say(app.t(`map.here.${why}`));
    });
    this.names = svg("g");
    this.streets = namedStreets(this.chart, drawn.streets);
    this.pins = svg("g");
    this.dot = svg("g");
    const { width, height } = this.chart;
    const viewBox = `0 0 ${width.toFixed(1)} ${height.toFixed(1)}`;
    this.picture = svg("svg", { viewBox, role: "group", "aria-label": app.t("map.title") },
      drawn.outline.map((ring) => svg("path", { class: "outline", d: `${this.chart.path(ring)}Z` })),
      drawn.streets.map((street) => svg("path", { class: "street", d: this.chart.path(street.points) }, svgTitle(street.name))),
      this.names, this.pins, this.dot);
    this.frame = h("div", { class: "map", tabindex: "0", "aria-label": app.t("map.frame") }, this.picture);
    const tap = (id, text, onclick, label) => h("button", { type: "button", class: "button quiet", id, "aria-label": label, onclick }, text);
    this.locate = tap("here", app.t("map.here"), () => this.toggle());
    const closer = tap("closer", "+", () => this.scale(this.zoom * STEP), app.t("map.closer"));
    const farther = tap("farther", "−", () => this.scale(this.zoom / STEP), app.t("map.farther"));
    this.element = h("div", { class: "mapbox" }, this.frame, h("div", { class: "mapkeys" }, closer, farther, this.locate));
    this.chosen = h("div", { id: "chosen", role: "status" });
    // Sizes are known when it is on the page.
    requestAnimationFrame(() => this.scale(1));
  }

  /** Draw at a zoom, with the middle where it was and pins as large as before. */
  scale(zoom) {
    const { frame, picture, chart } = this;
    const across = (frame.scrollLeft + frame.clientWidth / 2) / (picture.clientWidth || 1);
    const down = (frame.scrollTop + frame.clientHeight / 2) / (picture.clientHeight || 1);
    this.zoom = Math.min(MOST, Math.max(LEAST, zoom));
    const pixels = Math.min(frame.clientWidth / chart.width, frame.clientHeight / chart.height) * this.zoom;
    this.metresAPixel = 1 / (pixels || 1);
    picture.style.width = `${chart.width * pixels}px`;
    picture.style.height = `${chart.height * pixels}px`;
    this.drawNames();
    this.drawPins();
    this.drawHere();
    this.centre(across * chart.width, down * chart.height);
  }

  /** Bring a place (metres) into the middle of the frame. */
  centre(x, y) {
    const { frame } = this;
    frame.scrollTo(x / this.metresAPixel - frame.clientWidth / 2, y / this.metresAPixel - frame.clientHeight / 2);
  }

  drawPins() {
    const now = this.app.cityNow();
    const radius = PIN * this.metresAPixel;
    this.spots = spotsOf(this.chart, this.doors, 2 * radius);
    this.pins.replaceChildren(...this.spots.map((spot) => this.pin(spot, radius, now)));
  }

  drawNames() {
    this.names.replaceChildren(...this.streets.map(({ name, x, y }) => {
      const made = svg("text", { class: "street-name", x: x.toFixed(1), y: y.toFixed(1), "font-size": (NAME * this.metresAPixel).toFixed(2) });
      made.textContent = name;
      return made;
    }));
  }

  pin(spot, radius, now) {
    const [first] = spot.doors;
    const stands = spot.doors.map((door) => standing(door, now));
    const text = spot.doors.length > 1 ? `${first.place}+` : String(first.place);
    const pin = svg("g", {
      class: `pin ${FIRST.find((one) => stands.includes(one))}`, role: "button", tabindex: "0", "data-doors": spot.doors.length,
      "aria-label": `${text}: ${spot.doors.map((door) => titleOf(door, this.app.words)).join(", ")}`,
      transform: `translate(${spot.x.toFixed(1)} ${spot.y.toFixed(1)})`,
    }, svg("circle", { r: radius.toFixed(2) }), textOf(text, radius));
    pin.addEventListener("click", () => this.choose(spot));
    pin.addEventListener("keydown", (event) => {
      if (!["Enter", " "].includes(event.key)) return;
      event.preventDefault();
      this.choose(spot);
    });
    return pin;
  }

  choose(spot) {
    this.chosen.replaceChildren(h("ul", { class: "doors" }, spot.doors.map((door) => this.row(door))));
    this.chosen.scrollIntoView({ block: "nearest" });
  }

  row(door) {
    const known = [door.head, door.last ? outcomeLabel(this.app, door.last.outcome) : null].filter(Boolean);
    return h("li", {}, h("a", { href: `#/door/${door.door}` },
      h("span", { class: "place num", "aria-hidden": "true" }, door.place),
      h("span", {}, h("b", {}, titleOf(door, this.app.words)), h("small", {}, known.join(" · "))),
      icon("back", 20)));
  }

  toggle() {
    if (this.whereabouts.on) return this.lose();
    this.say(this.app.t("map.here.looking"));
    this.locate.setAttribute("aria-pressed", "true");
    return this.whereabouts.start();
  }

  found({ longitude, latitude, metres }) {
    const { app, chart } = this;
    const isFirst = !this.here;
    this.here = { ...chart.place(longitude, latitude), metres };
    this.drawHere();
    const { x, y } = this.here;
    const within = x >= 0 && y >= 0 && x <= chart.width && y <= chart.height;
    if (isFirst && within) this.centre(x, y);
    this.say([within ? null : app.t("map.outside"), this.nearestText()].filter(Boolean).join(" "));
  }

  nearestText() {
    const now = this.app.cityNow();
    const isOpen = (door) => ["left", "due"].includes(standing(door, now));
    const near = nearest(spotsOf(this.chart, this.doors.filter(isOpen), 1), this.here);
    if (!near) return this.app.t("map.nothing");
    const metres = this.app.words.number(Math.round(near.metres / 5) * 5);
    return this.app.t("map.nearest", { door: titleOf(near.spot.doors[0], this.app.words), metres });
  }

  drawHere() {
    if (!this.here) return this.dot.replaceChildren();
    const { x, y, metres } = this.here;
    const near = svg("circle", { class: "near", cx: x, cy: y, r: metres });
    return this.dot.replaceChildren(near, svg("circle", { class: "here", cx: x, cy: y, r: 8 * this.metresAPixel }));
  }

  lose() {
    this.whereabouts.stop();
    this.here = null;
    this.locate.setAttribute("aria-pressed", "false");
    this.drawHere();
    this.chosen.replaceChildren();
  }

  leave() {
    this.whereabouts.stop();
    this.here = null;
  }

  say(text) {
    this.chosen.replaceChildren(h("p", { class: "card" }, text));
  }
}

/** Each name once, where its longest part begins. */
function namedStreets(chart, streets) {
  const found = new Map();
  for (const { name, points } of streets) {
    if (!name || (found.has(name) && found.get(name).length >= points.length)) continue;
    found.set(name, points);
  }
  return [...found].map(([name, points]) => {
    // The middle of the line, whose ends may lie outside.
    const half = Math.max(1, Math.floor(points.length / 2));
    const [one, other] = [points[half - 1], points[half]].map((point) => chart.place(...point));
    const [x, y] = [(one.x + other.x) / 2, (one.y + other.y) / 2];
    return { name, x: Math.min(Math.max(x, 0), chart.width * 0.8), y: Math.min(Math.max(y, 0), chart.height) };
  });
}

function textOf(text, radius) {
  const made = svg("text", { "text-anchor": "middle", "dominant-baseline": "central", "font-size": (radius * 0.95).toFixed(2) });
  made.textContent = text;
  return made;
}

function svgTitle(name) {
  if (!name) return null;
  const made = svg("title");
  made.textContent = name;
  return made;
}

function legend(app) {
  const kinds = ["left", "due", "again", "done"];
  return h("p", { class: "legend soft" }, kinds.map((name) => h("span", {}, h("i", { class: `pin ${name}` }), app.t(`map.${name}`))));
}
