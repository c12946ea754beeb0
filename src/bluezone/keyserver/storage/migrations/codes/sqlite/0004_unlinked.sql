-- SPDX-License-Identifier: Apache-2.0
-- Nothing joins a row to the office's list of codes any more: not its day of issue, nor a handle that both have.
-- handle: drawn anew here. The health worker's browser alone is given those of new codes (healthauthority/code_tickets.py).
-- digits_expire, link_expire: of a used or revoked row the end of the week in which its link would have ended.
-- A row that is past goes at once: that a code was never used is stored nowhere.
DROP INDEX credential_expiry;
ALTER TABLE credential RENAME TO credential_before;
CREATE TABLE credential (
    handle BLOB PRIMARY KEY CHECK (length(handle) = 16),
    digits_hash BLOB UNIQUE CHECK (length(digits_hash) = 32),
    link_hash BLOB UNIQUE CHECK (length(link_hash) = 32),
    class INTEGER CHECK (class IN (1, 2)),
    onset_day INTEGER,
    digits_expire INTEGER NOT NULL,
    link_expire INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    used_digest BLOB CHECK (length(used_digest) = 32),
    revoked_digits_hash BLOB,
    revoked_link_hash BLOB,
    told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
) WITHOUT ROWID;
INSERT INTO credential
SELECT randomblob(16), digits_hash, link_hash, class, onset_day,
    CASE state WHEN 0 THEN digits_expire ELSE (link_expire - 345600 + 604799) / 604800 * 604800 + 345600 END,
    CASE state WHEN 0 THEN link_expire ELSE (link_expire - 345600 + 604799) / 604800 * 604800 + 345600 END,
    state, used_digest, revoked_digits_hash, revoked_link_hash, told
FROM credential_before WHERE digits_hash IS NOT NULL OR revoked_digits_hash IS NOT NULL;
DROP TABLE credential_before;
CREATE INDEX credential_expiry ON credential (link_expire);
ALTER TABLE rehearsal DROP COLUMN issue_day;
