// SPDX-License-Identifier: Apache-2.0
/** The doors as the canvasser sees them: the lists the server told, with everything on top that still waits here. */
import { dueAt } from "./returning.js";

export const REACHED = ["installed", "running", "leaflet", "refused", "no_smartphone", "moved"];
export const SKIPS = ["not_found", "dog", "no_way", "isolated", "unsafe", "other"];
export const FACTS = ["head", "address", "group", "smartphones", "note"];

/** Lists with doors as they will be when the backlog has been sent; door.waits: how many entries of it wait. */
export function doorsNow(lists, entries) {
  const shown = lists.map((list) => ({ ...list, doors: list.doors.map((door) => ({ ...door, turf: list.turf, waits: 0 })) }));
  const doors = new Map(shown.flatMap((list) => list.doors).map((door) => [door.door, door]));
  for (const { body } of entries) {
    let door = doors.get(body.door);
    if (!door && body.made) {
      const list = shown.find(({ turf }) => turf === body.turf);
      if (!list) continue;
      door = {
        door: body.door, place: list.doors.length + 1, head: "", address: "", group: "", smartphones: null, note: "", versions: {},
        disputed: [], last: null, revisit: "", reached: false, latitude: null, longitude: null, turf: body.turf, waits: 0, made: true,
      };
      list.doors.push(door);
      doors.set(body.door, door);
    }
    if (door) lay(door, body);
  }
  return shown;
}

function lay(door, body) {
  door.waits += 1;
  for (const [name, { value, clock }] of Object.entries(body.changes || {})) {
    door[name] = value;
    door.versions = { ...door.versions, [name]: clock };
  }
  if (!body.visit) return;
  if (!door.last || door.last.at <= body.at) {
    door.last = { at: body.at, outcome: body.visit.outcome };
    door.revisit = body.visit.revisit || "";
  }
  door.reached = door.reached || REACHED.includes(body.visit.outcome);
}

/**
 * Where a door stands at `now` (Unix seconds): "left", "again" (set aside until it is due), "due" or "done". One of
 * them, so that no door is in two lists.
 */
export function standing(door, now) {
  if (!door.last) return door.reached ? "done" : "left";
  if (door.reached && !door.revisit) return "done";
  return now < returnOf(door) ? "again" : "due";
}

/** When a door that was set aside is due. */
export function returnOf(door) {
  return dueAt(door.revisit, door.last.at);
}

/** The doors that one filter shows: what is due first, then in the order of walking; set aside, the soonest first. */
export function doorsOf(doors, filter, now) {
  const stands = new Map(doors.map((door) => [door.door, standing(door, now)]));
  const of = (...wanted) => doors.filter((door) => wanted.includes(stands.get(door.door)));
  const soonest = (one, other) => returnOf(one) - returnOf(other) || one.place - other.place;
  if (filter === "open") return [...of("due").sort(soonest), ...of("left")];
  if (filter === "again") return of("again").sort(soonest);
  return filter === "done" ? of("done") : doors;
}

/** What a door is called by: address, else householder. */
export function titleOf(door, words) {
  return door.address || door.head || words.t("door.unnamed");
}

/** Without marks, for searching. */
export function fold(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replaceAll("đ", "d");
}
