// SPDX-License-Identifier: Apache-2.0
/** Where the page begins: nothing runs in a browser that is too old (oldbrowser.js says so there). */
import { App } from "./app.js";

if (!window.bluezoneTooOld) new App(document).begin();
