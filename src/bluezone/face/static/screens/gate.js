// SPDX-License-Identifier: Apache-2.0
/**
 * The code for a gate: a phone's proves by Bluetooth that it runs; a browser's only that this page was here.
 *
 * Nothing is answered before the owner asks for a code here, and nothing after the screen is left
 * (docs/attacks.md row 34).
 */
import { h, p } from "../dom.js";
import { note, worker } from "../parts.js";
import { drawn, modulesOf } from "../qrcode.js";
import { cameraButton } from "./scan.js";

const LOOK_MS = 1000;

/** The screen of either edition. */
export async function show(app) {
  const place = h("div", {});
  const opened = { camera: null, timer: null };
  const leave = () => {
    clearInterval(opened.timer);
    if (opened.camera) opened.camera.close();
    app.engine.hidePass().catch(() => {});
  };
  const body = app.isWeb ? browserBody(app, place, opened) : phoneBody(app, place, opened);
  return { title: app.t("gate.title"), tab: "home", leave, body: [h("h1", {}, app.t("gate.title")), ...body, p(app.t("gate.private"), "soft")] };
}

function phoneBody(app, place, opened) {
  const { bluetooth } = app.state;
  const off = bluetooth && bluetooth.offSince ? note("warn", "warn", app.t("gate.off")) : null;
  const make = worker(app, app.t("gate.show"), app.t("gate.making"), async () => {
    const pass = await app.engine.showPass({});
    await showCode(app, place, opened, pass);
  }, { icon: "scan", wide: true });
  return [p(app.t("gate.lead")), off, h("section", { class: "card reading" }, place, h("div", { class: "buttons" }, make.button), make.place)];
}

function browserBody(app, place, opened) {
  const viewer = h("div", {});
  const answer = h("div", { class: "answer" });
  const found = async (screen) => {
    viewer.replaceChildren();
    try {
      const pass = await app.engine.showPass({ screen });
      answer.replaceChildren();
      await showCode(app, place, opened, pass);
    } catch (error) {
      const { refusalNote } = await import("../parts.js");
      answer.replaceChildren(refusalNote(app, error));
    }
  };
  return [p(app.t("gate.web.lead")), h("section", { class: "card reading" }, place, viewer, cameraButton(app, viewer, opened, found), answer)];
}

async function showCode(app, place, opened, pass) {
  clearInterval(opened.timer);
  // A browser's code is long: less redundancy makes its squares larger on a small screen.
  const modules = await modulesOf(pass.text, pass.kind === "B" ? "low" : "medium");
  const left = h("p", { class: "num" });
  const heard = h("p", { role: "status" }, pass.kind === "A" ? app.t("gate.waiting") : app.t("gate.web.ready"));
  place.replaceChildren(drawn(modules, app.t("gate.alt")), heard, left);
  const end = Date.now() + pass.seconds * 1000;
  const look = async () => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    if (seconds <= 0) {
      clearInterval(opened.timer);
      place.replaceChildren(note("info", "info", app.t("gate.over")));
      await app.engine.hidePass();
      return;
    }
    left.textContent = app.t("gate.left", { seconds });
    if (pass.kind === "A" && (await app.engine.passState()).answered) heard.textContent = app.t("gate.answered");
  };
  opened.timer = setInterval(() => look().catch(() => {}), LOOK_MS);
  await look();
}
