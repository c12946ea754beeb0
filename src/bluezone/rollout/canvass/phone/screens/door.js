// SPDX-License-Identifier: Apache-2.0
/** One visit: how it went, phones, leaflet, picture, help, when to come again. Saved on the phone before it says so. */
import { h, p } from "../face/dom.js";
import { choose, line, stepper, tick } from "../inputs.js";
import { SKIPS, titleOf } from "../doors.js";
import { shrink } from "../photo.js";
import { offerField, outcomeLabel, said, talk } from "../script.js";
import { dueAt, RETURNS, usualReturn } from "../returning.js";
import { momentOf, returnText } from "../state.js";

// At these a phone was looked at or spoken of.
const TALKED = ["installed", "running", "leaflet", "refused"];
const AGAIN = ["not_home", "locked", "skipped", "leaflet", "refused"];
// At these nobody was spoken to: the door is set aside, and the only question is until when.
const ASIDE = ["not_home", "locked", "skipped"];

export function show(app, key) {
  const found = app.find(key);
  if (!found) return { title: app.t("door.gone.title"), back: "#/", body: [h("h1", {}, app.t("door.gone.title")), p(app.t("door.gone"))] };
  const { door } = found;
  const form = visitForm(app, door);
  const body = [
    h("h1", {}, titleOf(door, app.words)),
    h("section", { class: "card facts" },
      door.head && door.address ? h("p", {}, h("b", {}, door.head)) : null,
      h("p", { class: "soft" }, [door.group, door.smartphones === null ? null : app.n("door.phones", door.smartphones)].filter(Boolean).join(" · ")),
      door.note ? h("p", { class: "way" }, door.note) : null,
      door.last ? h("p", { class: "num" }, app.t("door.last", { outcome: outcomeLabel(app, door.last.outcome), time: momentOf(app, door.last.at) })) : null,
      door.disputed.length ? h("p", { class: "tag warn" }, app.t("door.disputed")) : null,
      h("a", { class: "button quiet small", href: `#/facts/${door.door}` }, app.t("door.correct"))),
    talk(app),
    form.element,
  ];
  return { title: titleOf(door, app.words), back: "#/", body, bar: form.bar };
}

