// SPDX-License-Identifier: Apache-2.0
"use strict";
// Written in by face/files.py: SHA-256 of each file kept for offline use, "" is the page.
const FILES = /*FILES*/{};
