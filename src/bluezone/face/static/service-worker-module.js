// SPDX-License-Identifier: Apache-2.0
/** The service worker with the engine beside it: it can look for new files while no page is open. */
import "./service-worker.js";
import { backgroundCheck } from "./engine/web/background.js";

self.bluezoneCheck = backgroundCheck;
