// SPDX-License-Identifier: Apache-2.0
/** The phone's own doors: how far it is, what is left, whom to visit again. */
import { h, p } from "../face/dom.js";
import { icon } from "../face/icons.js";
import { doorsOf, fold, returnOf, standing, titleOf } from "../doors.js";
import { outcomeLabel } from "../script.js";
import { momentOf, returnText } from "../state.js";

const FILTERS = ["open", "again", "done", "all"];

export function show(app) {
  const { looking, lists } = app;
  if (!lists.some(({ turf }) => turf === looking.turf)) looking.turf = lists.length ? lists[0].turf : null;
  const list = lists.find(({ turf }) => turf === looking.turf);
  const ended = app.told.ended.filter((one) => !lists.some(({ lease }) => lease === one.lease)).slice(0, 3);
  const notes = ended.map((one) => h("div", { class: "card note warn ended" }, p(app.t(`ended.${one.why}`, { name: one.name, time: momentOf(app, one.at) })
    + (app.entries.length ? ` ${app.n("ended.unsent", app.entries.length)}` : ""))));
  if (!list) {
    const body = [h("h1", {}, app.t("list.none.title")), notes, p(app.t("list.none"), "soft"),
      h("button", { type: "button", class: "button wide", onclick: () => app.sync.now() }, app.t("list.ask"))];
    return { title: app.t("list.none.title"), body: [...body, endPractice(app)], live: () => app.route() };
  }
  const rows = h("ul", { class: "doors", id: "doors" });
  const fill = () => {
    const now = app.cityNow();
    const found = doorsOf(list.doors, looking.filter, now).filter((door) => matches(door, looking.search));
    rows.replaceChildren(...(found.length ? found.map((door) => row(app, door, now)) : [h("li", { class: "soft empty" }, app.t(`list.empty.${looking.search ? "search" : looking.filter}`))]));
  };
  fill();
  const done = list.doors.filter((door) => door.reached).length;
  const body = [
    h("h1", {}, list.name),
    notes,
    lists.length > 1 && picker(app, lists),
    h("section", { class: "card progress" },
      h("p", { class: "num" }, h("b", {}, app.t("list.progress", { done: app.words.number(done), all: app.words.number(list.doors.length) }))),
      h("progress", { max: list.doors.length, value: done, "aria-label": app.t("list.progress.name") }),
      h("small", {}, [list.unit, app.t("list.until", { time: momentOf(app, list.until) })].filter(Boolean).join(" · "))),
    list.map && app.maps[list.map] ? h("a", { class: "button quiet wide", href: `#/map/${list.turf}`, id: "map" }, icon("place", 20), app.t("map.title")) : null,
    h("div", { class: "field" }, h("label", { for: "search" }, app.t("list.search")),
      h("input", { id: "search", type: "search", value: looking.search, autocomplete: "off", oninput: (event) => { looking.search = event.target.value; fill(); } })),
    h("div", { class: "filters", role: "group", "aria-label": app.t("list.filter") }, FILTERS.map((name) => h("button", {
      type: "button", class: "filter", "aria-pressed": String(looking.filter === name), onclick: (event) => {
        looking.filter = name;
        for (const one of event.target.parentElement.children) one.setAttribute("aria-pressed", String(one === event.target));
        fill();
      } }, `${app.t(`list.filter.${name}`)} ${app.words.number(doorsOf(list.doors, name, app.cityNow()).length)}`))),
    rows,
    endPractice(app),
  ];
  const bar = h("a", { class: "button wide", href: `#/new/${list.turf}`, id: "add" }, app.t("list.add"));
  const live = () => {
    if (document.activeElement && document.activeElement.id === "search") return;
    looking.top = scrollY;
    app.route();
  };
  return { title: list.name, body, bar, live, top: looking.top };
}

function matches(door, search) {
  return fold(`${door.address} ${door.head} ${door.group}`).includes(fold(search.trim()));
}

function row(app, door, now) {
  const words = app.words;
  const where = standing(door, now);
  const tags = [];
  if (door.last) tags.push(h("span", { class: `tag ${where === "done" ? "ok" : ""}` }, outcomeLabel(app, door.last.outcome)));
  if (where === "again") tags.push(h("span", { class: "tag warn" }, returnText(app, returnOf(door), now)));
  if (where === "due") tags.push(h("span", { class: "tag warn" }, words.t("door.due")));
  if (door.waits) tags.push(h("span", { class: "tag waits" }, words.t("door.waits")));
  return h("li", {}, h("a", { href: `#/door/${door.door}`, onclick: () => { app.looking.top = scrollY; } },
    h("span", { class: "place num", "aria-hidden": "true" }, door.place),
    h("span", {}, h("b", {}, titleOf(door, words)), door.address && door.head ? h("small", {}, door.head) : null, h("span", { class: "tags" }, tags)),
    icon("back", 20)));
}

function picker(app, lists) {
  const change = (event) => {
    app.looking.turf = Number(event.target.value);
    app.looking.top = 0;
    app.route();
  };
  return h("div", { class: "field" }, h("label", { for: "turf" }, app.t("list.which")),
    h("select", { id: "turf", onchange: change }, lists.map((one) => h("option", { value: one.turf, selected: one.turf === app.looking.turf }, `${one.name} (${one.doors.length})`))));
}

function endPractice(app) {
  if (!app.me.practice) return null;
  return h("button", { type: "button", class: "button quiet wide", id: "end-practice", onclick: () => app.practise(false) }, app.t("practice.end"));
}
