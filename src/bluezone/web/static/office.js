// SPDX-License-Identifier: Apache-2.0
// Small conveniences; every page works without them.

// On a telephone the pages lie behind a link that jumps to them; here it becomes a button that opens and closes them.
for (const button of document.querySelectorAll("a[data-menu]")) {
  const menu = document.getElementById("menu");
  const show = (open) => {
    menu.classList.toggle("open", open);
    button.setAttribute("aria-expanded", open);
  };
  button.setAttribute("role", "button");
  button.setAttribute("aria-controls", "menu");
  show(false);
  button.addEventListener("click", (event) => {
    event.preventDefault();
    show(!menu.classList.contains("open"));
  });
  button.addEventListener("keydown", (event) => {
    if (event.key === " ") {
      event.preventDefault();
      button.click();
    }
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.classList.contains("open")) return;
    show(false);
    button.focus();
  });
}

// A form that must not be sent twice: the second tap finds the button asleep.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", () => {
    // A moment later: a button that sleeps before the form is read out would not say which one was pressed.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
    });
  });
}
// Coming back by the back button wakes it again.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-once] button[disabled]")) button.disabled = false;
});

// What can be taken back for ten seconds is not offered longer.
const UNDO_MILLISECONDS = 10_000;
for (const form of document.querySelectorAll("form[data-undo]")) setTimeout(() => form.remove(), UNDO_MILLISECONDS);

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      button.querySelector("[data-label]").textContent = button.dataset.done;
    } catch {
      // No clipboard here (plain http): mark the text, so that the reader's own copy takes it.
      getSelection().selectAllChildren(source);
    }
  });
}

// A date field shows day and month in the order of the browser; the words below leave no doubt.
for (const output of document.querySelectorAll("output.words")) {
  const field = document.getElementById(output.htmlFor.value);
  const language = document.documentElement.lang === "vi" ? "vi-VN" : "en-GB";
  const words = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  const say = () => { output.textContent = field.value ? words.format(new Date(field.value)) : ""; };
  field.addEventListener("input", say);
  say();
}

// Something that the server works on: look again, as long as nobody has gone away from it.
for (const bar of document.querySelectorAll("progress[data-reload]")) {
  setInterval(() => { if (!document.hidden) location.reload(); }, 1000 * Number(bar.dataset.reload));
}
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
