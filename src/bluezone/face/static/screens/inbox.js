// SPDX-License-Identifier: Apache-2.0
/** The inbox: warnings, what this device has to tell, and the city's news. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { noticeTitle } from "./message.js";
import { warningTitle } from "../telling.js";

/** Everything there is to read. */
export async function show(app) {
  const items = await app.engine.inbox();
  const warnings = app.state.warnings.map((warning) => row(app, {
    href: `#/warning/${encodeURIComponent(warning.id)}`, name: warning.level === "high" ? "alert" : "warn",
    title: warningTitle(app, warning), under: app.dates.begun(warning.day), read: warning.read,
  }));
  const rows = items.map((item) => row(app, {
    href: `#/message/${encodeURIComponent(item.id)}`, name: item.kind === "notice" ? "info" : "inbox",
    title: item.kind === "notice" ? noticeTitle(app, item) : item.title, read: item.read,
    under: [app.t(item.kind === "notice" ? "inbox.notice" : "inbox.news"), item.at && app.dates.moment(item.at)].filter(Boolean).join(" · "),
  }));
  const all = [...warnings, ...rows];
  return {
    title: app.t("inbox.title"), tab: "inbox", live: true,
    body: [
      h("h1", {}, app.t("inbox.title")),
      h("section", { class: "card" }, all.length ? h("ul", { class: "rows" }, all) : [icon("inbox", 40), p(app.t("inbox.empty"))]),
    ],
  };
}

function row(app, { href, name, title, under, read }) {
  return h("li", {}, h("a", { href }, icon(name), h("span", {}, read ? title : h("strong", {}, title), " ", !read && h("span", { class: "tag warn" }, app.t("inbox.new")), h("small", {}, under))));
}
