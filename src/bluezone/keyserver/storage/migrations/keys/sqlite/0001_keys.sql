-- SPDX-License-Identifier: Apache-2.0
-- Keys that were uploaded and may still be, so that none comes twice: the first 8 bytes of each, as a number,
-- which is enough to know a random key again. Ordered by it: no row number tells which came together (docs/protocol.md 4).
CREATE TABLE known_key (prefix INTEGER PRIMARY KEY, start INTEGER NOT NULL CHECK (start % 144 = 0));
-- Keys that wait for a file. Ordered by day and key: a case has one key a day, so its keys do not stand together.
-- received_hour: Unix seconds // 3600, forgotten with the row when a file takes it.
CREATE TABLE waiting_key (
    start INTEGER NOT NULL,
    key BLOB NOT NULL,
    level INTEGER NOT NULL CHECK (level IN (1, 2)),
    class INTEGER NOT NULL CHECK (class IN (1, 2)),
    received_hour INTEGER NOT NULL,
    PRIMARY KEY (start, key)
) WITHOUT ROWID;
-- SHA-256 of every certificate that was spent, as long as its week key is accepted.
CREATE TABLE spent (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    accept_until INTEGER NOT NULL
) WITHOUT ROWID;
-- Sealed venue items, ordered by their random-looking tag. package_number: 0 until a package takes the item.
CREATE TABLE venue_item (
    tag BLOB NOT NULL CHECK (length(tag) = 16),
    nonce BLOB NOT NULL CHECK (length(nonce) = 12),
    sealed BLOB NOT NULL CHECK (length(sealed) = 24),
    received_day INTEGER NOT NULL,
    package_number INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tag, nonce)
) WITHOUT ROWID;
-- One row per export file. Until it is sealed (sha256 set), held keeps its real keys (22 bytes each: key, start,
-- level, class; sorted) and padding_seed what its padding is drawn from, so that it comes out the same however
-- often it is begun. chain_before: chain value before this file (docs/protocol.md 5, History).
CREATE TABLE export_file (
    number INTEGER PRIMARY KEY CHECK (number > 0),
    start_timestamp INTEGER NOT NULL,
    end_timestamp INTEGER NOT NULL,
    newest_day INTEGER NOT NULL,
    padding_mean INTEGER NOT NULL,
    padding_seed BLOB,
    held BLOB,
    chain_before BLOB NOT NULL CHECK (length(chain_before) = 32),
    name TEXT,
    sha256 BLOB CHECK (length(sha256) = 32),
    size INTEGER,
    CHECK ((sha256 IS NULL) = (padding_seed IS NOT NULL)),
    CHECK ((sha256 IS NULL) = (held IS NOT NULL))
);
-- Uploads per UTC day and class, for the office.
CREATE TABLE upload_count (
    day INTEGER NOT NULL,
    class INTEGER NOT NULL,
    uploads INTEGER NOT NULL,
    PRIMARY KEY (day, class)
) WITHOUT ROWID;
-- What was done last, so that a tick does not do it again.
CREATE TABLE duty (name TEXT PRIMARY KEY, done INTEGER NOT NULL) WITHOUT ROWID;
-- A row of it is rewritten by each call of a report, real or rehearsed (chaff). Means nothing.
CREATE TABLE noise (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
WITH RECURSIVE each(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM each WHERE id < 63)
INSERT INTO noise SELECT id, zeroblob(32) FROM each;
