-- SPDX-License-Identifier: Apache-2.0
-- Using a code checks its columns and moves it in the index of ends. The rows of rehearsals have the same columns,
-- checks and index, or using one of them would take less time.
DROP TABLE rehearsal;
CREATE TABLE rehearsal (
    handle BYTEA PRIMARY KEY CHECK (length(handle) = 16),
    digits_hash BYTEA UNIQUE CHECK (length(digits_hash) = 32),
    link_hash BYTEA UNIQUE CHECK (length(link_hash) = 32),
    class SMALLINT CHECK (class IN (0, 1)),
    onset_day INTEGER,
    digits_expire BIGINT NOT NULL,
    link_expire BIGINT NOT NULL,
    state SMALLINT NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    used_digest BYTEA CHECK (length(used_digest) = 32),
    revoked_digits_hash BYTEA,
    revoked_link_hash BYTEA,
    told SMALLINT NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
);
CREATE INDEX rehearsal_expiry ON rehearsal (link_expire);
INSERT INTO rehearsal (handle, digits_hash, link_hash, class, onset_day, digits_expire, link_expire)
SELECT lpad(id::text, 16, '0')::bytea, lpad(id::text, 32, '0')::bytea, lpad(id::text, 32, '0')::bytea,
    0, 0, 4294967296, 4294967296 FROM generate_series(0, 63) AS id;
