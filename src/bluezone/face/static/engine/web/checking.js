// SPDX-License-Identifier: Apache-2.0
/**
 * One look at the server: signed files in, stays matched, warnings out. Page and service worker share it.
 *
 * What is fetched, and when the next look is due, does not depend on what is found.
 */
import { exclusively } from "../../locks.js";
import { Refusal } from "../refusal.js";
import { JUMP_SECONDS } from "./clock.js";
import { bandOf, certaintyOf, itemsOf, matchItems, riskyDays } from "./venuematch.js";
import { dayAfter } from "./days.js";

export const WATCH_DAYS = 14;
const POLL_SECONDS = 4 * 3600;
const RETRY_SECONDS = 15 * 60;
const JITTER = 0.1;
const MAX_NEWS_BYTES = 512 * 1024;

export class Checking {
  /** parts: {store, clock, city, files, visits, client, environment}. */
  constructor(parts) {
    Object.assign(this, parts);
    this.looking = null;
  }

  /** {at, problem, nextAt}: last look that ended well, code of the last refusal or null, when the next is due. */
  async last() {
    return (await this.store.get("checked")) || { at: null, problem: null, nextAt: null };
  }

  /** Fetch, verify, match; one look at a time. A refusal keeps the old state, is noted, and rejects. */
  check() {
    if (this.looking === null) {
      const alone = exclusively(`${this.store.name}-check`, () => this.look());
      this.looking = alone.finally(() => { this.looking = null; });
    }
    return this.looking;
  }

  async look() {
    const started = await this.store.get("started");
    if (started === undefined) throw new Refusal("not_started", {}, "the owner has not agreed yet; nothing was fetched");
    try {
      await this.takeIn(started.at);
    } catch (refusal) {
      await this.note({ problem: refusal.code || "failed" }, RETRY_SECONDS);
      throw refusal;
    }
    await this.news();
    const config = await this.city.held();
    await this.note({ at: this.clock.now(), problem: null }, config ? config.pollSeconds : POLL_SECONDS);
  }

  /** A look that was refused is due at once, as when the network comes back. */
  async dueIfFailed() {
    const last = await this.last();
    if (last.problem !== null) await this.store.write({ checked: { ...last, nextAt: this.clock.now() } });
  }

  async note(changed, seconds) {
    const wait = seconds * this.environment.uniform(1 - JITTER, 1 + JITTER);
    await this.store.write({ checked: { ...(await this.last()), ...changed, nextAt: this.clock.now() + wait } });
  }

  async takeIn(installedAt) {
    const { index, config, earlier, entries, held, notice } = await this.files.follow(installedAt);
    if (this.clock.signedFileSeen(Math.max(config.generatedAt, index.generatedAt))) {
      await this.store.write({ time: this.clock.toJson() });
    }
    if (notice) await this.store.write({ notice });
    for (const entry of earlier) await this.matched(itemsOf(await this.files.fetch(entry)), held);
    let state = { ...held, rescan: false };
    for (const entry of entries) {
      const items = itemsOf(await this.files.fetch(entry));
      state = await this.files.after(state, entry);
      await this.matched(items, state);
    }
    await this.store.write({ venues: this.files.done(state, index) });
  }

  /** Keep what a package says of one's stays together with the note that it was taken in. */
  matched(items, state) {
    return this.store.exclusively(async () => {
      const visits = await this.visits.settled();
      const changes = { venues: state };
      const byId = new Map(visits.map((visit) => [visit.id, visit]));
      for (const { visit: id, item, ...hit } of await matchItems(items, visits.filter((one) => !one.reported))) {
        const visit = changes[`visit/${id}`] || byId.get(id);
        changes[`visit/${id}`] = { ...visit, hits: { ...visit.hits, [item]: hit } };
      }
      await this.store.write(changes);
    });
  }

  /** The warnings there are now, latest day first; see interface.js. */
  async warnings(visits) {
    const config = await this.city.held();
    if (config === null) return [];
    const counted = new Map(visits.filter((visit) => !visit.reported).map((visit) => [visit.id, visit]));
    const hits = [...counted.values()].flatMap((visit) => Object.values(visit.hits).map((hit) => ({ ...hit, visit: visit.id })));
    const read = new Set((await this.store.get("read")) || []);
    return riskyDays(hits, counted, config, this.clock.now()).map(({ day, minutes, level, visits: ids }) => {
      const labels = [...new Set([...ids].map((id) => counted.get(id).label).filter((label) => label !== null))];
      const id = `venue/${day}/${level}`;
      return {
        id, kind: "venue", day, minutesBand: bandOf(minutes), nearMinutes: null, level, certainty: certaintyOf(minutes),
        label: labels.join(", ") || null, watchUntil: dayAfter(day, WATCH_DAYS), read: read.has(id),
      };
    });
  }

  /** News of the city, the same for everybody; without them the look still counts. */
  async news() {
    try {
      const feed = JSON.parse(new TextDecoder().decode(await this.client.get("/news/feed.json", MAX_NEWS_BYTES)));
      if (Array.isArray(feed.items)) await this.store.write({ news: feed.items.filter(isNews).slice(0, 50) });
    } catch (error) {
      if (error instanceof Refusal && error.code === "storage_full") throw error;
    }
  }
}

function isNews(item) {
  const texts = ["title_vi", "title_en", "body_vi", "body_en"];
  return item !== null && typeof item === "object" && texts.every((name) => typeof item[name] === "string");
}

/** The one letter of home: a risk first, then what keeps warnings from coming. */
export function stateOf(warnings, stale, clockOffBySeconds) {
  if (warnings.some((warning) => warning.level === "high")) return "D";
  if (warnings.length) return "C";
  if (stale) return "B2";
  return Math.abs(clockOffBySeconds) > JUMP_SECONDS ? "B3" : "A";
}
