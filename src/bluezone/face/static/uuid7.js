// SPDX-License-Identifier: Apache-2.0
/** UUID version 7 (RFC 9562): ids that sort by time. */

/** A new id. unixSeconds: the time written into it. */
export function uuid7(unixSeconds = Date.now() / 1000) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let rest = Math.floor(unixSeconds * 1000);
  for (let place = 5; place >= 0; place -= 1) {
    bytes[place] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
