// SPDX-License-Identifier: Apache-2.0
/** A look for new files without a page, by the service worker; only after the owner has agreed once. */
import { openParts } from "./parts.js";
import { PublicLog } from "./publiclog.js";

/** Fetch and match: {unread, fresh}, how many warnings and news are unread, and how many of them are new; null if it failed. */
export async function backgroundCheck() {
  let parts;
  try {
    parts = await openParts({ loadLog: async () => ({ PublicLog }) });
    if ((await parts.store.get("started")) === undefined) return null;
    const before = await unread(parts);
    await parts.checking.check();
    const after = await unread(parts);
    return { unread: after, fresh: Math.max(0, after - before) };
  } catch {
    return null;
  } finally {
    if (parts) parts.store.close();
  }
}

async function unread(parts) {
  const warnings = await parts.checking.warnings(await parts.visits.all());
  return [...warnings, ...(await parts.inbox.list("vi"))].filter((item) => !item.read).length;
}
