// SPDX-License-Identifier: Apache-2.0
/** Cities nearby whose lists this phone may follow besides: which, since when, what that costs, and who learns what. */
import { h, p } from "../dom.js";
import { note, worker } from "../parts.js";

/** A card for each city that the own one names. */
export async function show(app) {
  const { neighbours, name } = app.state.city;
  return {
    title: app.t("neighbours.title"), tab: "more", live: true,
    body: [
      h("h1", {}, app.t("neighbours.title")),
      h("section", { class: "card reading" }, p(app.t("neighbours.lead", { city: name || "" })), p(app.t("neighbours.cost"))),
      neighbours.length ? neighbours.map((one) => card(app, one)) : note("info", "info", app.t("neighbours.none")),
    ],
  };
}

function card(app, one) {
  const at = (key, when) => app.t(key, { when: app.dates.moment(when) });
  const standing = one.everybody ? app.t("neighbours.everybody") : !one.followed ? app.t("neighbours.off")
    : one.until === null ? app.t("neighbours.on") : at("neighbours.until", one.until);
  const checked = one.followed && (one.checkedAt === null ? app.t("neighbours.never") : at("neighbours.checked", one.checkedAt));
  const act = (choice, key, quiet) => worker(app, app.t(key), app.t("neighbours.busy"), async () => {
    await app.engine.chooseNeighbour({ id: one.id, choice });
    await app.route();
  }, { quiet });
  const acts = one.everybody ? [] : !one.followed ? [act("follow", "neighbours.follow", false)]
    : one.until === null ? [act("leave", "neighbours.leave", false), act("forget", "neighbours.forget", true)]
      : [act("follow", "neighbours.again", true), act("forget", "neighbours.forget", true)];
  return h(
    "section", { class: "card reading", "data-neighbour": one.id }, h("h2", {}, one.name),
    p(standing), checked && p(checked), one.followed && one.problem !== null && note("warn", "warn", app.t("neighbours.problem")),
    h("div", { class: "buttons" }, acts.map(({ button }) => button)), acts.map(({ place }) => place),
    h("details", {}, h("summary", {}, app.t("neighbours.how")), h("p", { class: "num" }, one.address),
      one.key ? [p(app.t("neighbours.key")), h("p", { class: "num" }, one.key.match(/.{1,4}/g).join(" "))] : p(app.t("neighbours.maker"))),
  );
}
