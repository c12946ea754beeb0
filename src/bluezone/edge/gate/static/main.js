// SPDX-License-Identifier: Apache-2.0
/** The gate page: scan, one verdict that can be read from three metres, and every other way in on the same screen. */
import { h, svg } from "./face/dom.js";
import { ask } from "./desk.js";
import { helpPanel, morePanel, shiftPanel } from "./panels.js";
import { button, qr } from "./parts.js";
import { CameraScanner, listenForWedge } from "./scanning.js";
import { Sound, lookOf } from "./verdicts.js";
import { Words } from "./words.js";

const LOOK_MS = 2000;
const SHOWN_MS = 5000;
// A phone answers within a second of the gate's challenge; a picture of a code never does.
const LISTEN_MS = 4000;
const LISTEN_AGAIN_MS = 250;
// Codes that may wait behind the one being judged, and how long a verdict can be read before the next replaces it.
const MOST_CODES = 5;
const READ_MS = 800;
const BADGE = /^BZGK:/i;
// Refused codes of other tablets and boxes (the app's sharing.js and box.js): nobody has to be noted on paper for them.
const NOT_A_PASSAGE = ["share_foreign", "share_old", "box_foreign"];
const SILENT = {
  no_radio: "problem.noradio", box_away: "problem.boxaway", box_prompt: "problem.boxprompt", box_denied: "problem.boxdenied",
  box_browser: "problem.boxbrowser",
};

class GatePage {
  constructor() {
    this.words = new Words(localStorage.getItem("language"));
    this.kiosk = localStorage.getItem("kiosk") === "1";
    this.facing = localStorage.getItem("camera") === "environment" ? "environment" : "user";
    this.sound = new Sound();
    this.state = null;
    this.shown = "idle";
    this.codes = [];
    this.shift = null;
    this.problem = null;
    this.turn = this.looked = 0;
  }

  async begin() {
    this.draw();
    listenForWedge((text) => this.scanned(text));
    await this.refresh();
    setInterval(() => this.refresh(), LOOK_MS);
    this.openCamera();
  }

  /** Ask the program how things stand; the page goes on with what it knew when there is no answer. */
  async refresh() {
    const turn = ++this.looked;
    try {
      const state = await ask("state");
      // It was asked for before the newest passage.
      if (turn !== this.looked) return;
      this.state = state;
      this.problem = null;
    } catch (refusal) {
      this.problem = refusal.code;
    }
    this.drawFacts();
  }

  async scanned(text) {
    if (BADGE.test(text)) {
      if (!this.shift || !this.shift.open) this.openShift();
      this.shift.takeBadge(text);
      return;
    }
    // A hurried scanner reads the next person's code before the last one's answer: it waits its turn.
    if (this.codes.includes(text) || this.codes.length === MOST_CODES) return;
    this.codes.push(text);
    if (this.codes.length > 1) return;
    while (this.codes.length > 0) {
      try {
        await this.judge(this.codes[0]);
      } catch (refusal) {
        this.show(NOT_A_PASSAGE.includes(refusal.code) ? refusal.code : "not_counted");
        this.say(refusal);
      }
      if (this.codes.length > 1) await new Promise((resolve) => setTimeout(resolve, READ_MS));
      this.codes.shift();
    }
    await this.refresh();
  }

  async judge(text) {
    const began = performance.now();
    let told = await ask("judge", { text });
    while (told.finding === "not_heard" && performance.now() - began < LISTEN_MS) {
      this.show("listening");
      await new Promise((resolve) => setTimeout(resolve, LISTEN_AGAIN_MS));
      told = await ask("judge", { text });
    }
    if (told.verdict) this.forgetUndo();
    this.show(told.verdict || told.finding);
  }

  /** Until the state is there that holds this passage, the button would take back the one before. */
  forgetUndo() {
    this.looked += 1;
    if (this.state) this.state.undo = null;
    this.drawFacts();
  }

  async enter(verdict, direction = "in") {
    try {
      await ask("enter", { direction, verdict });
      this.forgetUndo();
      this.show(verdict);
    } catch (refusal) {
      // Nothing that was shown before may be taken for the answer to this tap.
      this.show("not_counted");
      this.say(refusal);
    }
    await this.refresh();
  }

  async undo() {
    if (!this.state || !this.state.undo) return;
    try {
      await ask("undo", { number: this.state.undo.number });
      this.show("undone");
    } catch (refusal) {
      this.say(refusal);
    }
    await this.refresh();
  }

  async send() {
    await ask("send", {}).catch(() => {});
    await this.refresh();
  }

  openShift() {
    this.shift = shiftPanel(this);
  }

  setKiosk(kiosk) {
    this.kiosk = kiosk;
    localStorage.setItem("kiosk", kiosk ? "1" : "0");
    this.draw();
    this.drawFacts();
    this.openCamera();
  }

  /** The camera on the other side: a tablet on a stand looks at its visitor, one in the hand away from its attendant. */
  turnCamera() {
    this.facing = this.facing === "user" ? "environment" : "user";
    localStorage.setItem("camera", this.facing);
    this.camera.close();
    this.openCamera();
  }

  speak(language) {
    localStorage.setItem("language", language);
    this.words = new Words(language);
    this.draw();
    this.drawFacts();
    this.openCamera();
  }

  /** Show a verdict for five seconds, then wait for the next person. */
  show(name) {
    this.shown = name;
    const look = lookOf(name);
    this.sound.play(look.notes);
    this.drawVerdict(look);
    // A panel over the verdict that waits for it.
    if (this.watching) this.watching(name);
    const turn = ++this.turn;
    if (name !== "idle" && name !== "listening") setTimeout(() => { if (turn === this.turn) this.show("idle"); }, SHOWN_MS);
  }

