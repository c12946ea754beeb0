// SPDX-License-Identifier: Apache-2.0
/** Inputs for one thumb: large choices, steppers, a text field; each {row, value()}. */
import { h } from "./face/dom.js";

/** One of several. options: [value, label][]; a second tap on the chosen one takes it back where `optional`. */
export function choose(name, legend, options, { chosen = "", optional = false, onchange = () => {}, columns = 2 } = {}) {
  const inputs = options.map(([value, label]) => {
    const id = `${name}-${value || "none"}`;
    const input = h("input", { type: "radio", class: "sr", name, id, value, checked: value === chosen, onchange: () => onchange(value) });
    return [input, h("label", { class: "pick", for: id }, label)];
  });
  const row = h("fieldset", { class: `picks columns-${columns}`, id: name }, h("legend", {}, legend), inputs);
  const value = () => { const on = row.querySelector("input:checked"); return on ? on.value : optional ? "" : null; };
  return { row, value };
}

/** A small number with minus and plus. value null: not known yet. */
export function stepper(id, label, { value = 0, least = 0, most = 60, words, unknown = false, onchange = () => {} } = {}) {
  let number = value;
  const shown = h("output", { id, class: "num", for: "" }, text());
  const less = h("button", { type: "button", class: "button quiet step", "aria-label": words.less, onclick: () => set(unknown && (number === null || number === least) ? null : Math.max(least, (number || 0) - 1)) }, "−");
  const more = h("button", { type: "button", class: "button quiet step", "aria-label": words.more, onclick: () => set(number === null ? least : Math.min(most, number + 1)) }, "+");
  function text() { return number === null ? "?" : String(number); }
  function set(next) {
    number = next;
    shown.textContent = text();
    onchange(number);
  }
  const row = h("div", { class: "stepper", role: "group", "aria-label": label }, h("span", {}, label), less, shown, more);
  return { row, value: () => number, set };
}

/** A line of text. */
export function line(id, label, value = "", { hint = null, ...attributes } = {}) {
  const input = h("input", { id, name: id, value, autocomplete: "off", "aria-describedby": hint ? `${id}-hint` : null, ...attributes });
  const row = h("div", { class: "field" }, h("label", { for: id }, label), hint && h("small", { id: `${id}-hint` }, hint), input);
  return { row, input, value: () => input.value.normalize("NFC").replace(/\s+/g, " ").trim() };
}

/** A yes or no. */
export function tick(id, label, { checked = false, onchange = () => {} } = {}) {
  const input = h("input", { type: "checkbox", id, checked, onchange: () => onchange(input.checked) });
  return { row: h("label", { class: "choice", for: id }, input, h("span", {}, label)), value: () => input.checked };
}