function visitForm(app, door) {
  const { t } = { t: (name, values) => app.t(name, values) };
  const steps = { less: t("step.less"), more: t("step.more") };
  const choices = app.script.outcomes;
  const outcome = choose("outcome", t("visit.outcome"), choices.map((one) => [one.key, said(app, one.label)]), { onchange: () => suit() });
  const tapped = () => choices.find(({ key }) => key === outcome.value());
  const counted = () => (tapped() ? tapped().counts_as : null);
  const offers = offerField(app);
  const skip = choose("skip", t("visit.skip"), SKIPS.map((name) => [name, t(`skip.${name}`)]));
  const phones = stepper("phones", t("visit.phones"), { value: door.smartphones, unknown: true, words: steps });
  const seen = stepper("seen", t("visit.seen"), { words: steps });
  const told = stepper("told", t("visit.told"), { words: steps });
  const helped = stepper("helped", t("visit.helped"), { words: steps });
  const leaflets = stepper("leaflets", t("visit.leaflets"), { words: steps, most: 20 });
  const lot = line("lot", t("visit.lot"), (app.me && app.me.lot) || "", { hint: t("visit.lot.hint"), maxlength: 20 });
  const now = app.cityNow();
  const returns = RETURNS.map((name) => [name, capital(returnText(app, dueAt(name, now), now))]);
  const aside = choose("aside", t("visit.aside"), returns, { chosen: usualReturn(now), columns: 1 });
  const revisit = choose("revisit", t("visit.revisit"), [["", t("revisit.none")], ...returns], { chosen: "", columns: 1 });
  const contact = line("contact", t("visit.contact"), "", { inputmode: "tel", maxlength: 80, hint: t("visit.contact.hint") });
  const note = line("help-note", t("visit.note"), "", { maxlength: 300 });
  const helpMore = h("div", { class: "stack", hidden: true }, contact.row, note.row);
  const help = tick("help", t("visit.help"), { onchange: (on) => { helpMore.hidden = !on; } });
  const picture = photoField(app);
  const phonesThere = h("fieldset", { class: "stack", hidden: true }, h("legend", {}, t("visit.phones.legend")), phones.row, seen.row, told.row, helped.row);
  const later = h("div", { hidden: true }, revisit.row);
  const until = h("div", { hidden: true }, aside.row);
  const skipped = h("div", { hidden: true }, skip.row);
  const leaflet = h("fieldset", { class: "stack" }, h("legend", {}, t("visit.leaflet.legend")), leaflets.row, lot.row);
  const rest = h("div", { class: "stack", hidden: true }, offers.row, skipped, until, phonesThere, leaflet, later, help.row, helpMore, picture.row);
  const place = h("div", { id: "refused" });
  const button = h("button", { type: "submit", class: "button wide", id: "save", form: "visit" }, t("visit.save"));

  function suit() {
    const chosen = counted();
    offers.show(tapped());
    // What was missing is there now.
    place.replaceChildren();
    rest.hidden = false;
    phonesThere.hidden = !TALKED.includes(chosen);
    skipped.hidden = chosen !== "skipped";
    until.hidden = !ASIDE.includes(chosen);
    later.hidden = !AGAIN.includes(chosen) || ASIDE.includes(chosen);
    help.row.hidden = !TALKED.includes(chosen) && chosen !== "no_smartphone";
    if (chosen === "leaflet" && leaflets.value() === 0) leaflets.set(1);
    if (chosen === "installed" && helped.value() === 0) helped.set(1);
  }

  const save = async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    const wrong = missing();
    if (wrong) return refuse(wrong);
    button.setAttribute("aria-disabled", "true");
    // What was said of the entry before must not be taken for this one.
    app.said = null;
    try {
      const { visit, facts } = read();
      await app.box.keep({ door: door.door, turf: door.turf, made: Boolean(door.made), visit, facts, photo: picture.value() });
      app.looking.search = "";
      await app.go("/");
      app.say(visit.revisit ? t("visit.saved.aside", { when: returnText(app, dueAt(visit.revisit, now), now) }) : t("visit.saved"));
      app.soon();
    } catch (error) {
      refuse(app.refusal(error.code));
    } finally {
      button.removeAttribute("aria-disabled");
    }
    return undefined;
  };

  function missing() {
    if (!outcome.value()) return t("visit.choose");
    if (offers.asks() && !offers.value().length) return t("visit.choose.offered");
    if (counted() === "skipped" && !skip.value()) return t("visit.choose.skip");
    if (leaflets.value() > 0 && !lot.value()) return t("visit.choose.lot");
    if (help.value() && !help.row.hidden && !contact.value()) return t("visit.choose.contact");
    if (picture.busy()) return t("photo.busy");
    return null;
  }

  function refuse(text) {
    place.replaceChildren(h("div", { class: "card note alert", role: "alert" }, p(text)));
    place.scrollIntoView({ block: "center" });
  }

  function read() {
    const chosen = counted();
    const visit = { outcome: chosen, answer: outcome.value() };
    if (offers.value().length) visit.offered = offers.value();
    if (chosen === "skipped") visit.skip_reason = skip.value();
    const facts = {};
    if (TALKED.includes(chosen)) {
      Object.assign(visit, { seen: seen.value(), told: told.value(), helped: helped.value() });
      if (phones.value() !== null) visit.phones = phones.value();
    }
    if (chosen === "no_smartphone") visit.phones = 0;
    if (visit.phones !== undefined && visit.phones !== door.smartphones) facts.smartphones = { value: visit.phones, base: door.versions.smartphones };
    if (leaflets.value() > 0) Object.assign(visit, { leaflets: leaflets.value(), lot: lot.value() });
    const again = ASIDE.includes(chosen) ? aside.value() : AGAIN.includes(chosen) ? revisit.value() : "";
    if (again) visit.revisit = again;
    if (help.value() && !help.row.hidden) visit.help = { contact: contact.value(), note: note.value() };
    return { visit, facts };
  }

  const element = h("form", { id: "visit", novalidate: true, onsubmit: save }, outcome.row, rest, place);
  return { element, bar: button };
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A picture of the leaflet at the door; one that cannot be taken does not hold up the visit. */
function photoField(app) {
  let photo = null;
  let working = false;
  const said = h("p", { class: "soft", id: "photo-said", role: "status" }, app.t("photo.hint"));
  const input = h("input", { type: "file", id: "photo", class: "sr", accept: "image/*", capture: "environment", onchange: take });
  async function take() {
    const [file] = input.files;
    if (!file) return;
    photo = null;
    working = true;
    said.textContent = app.t("photo.busy");
    try {
      photo = await shrink(file);
      said.textContent = app.t("photo.taken", { kb: app.words.number(Math.ceil(photo.size / 1000)) });
    } catch (error) {
      said.textContent = app.t(`refusal.${error.code}`, { megabytes: app.words.number(error.megabytes || 0) });
    } finally {
      working = false;
      input.value = "";
    }
  }
  const row = h("div", { class: "photo" }, input, h("label", { class: "button quiet wide", for: "photo" }, app.t("photo.button")), said);
  return { row, value: () => photo, busy: () => working };
}
