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
import { dayAfter, localDay } from "./days.js";

const POLL_SECONDS = 4 * 3600;
const RETRY_SECONDS = 15 * 60;
const JITTER = 0.1;
const KEPT_DAYS = 14;
const JOURNAL_DAYS = 30;
const MAX_NEWS_BYTES = 512 * 1024;

export class Checking {
  /** parts: {store, clock, city, files, visits, client, environment}. */
  constructor(parts) {
    Object.assign(this, parts);
    this.looking = null;
  }

  /** {at, problem, nextAt}: when the last look that ended well began, code of the last refusal or null, when the next is due. */
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
    const began = this.environment.wallSeconds();
    try {
      await this.takeIn(started.at);
    } catch (refusal) {
      await this.note({ problem: refusal.code || "failed" }, RETRY_SECONDS);
      throw refusal;
    }
    const config = await this.city.held();
    const log = await this.city.logOf(config);
    if (log !== null) await log.look(config, await this.head(), this.clock.now());
    await this.news();
    await this.noteDay(config);
    // What happened while it fetched may not be in what it compared. The look itself may have corrected the clock.
    const lasted = Math.max(0, this.environment.wallSeconds() - began);
    await this.note({ at: this.clock.now() - lasted, problem: null }, config ? config.pollSeconds : POLL_SECONDS);
  }

  /** Keep that today was checked, and of what the owner is warned: its end is told after the warning is gone. */
  async noteDay(config) {
    const today = localDay(this.clock.now(), config.zone);
    const days = new Set([...((await this.store.get("checked_days")) || []), today]);
    const [latest] = await this.warnings(await this.visits.all());
    const last = (await this.store.get("last_warning")) || null;
    // One that went before its time (another rule, a stay that its owner removed) has no end to tell of.
    const over = last !== null && last.watchUntil < today ? last : undefined;
    await this.store.exclusively(async () => {
      const journal = ((await this.store.get("journal")) || []).filter((entry) => entry.day >= dayAfter(today, -JOURNAL_DAYS));
      await this.store.write({ journal: journal.length ? journal : undefined });
    });
    await this.store.write({
      checked_days: [...days].filter((day) => day >= dayAfter(today, -KEPT_DAYS)).sort(),
      last_warning: latest ? { day: latest.day, watchUntil: latest.watchUntil } : over,
    });
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
    const generatedAt = Math.max(config.generatedAt, index.generatedAt);
    if (this.clock.signedFileSeen(generatedAt, this.client.answeredAt())) {
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

  /** The newest package taken in of this epoch, or null. */
  async head() {
    const { branches } = await this.city.epoch();
    const held = await this.files.held();
    return held === null || held.number < (branches.venues ? branches.venues.first : 1) ? null : held;
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
        label: labels.join(", ") || null, watchUntil: dayAfter(day, config.care.watchDays), read: read.has(id), neighbours: [],
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

/** The lines of the owner's journal that say what was done: without notes and symptoms. */
export function actsOf(journal = []) {
  return journal.filter(({ kind }) => kind !== "note" && kind !== "symptoms");
}

/** What keeps warnings from coming now: "B2" no new files, "B3" a wrong clock. */
export function stopsOf(stale, clockOffBySeconds) {
  return [stale && "B2", Math.abs(clockOffBySeconds) > JUMP_SECONDS && "B3"].filter(Boolean);
}

/** The one letter of what was found: a risk first, then what keeps warnings from coming. */
export function stateOf(warnings, stops) {
  if (warnings.some((warning) => warning.level === "high")) return "D";
  return warnings.length ? "C" : stops[0] || "A";
}
