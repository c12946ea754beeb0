// SPDX-License-Identifier: Apache-2.0
/** Reading a place's code: by camera, from a picture, or typed; each works without a network. */
import { h, p } from "../dom.js";
import { icon } from "../icons.js";
import { field, linkButton, note, worker } from "../parts.js";

/** The screen; the camera is opened only when asked for, and closed when the screen is left. */
export async function show(app) {
  const viewer = h("div", {});
  const opened = { camera: null };
  const found = (text) => {
    app.held.venueText = text;
    return app.go("/place");
  };
  return {
    title: app.t("scan.title"), tab: "home", leave: () => opened.camera && opened.camera.close(),
    body: [
      h("h1", {}, app.t("scan.title")), p(app.t("scan.lead")),
      h("section", { class: "card reading" }, viewer, cameraButton(app, viewer, opened, found)),
      h("h2", {}, app.t("scan.other")),
      h("section", { class: "card reading" }, pictureField(app, found)),
      h("section", { class: "card reading" }, typedForm(app, found)),
      linkButton("#/events", app.t("scan.own"), { quiet: true }),
    ],
  };
}

/** A button that opens the camera in `viewer` and calls found(text) with the first code. opened: {camera}, for closing it. */
export function cameraButton(app, viewer, opened, found) {
  const bar = h("div", { class: "buttons" });
  const { button, place } = worker(app, app.t("scan.start"), app.t("scan.starting"), async () => {
    const { Camera } = await import("../scan/camera.js");
    const video = h("video", { muted: true, playsinline: true, "aria-label": app.t("scan.looking") });
    opened.camera = new Camera(video);
    try {
      await opened.camera.open();
    } catch (error) {
      const denied = error.name === "NotAllowedError" || error.name === "SecurityError";
      viewer.replaceChildren(h("div", { role: "alert" }, note("warn", "warn", app.t(denied ? "scan.denied" : "scan.nocamera"))));
      return;
    }
    const stop = h("button", { type: "button", class: "button quiet", onclick: () => { opened.camera.close(); viewer.replaceChildren(); bar.replaceChildren(button); button.focus(); } }, app.t("scan.stop"));
    viewer.replaceChildren(h("div", { class: "viewer" }, video), h("p", { role: "status" }, app.t("scan.looking")));
    bar.replaceChildren(stop);
    stop.focus();
    look(opened.camera, found);
  }, { icon: "scan" });
  bar.append(button);
  return [bar, place];
}

async function look(camera, found) {
  const text = await camera.find();
  if (text === null) return;
  camera.close();
  if (navigator.vibrate) navigator.vibrate(60);
  await found(text);
}

function pictureField(app, found) {
  const answer = h("div", { role: "status" });
  // The browser's own file button speaks the browser's language; this one speaks the owner's.
  const input = h("input", { type: "file", id: "picture", class: "sr", accept: "image/*" });
  const row = h("div", {}, input, h("label", { for: "picture", class: "button quiet" }, icon("picture"), app.t("scan.picture")));
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    answer.replaceChildren(p(app.t("scan.reading")));
    const { QrReader } = await import("../scan/reading.js");
    const reader = new QrReader();
    const text = await reader.picture(input.files[0]);
    reader.close();
    input.value = "";
    if (text === null) answer.replaceChildren(note("warn", "warn", app.t("scan.nothing")));
    else await found(text);
  });
  return [row, answer];
}

function typedForm(app, found) {
  const { input, row } = field("typed", app.t("scan.typed"), { hint: app.t("scan.typed.hint"), type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true });
  const submit = (event) => {
    event.preventDefault();
    found(input.value.trim());
  };
  return h("form", { onsubmit: submit }, row, h("div", {}, h("button", { type: "submit", class: "button quiet" }, icon("place"), app.t("scan.typed.button"))));
}
