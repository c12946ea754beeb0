// SPDX-License-Identifier: Apache-2.0
/*
 * An installed app opens without coverage: every file is kept with its hash, and nothing else is. What is sent and
 * fetched under /v1 passes this worker by, so an update can neither keep nor cut off what somebody entered.
 */
"use strict";

// Written in by offline_app.py: SHA-256 of each file by path, "" is the page; and the app's name.
const FILES = /*FILES*/{};
const CACHE = "bluezone-/*NAME*/-files";

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(dropOthers().then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const path = pathOf(event.request);
  if (path !== null) event.respondWith(answer(path, event.request));
});

const addressOf = (path) => `${new URL(path, self.registration.scope).href}?sha256=${FILES[path]}`;

/** A file with another hash fails the installation, and the edition before stays. */
async function keep() {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.keys(FILES).map(async (path) => {
    if (await cache.match(addressOf(path))) return;
    const response = await fetch(new URL(path, self.registration.scope), { cache: "no-cache", credentials: "omit" });
    if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.clone().arrayBuffer()));
    const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (sha256 !== FILES[path]) throw new Error(`${path} is not the file that the list names`);
    await cache.put(addressOf(path), response);
  }));
}

async function dropOthers() {
  const cache = await caches.open(CACHE);
  const wanted = new Set(Object.keys(FILES).map(addressOf));
  const kept = await cache.keys();
  await Promise.all(kept.filter(({ url }) => !wanted.has(url)).map((request) => cache.delete(request)));
}

function pathOf(request) {
  const { scope } = self.registration;
  if (request.method !== "GET" || !request.url.startsWith(scope)) return null;
  const path = new URL(request.url).pathname.slice(new URL(scope).pathname.length);
  return Object.prototype.hasOwnProperty.call(FILES, path) ? path : null;
}

async function answer(path, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(addressOf(path))) || fetch(request);
}
