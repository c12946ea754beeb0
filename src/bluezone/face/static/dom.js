// SPDX-License-Identifier: Apache-2.0
/** Elements from values; text is always text, never markup, so nothing that was scanned or fetched can become a tag. */

/**
 * Make an element.
 *
 * attributes: by name; `onclick` and the like are listeners, false and null leave an attribute out, true sets it empty.
 * children: nodes, texts, lists of them; null and false are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A text in which **words between stars** are strong, as nodes. */
export function rich(text) {
  return text.split("**").map((part, place) => (place % 2 ? h("strong", {}, part) : part));
}

/** A paragraph. */
export function p(text, className = null) {
  return h("p", { class: className }, typeof text === "string" ? rich(text) : text);
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with its children. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children.flat(Infinity).filter(Boolean));
  return element;
}
