// SPDX-License-Identifier: Apache-2.0
/** News of the city and notices of this browser, in one list; what was read is kept here and told to nobody. */

const MOST_READ = 500;
// Only addresses of this site are offered to be opened.
const OWN_PATH = /^\/[^/\\]/;

export class Inbox {
  constructor(store) {
    this.store = store;
  }

  /** {id, kind, title, body, at, read, url}[], latest first. A notice's title is its code, which the screens translate. */
  async list(language) {
    const read = new Set((await this.store.get("read")) || []);
    const news = ((await this.store.get("news")) || []).map((item) => newsItem(item, language, read));
    const notices = (await this.notices()).map((notice) => ({
      id: `notice/${notice}`, kind: "notice", title: notice, body: "", at: null, read: read.has(`notice/${notice}`), url: null,
    }));
    return [...notices, ...news.sort((one, other) => other.at - one.at)];
  }

  /** What this browser itself has to tell, as codes, the gravest first. */
  async notices() {
    const report = await this.store.get("report_outcome");
    const refused = report && report.state === "refused" ? ["report_refused"] : [];
    const kept = [await this.store.get("log_notice"), await this.store.get("notice")];
    return [...refused, ...kept.filter((notice) => notice !== undefined)];
  }

  /** Note that an item or a warning was read. */
  markRead(id) {
    return this.store.exclusively(async () => {
      const read = (await this.store.get("read")) || [];
      if (!read.includes(id)) await this.store.write({ read: [...read, String(id)].slice(-MOST_READ) });
    });
  }
}

function newsItem(item, language, read) {
  const id = `news/${item.id}`;
  const written = language === "vi" ? "vi" : "en";
  const at = typeof item.published_at === "number" ? item.published_at : Math.floor(Date.parse(item.published_at) / 1000) || null;
  const own = typeof item.url === "string" && (OWN_PATH.test(item.url) || item.url.startsWith(`${globalThis.location.origin}/`));
  return {
    id, kind: "news", title: item[`title_${written}`] || item.title_vi, body: item[`body_${written}`] || item.body_vi,
    at, read: read.has(id), url: own ? item.url : null,
  };
}
