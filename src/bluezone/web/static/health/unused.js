// SPDX-License-Identifier: Apache-2.0
// Which codes of earlier days nobody had used by this morning, for a second call. The server says of each whether it was
// used, never when; whose it is stands in this browser alone.
import { forget, label, records, stateOf } from "./kept.js";

/** Fill the section of `page` in, if this browser was given codes before today that are still open. */
export async function showUnused(page) {
  const at = (name) => page.querySelector(`[data-at="${name}"]`);
  const days = new Intl.DateTimeFormat(page.dataset.language === "vi" ? "vi-VN" : "en-GB", { day: "numeric", month: "numeric", timeZone: "UTC" });
  at("forget").addEventListener("click", () => {
    forget();
    at("unused").hidden = true;
  });
  for (const record of records()) {
    if (record.day >= page.dataset.last || (await stateOf(record.pk)) !== "open") continue;
    const row = at("unused-row").content.cloneNode(true).firstElementChild;
    const field = row.querySelector("input"), call = row.querySelector("a");
    const tell = () => {
      call.hidden = !/^\+?[0-9]{8,15}$/.test(field.value);
      call.href = `tel:${field.value}`;
    };
    field.value = record.label;
    field.addEventListener("change", () => {
      label(record.tag, field.value.trim());
      tell();
    });
    row.querySelector("[data-day]").textContent = days.format(new Date(record.day));
    tell();
    at("unused-rows").append(row);
    at("unused").hidden = false;
  }
  at("unused").removeAttribute("aria-busy");
}
