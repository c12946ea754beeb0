// SPDX-License-Identifier: Apache-2.0
/** One piece of news or one notice. News carries a small markup (headings, lists, bold, links), never tags. */
import { h, p, rich } from "../dom.js";
import { linkButton, note } from "../parts.js";

const LINK = /\[([^[\]]+)\]\(((?:https:\/\/|tel:|\/(?!\/))[^\s()]+)\)/;

/** The title of a notice, whose own is a code. */
export function noticeTitle(app, item) {
  return app.t(app.words.has(`notice.${item.title}.title`) ? `notice.${item.title}.title` : "notice.other.title");
}

/** One item; it counts as read from now on. parameter: its id. */
export async function show(app, parameter) {
  const item = (await app.engine.inbox()).find((one) => one.id === parameter);
  const back = h("div", { class: "buttons" }, linkButton("#/inbox", app.t("back"), { quiet: true }));
  if (item === undefined) {
    return { title: app.t("inbox.title"), tab: "inbox", body: [h("h1", {}, app.t("inbox.title")), note("info", "info", app.t("inbox.gone")), back] };
  }
  if (!item.read) {
    await app.engine.markRead(item.id);
    await app.renew();
  }
  const notice = item.kind === "notice";
  const title = notice ? noticeTitle(app, item) : item.title;
  // Whoever has both texts can show anybody that the city signed two logs.
  const evidence = notice && item.title === "split_view" && app.state.city.evidence;
  const body = notice ? p(app.t(app.words.has(`notice.${item.title}.body`) ? `notice.${item.title}.body` : "notice.other.body", { code: item.title, hotline: app.hotline() })) : blocks(item.body || "");
  return {
    title, tab: "inbox",
    body: [
      h("h1", {}, title), item.at && h("p", { class: "soft num" }, app.dates.moment(item.at)),
      h("article", { class: "card reading" }, body, item.url && p(h("a", { href: item.url, rel: "noreferrer" }, app.t("inbox.open")))),
      evidence && h("section", { class: "card reading" }, evidence.map((text) => h("pre", {}, text))), back,
    ],
  };
}

/** Paragraphs, headings and lists of a text in the portal's markup. */
function blocks(text) {
  return text.replaceAll("\r", "").split(/\n\s*\n/).map((block) => {
    const lines = block.split("\n").filter((line) => line.trim());
    if (!lines.length) return null;
    if (lines[0].startsWith("## ")) return [h("h2", {}, inline(lines[0].slice(3))), lines.length > 1 && p(inline(lines.slice(1).join(" ")))];
    if (lines.every((line) => line.startsWith("- "))) return h("ul", {}, lines.map((line) => h("li", {}, inline(line.slice(2)))));
    if (lines.every((line) => /^\d+\. /.test(line))) return h("ol", {}, lines.map((line) => h("li", {}, inline(line.replace(/^\d+\. /, "")))));
    return p(inline(lines.join(" ")));
  });
}

function inline(text) {
  const nodes = [];
  let rest = text;
  for (let found = LINK.exec(rest); found; found = LINK.exec(rest)) {
    nodes.push(rich(rest.slice(0, found.index)), h("a", { href: found[2], rel: "noreferrer" }, found[1]));
    rest = rest.slice(found.index + found[0].length);
  }
  return [...nodes, rich(rest)];
}
