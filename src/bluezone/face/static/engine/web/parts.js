// SPDX-License-Identifier: Apache-2.0
/** The engine's parts, put together: the page has all of them, the service worker those that look for files. */
import { Chaff } from "./chaff.js";
import { Checking } from "./checking.js";
import { CityConfig } from "./cityconfig.js";
import { Client } from "./client.js";
import { TrustedClock } from "./clock.js";
import { browserEnvironment } from "./environment.js";
import { Inbox } from "./inbox.js";
import { Plays } from "./plays.js";
import { Push } from "./push.js";
import { Reporting } from "./reporting.js";
import { SentLog } from "./sentlog.js";
import { Store } from "./store.js";
import { VenueFiles } from "./venuefiles.js";
import { Visits } from "./visits.js";

// A service worker has the log from the start: it may fetch no module later.
/** Open the store and build what stands on it. environment: replaces parts of the browser's in tests. */
export async function openParts({ environment = {}, database, loadLog = () => import("./publiclog.js") } = {}) {
  const parts = { environment: { ...browserEnvironment(), ...environment } };
  parts.store = await Store.open(database, { reopens: true });
  parts.client = new Client(parts.environment);
  parts.clock = new TrustedClock(parts.environment, (await parts.store.get("time")) || null);
  parts.city = new CityConfig(parts.store, parts.client, parts.clock, loadLog);
  parts.files = new VenueFiles(parts.store, parts.client, parts.city);
  parts.visits = new Visits(parts.store, parts.clock, parts.city);
  parts.sent = new SentLog(parts.store, parts.clock);
  parts.plays = new Plays(parts.client, parts.environment.randomBytes, parts.environment.solve);
  parts.checking = new Checking(parts);
  parts.reporting = new Reporting(parts);
  parts.chaff = new Chaff(parts);
  parts.push = new Push(parts);
  parts.inbox = new Inbox(parts.store);
  return parts;
}
