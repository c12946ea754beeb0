// SPDX-License-Identifier: Apache-2.0
/** The doors as the canvasser sees them: the lists the server told, with everything on top that still waits here. */

export const REACHED = ["installed", "running", "leaflet", "refused", "no_smartphone", "moved"];
export const OUTCOMES = ["installed", "running", "leaflet", "not_home", "refused", "no_smartphone", "moved", "locked", "skipped"];
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
        disputed: [], last: null, revisit: "", reached: false, turf: body.turf, waits: 0, made: true,
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

/** Where a door stands: "again" (asked for, or nobody was there), "done" or "left". */
export function standing(door) {
  if (door.revisit) return "again";
  if (door.reached) return "done";
  return door.last ? "again" : "left";
}

/** What a door is called by: address, else householder. */
export function titleOf(door, words) {
  return door.address || door.head || words.t("door.unnamed");
}

/** Without marks, for searching. */
export function fold(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replaceAll("đ", "d");
}
