-- SPDX-License-Identifier: Apache-2.0
-- Using a code checks its columns and moves it in the index of ends. The rows of rehearsals have the same columns,
-- checks and index, or using one of them would take less time.
DROP TABLE rehearsal;
CREATE TABLE rehearsal (
    handle BLOB PRIMARY KEY CHECK (length(handle) = 16),
    digits_hash BLOB UNIQUE CHECK (length(digits_hash) = 32),
    link_hash BLOB UNIQUE CHECK (length(link_hash) = 32),
    class INTEGER CHECK (class IN (0, 1)),
    onset_day INTEGER,
    digits_expire INTEGER NOT NULL,
    link_expire INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    used_digest BLOB CHECK (length(used_digest) = 32),
    revoked_digits_hash BLOB,
    revoked_link_hash BLOB,
    told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
) WITHOUT ROWID;
CREATE INDEX rehearsal_expiry ON rehearsal (link_expire);
WITH RECURSIVE each(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM each WHERE id < 63)
INSERT INTO rehearsal (handle, digits_hash, link_hash, class, onset_day, digits_expire, link_expire)
SELECT CAST(printf('%016d', id) AS BLOB), CAST(printf('%032d', id) AS BLOB), CAST(printf('%032d', id) AS BLOB),
    0, 0, 4294967296, 4294967296 FROM each;
