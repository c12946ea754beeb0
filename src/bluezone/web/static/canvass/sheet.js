// SPDX-License-Identifier: Apache-2.0
// Typing a sheet in with the number keys alone: one digit of an outcome goes on by itself, Enter goes to the next box.
for (const form of document.querySelectorAll("form[data-sheet]")) {
  const boxes = [...form.querySelectorAll("td input")];
  const next = (box) => {
    const place = boxes.indexOf(box) + 1;
    const target = place < boxes.length ? boxes[place] : form.querySelector("button[type=submit]");
    target.focus();
    if (target.select && target.type !== "checkbox") target.select();
  };
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !boxes.includes(event.target)) return;
    event.preventDefault();
    next(event.target);
  });
  form.addEventListener("input", (event) => {
    if (event.target.name.startsWith("outcome-") && /^[1-9]$/.test(event.target.value)) next(event.target);
  });
  const first = boxes.find((box) => box.name.startsWith("outcome-") && !box.value);
  if (first) first.focus();
}
