-- SPDX-License-Identifier: Apache-2.0
-- Which settings were applied, in their order: SHA-256 of what of them phones are told or files are made by.
CREATE TABLE applied_settings (version INTEGER PRIMARY KEY, digest BLOB NOT NULL CHECK (length(digest) = 32));
