// SPDX-License-Identifier: Apache-2.0
/** What is known of a household: corrected, or entered for a door that is not on the list. */
import { h, p } from "../face/dom.js";
import { line, stepper } from "../inputs.js";
import { FACTS, titleOf } from "../doors.js";
import { uuid7 } from "../face/uuid7.js";

const LONGEST = { head: 80, address: 160, group: 60, note: 120 };

export function show(app, parameter, name) {
  const isNew = name === "new";
  const found = isNew ? null : app.find(parameter);
  const list = isNew ? app.lists.find(({ turf }) => turf === Number(parameter)) : found && found.list;
  if (!list) return { title: app.t("door.gone.title"), back: "#/", body: [h("h1", {}, app.t("door.gone.title")), p(app.t("door.gone"))] };
  const door = found ? found.door : { head: "", address: "", group: groupOf(list), smartphones: null, note: "", versions: {} };
  const fields = Object.fromEntries(FACTS.filter((fact) => fact !== "smartphones").map((fact) =>
    [fact, line(fact, app.t(`fact.${fact}`), door[fact], { maxlength: LONGEST[fact], hint: app.words.has(`fact.${fact}.hint`) ? app.t(`fact.${fact}.hint`) : null })]));
  fields.smartphones = stepper("smartphones", app.t("fact.smartphones"), { value: door.smartphones, unknown: true, words: { less: app.t("step.less"), more: app.t("step.more") } });
  const place = h("div", { id: "refused" });
  const save = async (event) => {
    event.preventDefault();
    const facts = {};
    for (const fact of FACTS) {
      const value = fields[fact].value();
      if (value !== door[fact]) facts[fact] = { value, base: door.versions[fact] };
    }
    const named = fields.address.value() || fields.head.value();
    if (!named) return place.replaceChildren(h("div", { class: "card note alert", role: "alert" }, p(app.t("fact.choose"))));
    const key = isNew ? uuid7() : door.door;
    if (isNew && !facts.group && door.group) facts.group = { value: door.group, base: "" };
    try {
      if (Object.keys(facts).length) {
        await app.box.keep({ door: key, turf: list.turf, made: isNew || Boolean(door.made), facts });
        app.soon();
      }
    } catch (error) {
      return place.replaceChildren(h("div", { class: "card note alert", role: "alert" }, p(app.refusal(error.code))));
    }
    await app.go(`/door/${key}`);
    return app.say(app.t("visit.saved"));
  };
  const title = isNew ? app.t("fact.new") : titleOf(door, app.words);
  const body = [
    h("h1", {}, title),
    isNew ? p(app.t("fact.new.lead"), "soft") : null,
    h("form", { id: "facts", novalidate: true, onsubmit: save }, fields.address.row, fields.head.row, fields.group.row, fields.smartphones.row, fields.note.row, place),
  ];
  const bar = h("button", { type: "submit", class: "button wide", id: "save", form: "facts" }, app.t("fact.save"));
  return { title, back: isNew ? "#/" : `#/door/${parameter}`, body, bar };
}

/** The group of most doors of a list: a new one is usually beside them. */
function groupOf(list) {
  const counts = {};
  for (const { group } of list.doors) counts[group] = (counts[group] || 0) + 1;
  return Object.keys(counts).sort((one, other) => counts[other] - counts[one])[0] || "";
}
