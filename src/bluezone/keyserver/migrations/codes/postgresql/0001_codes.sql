-- SPDX-License-Identifier: Apache-2.0
-- One row per case that may report. No identity, no time of use (protocol.md 4, Code).
-- handle: opaque, random; the office keeps it to show used yes or no.
-- digits_hash, link_hash: HMAC(pepper, kind || credential); null once the later of the two has expired.
-- used_digest: SHA-256(kid || blinded) of the one certificate this row gave.
-- revoked_digits_hash, revoked_link_hash: where the two hashes go when the row is revoked, so that a report looks
-- a revoked credential up in vain, in the same time as one that never was.
-- state: 0 open, 1 used, 2 revoked.
CREATE TABLE credential (
    handle BYTEA PRIMARY KEY CHECK (length(handle) = 16),
    digits_hash BYTEA UNIQUE CHECK (length(digits_hash) = 32),
    link_hash BYTEA UNIQUE CHECK (length(link_hash) = 32),
    class SMALLINT NOT NULL CHECK (class IN (1, 2)),
    onset_day INTEGER,
    issue_day INTEGER NOT NULL,
    digits_expire BIGINT NOT NULL,
    link_expire BIGINT NOT NULL,
    state SMALLINT NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    used_digest BYTEA CHECK (length(used_digest) = 32),
    revoked_digits_hash BYTEA,
    revoked_link_hash BYTEA
);
CREATE INDEX credential_expiry ON credential (link_expire);
-- Hours in which guessing was so frequent that everybody had to solve a puzzle.
CREATE TABLE guessing_alarm (hour INTEGER PRIMARY KEY);
-- Rewritten by rehearsals (chaff), so that they cost what a real write costs. Means nothing.
CREATE TABLE noise (id INTEGER PRIMARY KEY, value BYTEA NOT NULL);
INSERT INTO noise SELECT id, ''::bytea FROM generate_series(0, 63) AS id;
