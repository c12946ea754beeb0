// SPDX-License-Identifier: Apache-2.0
/** The line that is on every screen: what waits here, and when the city last had everything. */
import { h } from "./face/dom.js";
import { icon } from "./face/icons.js";

/** A link to the backlog with one sentence. */
export function syncLine(app) {
  const { me, entries, photos, sync } = app;
  const waiting = entries.length;
  const pictures = photos.filter((photo) => photo.refused === null).length;
  if (!me || (!me.token && !waiting && !me.practice)) return "";
  if (me.practice) return line(app, "info", "list", app.n("sync.practice", waiting));
  if (!me.token) return line(app, "alert", "lock", app.n("sync.cut", waiting));
  if (sync.state.error && sync.state.error !== "offline") return line(app, "alert", "warn", app.refusal(sync.state.error));
  if (waiting || pictures) {
    const words = waiting ? app.n("sync.waiting", waiting) : app.n("sync.photos", pictures);
    return line(app, "warn", "send", sync.state.error ? app.t("sync.offline", { words }) : sync.state.sending ? app.t("sync.sending", { words }) : words);
  }
  if (sync.state.error) return line(app, "warn", "info", app.t("sync.nothing.offline"));
  return line(app, "ok", "check", app.told.at ? app.t("sync.done", { time: timeOf(app.told.at) }) : app.t("sync.first"));
}

function line(app, kind, name, text) {
  return h("a", { class: `sync ${kind}`, href: "#/backlog" }, icon(name, 20), h("span", {}, text));
}

/** 07:42, in the phone's own zone, which is the city's. */
export function timeOf(seconds) {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(seconds * 1000));
}

/** 10/8 07:42 or 10 Aug 07:42. */
export function momentOf(app, seconds) {
  const date = new Date(seconds * 1000);
  const day = app.words.language === "vi" ? `${date.getDate()}/${date.getMonth() + 1}` : new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" }).format(date);
  return `${day} ${timeOf(seconds)}`;
}

/** "today 17:00", "tomorrow 08:00", "Saturday 15/8 08:00": when to come again, as seen at `now`. */
export function returnText(app, due, now) {
  const day = (seconds) => { const date = new Date(seconds * 1000); return new Date(date.getFullYear(), date.getMonth(), date.getDate()); };
  const ahead = Math.round((day(due) - day(now)) / 86_400_000);
  const time = timeOf(due);
  if (ahead === 0) return app.t("return.today", { time });
  if (ahead === 1) return app.t("return.tomorrow", { time });
  const name = new Intl.DateTimeFormat(app.words.language === "vi" ? "vi-VN" : "en-GB", { weekday: "long" }).format(new Date(due * 1000));
  return app.t("return.day", { day: name, time: momentOf(app, due) });
}
