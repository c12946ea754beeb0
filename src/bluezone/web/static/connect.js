// SPDX-License-Identifier: Apache-2.0
// Shows the code that stands behind # in the address of the page; without scripts the printed code is typed instead.
const code = decodeURIComponent(location.hash.slice(1));
if (/^\d{3}-\d{3}-\d{3}-\d{3}$/.test(code)) {
  document.querySelector("[data-from-address]").textContent = code;
  for (const link of document.querySelectorAll("[data-takes-code]")) link.hash = code;
}
