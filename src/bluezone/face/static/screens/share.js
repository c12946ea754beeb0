// SPDX-License-Identifier: Apache-2.0
/** Helping others get it: a link, a QR code drawn here, a picture to send or print. Nothing is told to anyone. */
import { h, p } from "../dom.js";
import { copyField, note, sender, worker } from "../parts.js";
import { drawn, modulesOf } from "../qrcode.js";


/** The three ways. */
export async function show(app) {
  const origin = app.state.city.publicOrigin || (app.isWeb ? location.origin : null);
  const title = app.t("share.title");
  if (origin === null) return { title, tab: "more", body: [h("h1", {}, title), note("info", "info", app.t("share.nohost"))] };
  const link = `${origin}/`;
  const modules = await modulesOf(link);
  const file = worker(app, app.t("share.file"), app.t("share.file.busy"), async () => {
    save(await picture(app, modules, link));
    app.say(app.t("share.file.done"));
  }, { quiet: true, icon: "picture" });
  return {
    title, tab: "more",
    body: [
      h("h1", {}, title), p(app.t("share.lead")),
      h("section", { class: "card reading" }, sender(app, { title: "Bluezone", text: app.t(app.isWeb ? "share.message.web" : "share.message"), link })),
      h("section", { class: "card reading" }, copyField(app, "share-link", link)),
      h("section", { class: "card reading" }, h("h2", {}, app.t("share.qr")), drawn(modules, app.t("share.qr.alt", { link })), h("div", { class: "buttons" }, file.button), file.place),
      h("p", { class: "soft" }, app.t("share.fakes")),
    ],
  };
}

/** A square picture with the headline, the code and the address, as PNG. */
async function picture(app, modules, link) {
  const canvas = h("canvas", { width: 1080, height: 1350 });
  const pen = canvas.getContext("2d");
  const family = getComputedStyle(document.body).fontFamily;
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#0a4fbf";
  pen.fillRect(0, 0, canvas.width, 24);
  pen.textAlign = "center";
  let y = lines(pen, app.t(app.isWeb ? "share.picture.title.web" : "share.picture.title"), `600 64px ${family}`, "#0f2238", 120, 80);
  y = lines(pen, app.t("share.picture.sub"), `400 40px ${family}`, "#46586e", y + 20, 54);
  const step = Math.floor(720 / modules.length);
  const left = (canvas.width - step * modules.length) / 2;
  pen.fillStyle = "#000000";
  modules.forEach((row, down) => row.forEach((dark, across) => { if (dark) pen.fillRect(left + across * step, y + down * step, step, step); }));
  lines(pen, link.replace(/^https?:\/\/|\/$/g, ""), `600 52px ${family}`, "#0a4fbf", y + step * modules.length + 90, 60);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Write centred lines that fit; returns where the next thing may begin. */
function lines(pen, text, font, colour, top, height) {
  pen.font = font;
  pen.fillStyle = colour;
  let line = "";
  let y = top;
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && pen.measureText(longer).width > 960) {
      pen.fillText(line, 540, y);
      y += height;
      line = word;
    } else line = longer;
  }
  pen.fillText(line, 540, y);
  return y + height * 0.6;
}

function save(blob) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: "bluezone.png" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
