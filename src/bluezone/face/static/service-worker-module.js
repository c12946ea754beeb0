// SPDX-License-Identifier: Apache-2.0
import "./service-worker.js";
