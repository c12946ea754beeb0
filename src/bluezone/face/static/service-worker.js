// SPDX-License-Identifier: Apache-2.0
/*
 * The web edition's service worker: the app works offline after its first load, and only from files with the hashes
 * that the transparency page lists. It never touches what is sent: uploads pass it by, so an update cannot cut one off.
 *
 * A classic script, because Chrome 90 has no module workers; service-worker-module.js has it in it where there are some.
 */
"use strict";

// Written in by face/files.py: SHA-256 of each file kept for offline use, "" is the page.
const FILES = /*FILES*/{};
const CACHE = "bluezone-files";
// Languages for visitors, and the long English texts, are kept once somebody has read them: nobody else pays for them.
const ON_DEMAND = /^words\/(?!vi|en\.js).*\.js$/;
const NOTE = "Bluezone có thông báo mới. Mở để xem.";
const CHECK_TAG = "bluezone-check";
// A push reaches many browsers at once; they do not all ask at once, and not in the instant of the push.
const LONGEST_DELAY_MS = 20_000;

self.addEventListener("install", (event) => event.waitUntil(keepFiles()));
self.addEventListener("activate", (event) => event.waitUntil(dropOthers().then(() => self.clients.claim())));
self.addEventListener("message", ({ data }) => {
  if (data === "take over") self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const path = keptPath(event.request);
  if (path !== null) event.respondWith(answer(path, event.request));
});
self.addEventListener("push", (event) => event.waitUntil(woken()));
self.addEventListener("periodicsync", (event) => {
  if (event.tag === CHECK_TAG) event.waitUntil(check().then((found) => (found && found.fresh > 0 ? notify() : undefined)));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show());
});

/** Where a file is kept: its address and its hash, so that an edition takes over what has not changed. */
function addressOf(path) {
  return `${new URL(path, self.registration.scope).href}?sha256=${FILES[path]}`;
}

/** Keep what is not kept yet; a file with another hash fails the installation, and the edition before stays. */
async function keepFiles() {
  const cache = await caches.open(CACHE);
  const kept = async (path) => (await cache.match(addressOf(path))) || keep(cache, path, await loaded(path));
  const wanted = (path) => !ON_DEMAND.test(path);
  const missing = (await not(Object.keys(FILES), kept)).filter(wanted);
  await Promise.all(missing.map(async (path) => {
    const response = await fetch(new URL(path, self.registration.scope), { cache: "no-cache", credentials: "omit" });
    if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
    if (!await keep(cache, path, response)) throw new Error(`${path} is not the file that the list names`);
  }));
}

/** Those of the paths for which `done` does not come true. */
async function not(paths, done) {
  const found = await Promise.all(paths.map(done));
  return paths.filter((_, place) => !found[place]);
}

/** Whether this is the file that the list names; it is then kept. */
async function keep(cache, path, response) {
  if (!response || !response.ok) return false;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.clone().arrayBuffer()));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (sha256 !== FILES[path]) return false;
  await cache.put(addressOf(path), response);
  return true;
}

/** What the page has just loaded, without asking the network again; its hash says whether it is of this edition. */
function loaded(path) {
  return fetch(new URL(path, self.registration.scope), { cache: "only-if-cached", mode: "same-origin" }).catch(() => null);
}

/** Remove what belongs to earlier editions, once no page of them is open. */
async function dropOthers() {
  const cache = await caches.open(CACHE);
  const wanted = new Set(Object.keys(FILES).map(addressOf));
  const kept = await cache.keys();
  await Promise.all(kept.filter(({ url }) => !wanted.has(url)).map((request) => cache.delete(request)));
}

/** The path of a request that is answered from what is kept, or null: everything else goes to the network untouched. */
function keptPath(request) {
  const { scope } = self.registration;
  if (request.method !== "GET" || !request.url.startsWith(scope)) return null;
  const path = new URL(request.url).pathname.slice(new URL(scope).pathname.length);
  return Object.prototype.hasOwnProperty.call(FILES, path) ? path : null;
}

async function answer(path, request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(addressOf(path));
  if (kept) return kept;
  const response = await fetch(request);
  if (ON_DEMAND.test(path)) await keep(cache, path, response.clone());
  return response;
}

/** Says that there is something, never what: others may see the screen. */
function notify(more = {}) {
  const options = { body: NOTE, tag: "bluezone", lang: "vi", icon: new URL("icon-192.png", self.registration.scope).href, ...more };
  return self.registration.showNotification("Bluezone", options);
}

/**
 * A browser wants something shown for every push, and pushes come after every publication: this one is silent, rings
 * when there is something new, and goes away when nothing is unread. A worker without the engine leaves it.
 */
async function woken() {
  await notify({ silent: true });
  const found = await checkAfterAWhile();
  if (found && found.fresh > 0) await notify({ renotify: true });
  if (found && found.unread === 0) (await self.registration.getNotifications({ tag: "bluezone" })).forEach((one) => one.close());
}

function checkAfterAWhile() {
  const [drawn] = crypto.getRandomValues(new Uint32Array(1));
  return new Promise((resolve) => setTimeout(resolve, (drawn / 2 ** 32) * LONGEST_DELAY_MS)).then(check);
}

/** Look for new files, where this worker has the engine; else, and when the look fails, null: the page looks when opened. */
async function check() {
  return self.bluezoneCheck ? self.bluezoneCheck() : null;
}

async function show() {
  const open = await self.clients.matchAll({ type: "window" });
  const shown = open.find((client) => client.url.startsWith(self.registration.scope));
  return shown ? shown.focus() : self.clients.openWindow(self.registration.scope);
}
