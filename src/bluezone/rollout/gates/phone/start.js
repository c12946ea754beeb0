// SPDX-License-Identifier: Apache-2.0
/** Where the app begins: it opens what this device holds, asks for the office's code once, and then shows the gate. */
import { h } from "./face/dom.js";
import { openDesk, practises, setPractice } from "./desk.js";
import { button, field } from "./parts.js";
import { Words } from "./words.js";

const CODE = /^#\d{3}-\d{3}-\d{3}-\d{3}$/;

async function begin() {
  if (location.hash === "#practice") {
    setPractice(true);
    return;
  }
  const words = new Words(localStorage.getItem("language"));
  document.documentElement.lang = words.language;
  let desk;
  try {
    desk = await openDesk();
  } catch (error) {
    document.body.replaceChildren(h("main", { class: "connect" }, h("h1", {}, words.t("connect.failed")), h("p", {}, sentence(words, error.code))));
    return;
  }
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
  if (!practises() && (location.hash === "#connect" || CODE.test(location.hash) || !(await desk.book.me()))) await connect(desk, words);
  else await import("./main.js");
}

/** The office's code is typed once, or stands in the address that its QR code opened. */
async function connect(desk, words) {
  const known = await desk.book.me();
  const told = h("p", { role: "alert", class: "told" });
  const code = field("code", words.t("connect.code"), {
    inputmode: "numeric", autocomplete: "off", maxlength: "24", value: CODE.test(location.hash) ? location.hash.slice(1) : null,
  });
  const enter = async (event) => {
    event.preventDefault();
    told.textContent = words.t("connect.busy");
    try {
      await desk.connect(code.querySelector("input").value);
    } catch (error) {
      told.textContent = sentence(words, error.code);
      return;
    }
    location.hash = "";
    await import("./main.js");
  };
  const language = button(words.t("button.language"), () => {
    localStorage.setItem("language", words.t("button.language.code"));
    begin();
  });
  document.title = `${words.t("connect.title")} · Bluezone`;
  document.body.replaceChildren(h("main", { class: "connect" },
    h("h1", {}, words.t("connect.title")), h("p", {}, words.t("connect.lead")), h("p", {}, words.t("problem.noradio")),
    h("form", { onsubmit: enter }, code, told, h("p", {}, h("button", { class: "button" }, words.t("connect.button")))),
    h("p", {}, button(words.t("practice.begin"), () => setPractice(true))),
    h("p", {}, language, known ? button(words.t("connect.back"), () => { location.hash = ""; location.reload(); }) : null)));
}

function sentence(words, code) {
  const key = `connect.${code}`;
  return words.has(key) ? words.t(key) : words.t("connect.other", { code: code || "?" });
}

if (!window.bluezoneTooOld) {
  begin();
  // The worker is asked for after the page is there, so that the first visit is not slower for it.
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("service-worker.js").catch(() => {});
}