  say(refusal) {
    this.problem = refusal.code;
    this.drawFacts();
  }

  draw() {
    const { words } = this;
    document.documentElement.lang = words.language;
    if (this.camera) this.camera.close();
    this.names = h("div", {});
    this.inside = h("div", { class: "inside num" });
    this.trouble = h("div", { class: "troubles", role: "alert" });
    this.verdict = h("section", { class: "verdict", role: "status", "aria-live": "assertive" });
    this.video = h("video", { class: "camera", playsinline: true, muted: true, "aria-label": words.t("camera.label") });
    this.cameraNote = h("div", { class: "camera-note" });
    this.gateCode = h("div", { class: "gate-code" });
    this.look = h("section", { class: "look" }, h("div", { class: "frame" }, this.video, this.cameraNote), this.gateCode);
    this.back = button("", () => this.undo(), "quiet undo");
    const seen = button(words.t("button.seen"), () => this.enter("screen_seen"));
    const off = button(words.t("button.off"), () => this.enter("installed_off"));
    const none = button(words.t("button.nophone"), () => this.enter("no_smartphone"));
    const help = button(words.t("button.help"), () => helpPanel(this), "");
    const out = button(words.t("button.out"), () => this.enter("out", "out"), "out");
    const more = button(words.t("button.more"), () => morePanel(this));
    const ways = this.kiosk ? [none, help, more] : [seen, off, none, help, more];
    document.body.replaceChildren(
      h("main", { class: this.kiosk ? "gate kiosk" : "gate" },
        h("header", {}, this.names, this.inside), this.trouble,
        h("div", { class: "stage" }, this.verdict, this.look),
        h("footer", {}, h("div", { class: "ways" }, ways), h("div", { class: "main-acts" }, this.back, out)),
        this.kiosk && h("p", { class: "soft call" }, words.t("kiosk.call"))));
    document.title = `${words.t("gate.unnamed").split(" ")[0]} · Bluezone`;
    this.drawVerdict(lookOf(this.shown));
  }

  drawVerdict({ colour, paths }) {
    const { words } = this;
    this.verdict.className = `verdict ${colour}`;
    this.verdict.dataset.verdict = this.shown;
    this.verdict.replaceChildren(
      svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, paths.map((d) => svg("path", { d }))),
      h("h1", {}, words.t(`verdict.${this.shown}`)), h("p", {}, words.t(`verdict.${this.shown}.line`)));
    if (this.shown === "not_checked") this.verdict.append(button(words.t("button.seen"), () => this.enter("screen_seen"), "quiet"));
    if (this.shown === "installed_off") {
      this.verdict.append(button(words.t("button.reminded"), () => this.enter("installed_off"), "quiet"));
    }
  }

  drawFacts() {
    const { words, state } = this;
    const troubles = state && state.training ? ["training.banner"] : [];
    if (this.problem) troubles.push(words.has(`problem.${this.problem}`) ? `problem.${this.problem}` : "problem.program");
    if (state) {
      this.names.replaceChildren(h("strong", {}, gateName(words, state)), h("br"), h("small", { class: "num" }, facts(words, state)));
      this.inside.replaceChildren(h("b", {}, words.number(state.inside)), h("br"), h("small", {}, words.t("inside")));
      if (state.radio_off) troubles.push(SILENT[state.radio_off] || "problem.radio");
      if (state.clock_wrong) troubles.push("problem.clock");
      if (state.lost && state.lost.length) troubles.push("problem.lost");
      if (state.gate.closed) troubles.push("problem.closed");
      if (state.sync_problem === "device_token_invalid") troubles.push("problem.device_token_invalid");
      this.back.hidden = !state.undo;
      if (state.undo) this.back.textContent = words.t("button.undo", { seconds: Math.ceil(state.undo.seconds_left) });
      this.drawGateCode(state.screen.text);
    }
    const sentences = troubles.map((key) => words.t(key));
    if (state && state.undated) sentences.push(words.t("problem.undated", { count: words.number(state.undated) }));
    const text = sentences.join("\n");
    if (this.trouble.dataset.text !== text) {
      this.trouble.dataset.text = text;
      this.trouble.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
    }
  }

  async drawGateCode(text) {
    if (this.gateCode.dataset.text === text) return;
    this.gateCode.dataset.text = text;
    const picture = await qr(text, this.words.t("qr.gate.alt"));
    this.gateCode.replaceChildren(picture, h("p", {}, this.words.t("qr.gate")));
  }

  async openCamera() {
    this.video.className = `camera ${this.facing}`;
    this.camera = new CameraScanner(this.video, this.facing, (text) => this.scanned(text));
    try {
      await this.camera.open();
      this.cameraNote.replaceChildren();
    } catch {
      this.cameraNote.replaceChildren(h("p", {}, this.words.t("camera.off")), button(this.words.t("camera.start"), () => this.openCamera()));
    }
  }
}

function gateName(words, state) {
  return state.gate.name ? `${state.gate.name} · ${state.gate.agency}` : words.t("gate.unnamed");
}

function facts(words, state) {
  const duty = state.duty ? words.t("duty", { name: state.duty.name, time: words.clock(state.duty.started, state.zone) }) : words.t("duty.none");
  return `${duty} · ${network(words, state)}`;
}

/** What became of the numbers. An office that answers, but takes nothing, is no missing network. */
function network(words, { training, unsent, sync_problem: code }) {
  const count = words.number(unsent);
  if (training) return words.t("net.training");
  if (code === "offline") return words.t("net.offline", { count });
  if (code) return words.t("net.refused", { count, code });
  return unsent ? words.t("net.waiting", { count }) : words.t("net.ok");
}

new GatePage().begin();
