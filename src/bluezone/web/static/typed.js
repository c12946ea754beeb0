// SPDX-License-Identifier: Apache-2.0
// What is typed into a form is kept in this browser until it is stored: a sign-in that ends, a closed tab and a fallen
// network lose nothing. It is kept by account, page and form, for a week, and never from a form with a password or code.

const PREFIX = "typed|";
const LIFE_MILLISECONDS = 7 * 24 * 3600 * 1000;
const account = document.body.dataset.account;
const secret = "[type=password], [autocomplete=one-time-code], [data-secret]";
const typing = "textarea, select, input:not([type=hidden]):not([type=file]):not([type=submit]):not([type=button])";

const read = (key) => {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
};

const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${account}|`));

// The server says which form it has stored; whatever else happened, the text stays.
function forgetStored() {
  const said = document.cookie.split("; ").find((one) => one.startsWith("bluezone-stored="));
  if (!said) return;
  const path = decodeURIComponent(said.slice("bluezone-stored=".length).replaceAll('"', ""));
  for (const key of keys()) if (key.split("|")[3] === path) localStorage.removeItem(key);
  document.cookie = "bluezone-stored=; path=/; max-age=0";
}

function forgetOld() {
  for (const key of keys()) if (Date.now() - (read(key)?.at ?? 0) > LIFE_MILLISECONDS) localStorage.removeItem(key);
}

const valuesOf = (form) => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken");

// The hidden word of what a page showed changes with every page and is no difference that somebody typed.
const told = (values) => JSON.stringify(values.filter(([name]) => !/(^|-)(shown|seen)$/.test(name)).map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]));

function put(form, values) {
  const left = new Map();
  for (const [name, value] of values) left.set(name, [...(left.get(name) ?? []), value]);
  for (const field of form.elements) {
    if (!field.name || field.name === "csrfmiddlewaretoken" || field.type === "file" || field.type === "submit") continue;
    const mine = left.get(field.name) ?? [];
    if (field.type === "checkbox" || field.type === "radio") field.checked = mine.includes(field.value);
    else if (field.multiple) for (const option of field.options) option.selected = mine.includes(option.value);
    else if (mine.length) field.value = mine.shift();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// Where the page has fewer fields than were typed into, the server draws the page again as typed.
function drawAgain(form, values) {
  for (const [name, value] of [...values, ["do", form.dataset.again]]) {
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) field.disabled = true;
    const hidden = document.createElement("input");
    [hidden.type, hidden.name, hidden.value] = ["hidden", name, value];
    form.append(hidden);
  }
  form.submit();
}

function offer(form, key, kept) {
  const note = document.getElementById("typed-note").content.firstElementChild.cloneNode(true);
  const language = document.documentElement.lang === "vi" ? "vi-VN" : "en-GB";
  note.querySelector("time").textContent = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "short" }).format(kept.at);
  note.querySelector("[data-restore]").addEventListener("click", () => {
    const names = new Set([...form.elements].map((field) => field.name));
    if (form.dataset.again && kept.values.some(([name]) => !names.has(name))) drawAgain(form, kept.values);
    else put(form, kept.values);
    note.remove();
  });
  note.querySelector("[data-discard]").addEventListener("click", () => {
    localStorage.removeItem(key);
    note.remove();
  });
  form.before(note);
}

function keep(form) {
  const action = new URL(form.getAttribute("action") || location.href, location.href).pathname;
  const key = `${PREFIX}${account}|${location.pathname}|${action}`;
  const shown = told(valuesOf(form));
  const kept = read(key);
  if (kept && told(kept.values) !== shown) offer(form, key, kept);
  const save = () => {
    const values = valuesOf(form);
    try {
      if (told(values) === shown) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify({ at: Date.now(), values }));
    } catch {
      // The browser keeps nothing (private mode, full): the form works as it always did.
    }
  };
  form.addEventListener("input", save);
  form.addEventListener("change", save);
}

if (account) {
  forgetStored();
  forgetOld();
  for (const form of document.querySelectorAll("form[method=post]:not([data-forget])")) {
    if (!form.querySelector(secret) && form.querySelector(typing)) keep(form);
  }
  // Whoever leaves on purpose leaves nothing behind.
  document.querySelector("form.leave")?.addEventListener("submit", () => keys().forEach((key) => localStorage.removeItem(key)));
}
