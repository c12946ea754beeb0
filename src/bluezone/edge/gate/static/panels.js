// SPDX-License-Identifier: Apache-2.0
/** What opens over the page: shift, help to install, other ways, and the slip that is printed and signed. */
import { h } from "./face/dom.js";
import { ask } from "./desk.js";
import { button, field, panel, qr } from "./parts.js";

/** Begin or end a shift. A badge that is scanned while it is open goes into its field. */
export function shiftPanel(page) {
  const { words, state } = page;
  const told = h("p", { role: "alert", class: "told" });
  const badge = field("badge", words.t("duty.badge"), { autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
  const pin = field("pin", words.t("duty.pin"), { inputmode: "numeric", autocomplete: "off", maxlength: "6", type: "password" });
  const signIn = async (event) => {
    event.preventDefault();
    try {
      await ask("signIn", { badge: badge.querySelector("input").value, pin: pin.querySelector("input").value });
      dialog.close();
      await page.refresh();
    } catch (refusal) {
      told.textContent = sentence(words, refusal, "duty.");
    }
  };
  const form = h("form", { onsubmit: signIn }, badge, pin, told, h("p", {}, h("button", { class: "button" }, words.t("duty.in"))));
  const end = state.duty && h("p", {}, button(words.t("duty.out"), async () => {
    const slip = await ask("signOut", {});
    dialog.close();
    showSlip(page, slip);
    await page.refresh();
  }, ""));
  const dialog = panel(words, words.t("duty.title"), end, form);
  dialog.takeBadge = (text) => { badge.querySelector("input").value = text; pin.querySelector("input").focus(); };
  return dialog;
}

/** QR code of the city's address, steps, and a ticket for later. */
export async function helpPanel(page) {
  const { words, state } = page;
  const origin = state.public_origin;
  const host = origin?.replace(/^https?:\/\//, "");
  const told = h("p", { role: "status", class: "told" });
  const phone = field("phone", words.t("help.phone"), { inputmode: "tel", autocomplete: "off", maxlength: "40" });
  const send = async (event) => {
    event.preventDefault();
    const input = phone.querySelector("input");
    try {
      const { ticket } = await ask("help", { contact: input.value });
      input.value = "";
      told.textContent = words.t("help.ticket", { ticket });
    } catch (refusal) {
      told.textContent = words.t(refusal.code === "offline" || refusal.code === "program" ? "help.offline" : "help.refused");
    }
  };
  const steps = host
    ? [await qr(`${origin}/`, host), h("ol", {}, h("li", {}, words.t("help.1", { host })), h("li", {}, words.t("help.2")), h("li", {}, words.t("help.3")))]
    : [h("p", {}, words.t("help.nohost"))];
  const dialog = panel(words, words.t("help.title"), ...steps,
    h("p", {}, button(words.t("help.done"), () => { dialog.close(); page.enter("helped"); }, "")),
    h("form", { onsubmit: send }, h("h3", {}, words.t("help.later")), phone, told, h("p", {}, h("button", { class: "button quiet" }, words.t("help.send")))));
  return dialog;
}

/** What was counted while the machine did not know the hour: somebody says when that was. */
function lostPanel(page) {
  const { words, state } = page;
  const told = h("p", { role: "alert", class: "told" });
  const forms = state.lost.map((lost, place) => {
    const facts = { in: words.number(lost.came_in), out: words.number(lost.went_out), minutes: words.number(Math.round(lost.seconds / 60)) };
    const began = field(`began-${place}`, words.t("lost.began"), { type: "datetime-local", required: true });
    const say = async (event) => {
      event.preventDefault();
      try {
        await ask("date", { boot: lost.boot, began: Math.floor(new Date(began.querySelector("input").value).getTime() / 1000) });
        dialog.close();
        await page.refresh();
      } catch (refusal) {
        told.textContent = sentence(words, refusal, "lost.");
      }
    };
    return h("form", { onsubmit: say }, h("p", {}, words.t("lost.facts", facts)), began, h("p", {}, h("button", { class: "button" }, words.t("lost.say"))));
  });
  const dialog = panel(words, words.t("lost.title"), h("p", {}, words.t("lost.lead")), told, ...forms);
}

/** What this tablet knows of today, as a code for the tablet beside it; its camera goes on reading the other's. */
async function sharePanel(page) {
  const { words, state } = page;
  let code;
  try {
    const { text } = await ask("share");
    code = await qr(text, words.t("more.share"), "low");
  } catch (refusal) {
    code = h("p", { role: "alert" }, words.t(`problem.${refusal.code}`));
  }
  const told = h("p", { role: "status", class: "told" });
  const dialog = panel(words, words.t("more.share"), h("p", {}, words.t("share.how")), told, code,
    h("p", { class: "soft" }, words.t("share.known", { count: words.number(state.tablets) })));
  page.watching = (name) => { if (name.startsWith("share")) told.textContent = words.t(`verdict.${name}`); };
  dialog.addEventListener("close", () => { page.watching = null; });
}

/** The box's code, for the tablets beside it. */
async function boxPanel({ words, state }) {
  panel(words, words.t("more.boxcode"), h("p", {}, words.t("box.how")), await qr(state.box_text, words.t("more.boxcode")));
}

/** Rarer ways in, and settings. */
export async function morePanel(page) {
  const { words, state } = page;
  const practice = state && state.training ? await practiceOf(page, () => dialog.close()) : [];
  const act = (work) => () => { dialog.close(); work(); };
  const dialog = panel(words, words.t("more.title"), ...practice,
    h("div", { class: "stack" },
      button(words.t("button.asked"), act(() => page.enter("asked_before"))),
      button(words.t("button.told"), act(() => page.enter("told"))),
      button(words.t("duty.title"), act(() => page.openShift())),
      ...(practice.length ? [] : [button(words.t("more.send"), act(() => page.send()))]),
      ...(state && state.lost && state.lost.length ? [button(words.t("lost.title"), act(() => lostPanel(page)))] : []),
      // The app has other tablets beside it and an office's code of its own; the program's page has neither.
      ...(state && state.tablets !== undefined ? [button(words.t("more.share"), act(() => sharePanel(page))),
        button(words.t("connect.title"), act(() => { location.hash = "connect"; location.reload(); }))] : []),
      ...(state && state.can_practise ? [button(words.t(state.training ? "practice.end" : "practice.begin"), act(() => ask("practice", { on: !state.training })))] : []),
      ...(state && state.box_text ? [button(words.t("more.boxcode"), act(() => boxPanel(page)))] : []),
      ...(state && state.box ? [button(words.t("more.leavebox", { host: state.box.host }), act(() => ask("leaveBox", {}).then(() => page.refresh())))] : []),
      button(words.t("more.camera"), act(() => page.turnCamera())),
      button(words.t(page.kiosk ? "more.attendant" : "more.kiosk"), act(() => page.setKiosk(!page.kiosk))),
      button(words.t("button.language"), act(() => page.speak(words.t("button.language.code"))))),
    state && state.box === null && h("p", { class: "soft" }, words.t("more.box")),
    h("p", { class: "soft" }, words.t("more.scanner")));
  return dialog;
}

const PRACTICE = ["running", "browser", "screenshot", "off", "foreign"];

/** Codes to hold before a gate to practise at, and its badge. */
async function practiceOf(page, close) {
  const { words } = page;
  const hold = (kind) => async () => { close(); await page.scanned((await ask("practise", { kind })).text); };
  return [
    h("h3", {}, words.t("training.title")),
    h("div", { class: "stack" }, PRACTICE.map((kind) => button(words.t(`training.${kind}`), hold(kind), ""))),
    h("p", { class: "soft" }, words.t("training.badge", await ask("badge", {}))),
  ];
}

const LINES = ["running", "valid_code", "screen_seen", "asked_before", "installed_off", "helped", "told", "no_smartphone"];

/** The slip of a shift, to print and sign. */
export function showSlip(page, slip) {
  const { words, state } = page;
  const count = (verdict) => slip.totals[verdict] || 0;
  const row = (label, number, kind = "") => h("tr", {}, h("th", { scope: "row", class: kind }, label), h("td", { class: "num" }, words.number(number)));
  const when = { start: words.clock(slip.started, state.zone), end: words.clock(slip.ended, state.zone), day: words.day(slip.started, state.zone) };
  const paper = h("section", { class: "slip" },
    h("h2", {}, words.t("slip.title")),
    h("p", {}, `${words.t("slip.gate")}: ${state.gate.name || "…"} · ${state.gate.agency || "…"}`),
    h("p", {}, `${words.t("slip.shift")}: ${words.t("slip.since", when)}`),
    h("table", {}, h("tbody", {}, row(words.t("slip.in"), LINES.reduce((sum, verdict) => sum + count(verdict), 0)),
      ...LINES.map((verdict) => row(words.t(`slip.${verdict}`), count(verdict), "of")), row(words.t("slip.out"), count("out")))),
    h("p", { class: "soft" }, words.t("slip.note")),
    h("div", { class: "signatures" }, h("p", {}, words.t("slip.keeper"), h("b", {}, slip.name)), h("p", {}, words.t("slip.agency"))));
  const dialog = panel(words, words.t("slip.title"), paper, h("p", { class: "screen" }, button(words.t("slip.print"), () => print(), "")));
  dialog.classList.add("paper");
}

function sentence(words, refusal, prefix) {
  const key = words.has(prefix + refusal.code) ? prefix + refusal.code : "problem.program";
  return words.t(key, { seconds: Math.ceil(refusal.details.seconds || 0) });
}
