// SPDX-License-Identifier: Apache-2.0
/** What waits on this phone, what the ward keeps aside and why, and what this phone is. */
import { h, p } from "../face/dom.js";
import { titleOf } from "../doors.js";
import { outcomeLabel } from "../script.js";
import { momentOf } from "../state.js";

export function show(app) {
  const { entries, photos, asides, me } = app;
  const nameOf = (key) => { const found = app.find(key); return found ? titleOf(found.door, app.words) : app.t("door.unnamed"); };
  const pictures = photos.filter((photo) => photo.refused === null);
  const stuck = photos.filter((photo) => photo.refused !== null);
  const body = [
    h("h1", {}, app.t("backlog.title")),
    h("section", { class: "card" },
      h("p", { id: "waiting" }, h("b", {}, app.n("sync.waiting", entries.length))),
      pictures.length ? p(app.n("sync.photos", pictures.length)) : null,
      h("p", { class: "soft" }, app.told.at ? app.t("backlog.last", { time: momentOf(app, app.told.at) }) : app.t("backlog.never")),
      app.sync.state.error ? p(app.refusal(app.sync.state.error)) : null,
      me && me.token ? h("button", { type: "button", class: "button wide", id: "send", onclick: () => app.sync.now() }, app.t("backlog.send")) : null),
    section(app, "backlog.waiting", entries, (entry) => h("li", {}, h("b", {}, nameOf(entry.body.door)), " ",
      h("small", {}, `${momentOf(app, entry.body.at)} · ${entry.body.visit ? outcomeLabel(app, entry.body.visit.outcome) : app.t("backlog.facts")} · ${app.t("backlog.number", { number: entry.number })}`))),
    section(app, "backlog.aside", asides, (aside) => h("li", {}, h("b", {}, nameOf(aside.door)), p(app.refusal(aside.reason)), done(app, "aside", aside.id))),
    section(app, "backlog.photos", stuck, (photo) => h("li", {}, h("b", {}, nameOf(photo.door)), p(app.t(`refusal.${photo.refused}`)), done(app, "photo", photo.id))),
    me ? h("section", { class: "card soft" }, h("h2", {}, app.t("backlog.phone")), p([me.name, me.agency].filter(Boolean).join(" · ")), p(app.t("backlog.lost"))) : null,
  ];
  return { title: app.t("backlog.title"), back: "#/", body, live: () => app.route() };
}

function section(app, name, items, row) {
  if (!items.length) return null;
  return h("section", { class: "card" }, h("h2", {}, app.t(name)), h("ul", { class: "waitings", id: name.replace(".", "-") }, items.map(row)));
}

function done(app, kind, id) {
  const dismiss = async () => {
    await app.box.dismiss(kind, id);
    await app.route();
  };
  return h("button", { type: "button", class: "button quiet small", onclick: dismiss }, app.t("backlog.read"));
}
