// SPDX-License-Identifier: Apache-2.0
/** A look for new files without a page, by the service worker; only after the owner has agreed once. */
import { openParts } from "./parts.js";

/** Fetch and match. Returns how many warnings and news are unread that were not before; never rejects. */
export async function backgroundCheck() {
  let parts;
  try {
    parts = await openParts();
    if ((await parts.store.get("started")) === undefined) return 0;
    const before = await unread(parts);
    await parts.checking.check();
    return Math.max(0, (await unread(parts)) - before);
  } catch {
    return 0;
  } finally {
    if (parts) parts.store.close();
  }
}

async function unread(parts) {
  const warnings = await parts.checking.warnings(await parts.visits.all());
  return [...warnings, ...(await parts.inbox.list("vi"))].filter((item) => !item.read).length;
}
