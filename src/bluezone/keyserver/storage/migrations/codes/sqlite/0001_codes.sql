-- SPDX-License-Identifier: Apache-2.0
-- One row per case that may report. No identity, no time of use (docs/protocol.md 4, Code).
-- handle: opaque, random; the office keeps it to show used yes or no.
-- digits_hash, link_hash: HMAC(pepper, kind || credential); null once the later of the two has expired.
-- used_digest: SHA-256(kid || blinded) of the one certificate this row gave.
-- revoked_digits_hash, revoked_link_hash: where the two hashes go when the row is revoked, so that a report looks
-- a revoked credential up in vain, in the same time as one that never was.
-- state: 0 open, 1 used, 2 revoked.
CREATE TABLE credential (
    handle BLOB PRIMARY KEY CHECK (length(handle) = 16),
    digits_hash BLOB UNIQUE CHECK (length(digits_hash) = 32),
    link_hash BLOB UNIQUE CHECK (length(link_hash) = 32),
    class INTEGER NOT NULL CHECK (class IN (1, 2)),
    onset_day INTEGER,
    issue_day INTEGER NOT NULL,
    digits_expire INTEGER NOT NULL,
    link_expire INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    used_digest BLOB CHECK (length(used_digest) = 32),
    revoked_digits_hash BLOB,
    revoked_link_hash BLOB
) WITHOUT ROWID;
CREATE INDEX credential_expiry ON credential (link_expire);
-- Rows that rehearsals (chaff) find and use instead of the credential they carry, which is never looked up. They are
-- always open: what a rehearsal does to one is undone. class: 0, so that it is told from every real one.
CREATE TABLE rehearsal (
    handle BLOB PRIMARY KEY,
    digits_hash BLOB UNIQUE,
    link_hash BLOB UNIQUE,
    class INTEGER NOT NULL,
    onset_day INTEGER,
    issue_day INTEGER NOT NULL,
    digits_expire INTEGER NOT NULL,
    link_expire INTEGER NOT NULL,
    state INTEGER NOT NULL,
    used_digest BLOB
) WITHOUT ROWID;
WITH RECURSIVE each(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM each WHERE id < 63)
INSERT INTO rehearsal
SELECT CAST(printf('%016d', id) AS BLOB), CAST(printf('%032d', id) AS BLOB), CAST(printf('%032d', id) AS BLOB),
    0, 0, 0, 4294967296, 4294967296, 0, NULL FROM each;
-- Hours in which guessing was so frequent that everybody had to solve a puzzle.
CREATE TABLE guessing_alarm (hour INTEGER PRIMARY KEY);
-- A row of it is rewritten by each call of a report, real or rehearsed (chaff). Means nothing.
CREATE TABLE noise (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
WITH RECURSIVE each(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM each WHERE id < 63)
INSERT INTO noise SELECT id, zeroblob(32) FROM each;
