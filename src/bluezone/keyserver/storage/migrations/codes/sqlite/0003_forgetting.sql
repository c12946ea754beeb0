-- SPDX-License-Identifier: Apache-2.0
-- A used row keeps neither class nor onset, and no end from which its hour of issue could be reckoned.
-- class: null once the code is used, revoked or past. digits_expire, link_expire: whole days from then on.
-- told: 1 once a day has begun since the code was used, which is when the office is shown it.
ALTER TABLE credential RENAME TO credential_before;
CREATE TABLE credential (
    handle BLOB PRIMARY KEY CHECK (length(handle) = 16),
    digits_hash BLOB UNIQUE CHECK (length(digits_hash) = 32),
    link_hash BLOB UNIQUE CHECK (length(link_hash) = 32),
    class INTEGER CHECK (class IN (1, 2)),
    onset_day INTEGER,
    issue_day INTEGER NOT NULL,
    digits_expire INTEGER NOT NULL,
    link_expire INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
    used_digest BLOB CHECK (length(used_digest) = 32),
    revoked_digits_hash BLOB,
    revoked_link_hash BLOB,
    told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
) WITHOUT ROWID;
INSERT INTO credential
SELECT handle, digits_hash, link_hash, CASE state WHEN 0 THEN class END, CASE state WHEN 0 THEN onset_day END, issue_day,
    CASE state WHEN 0 THEN digits_expire ELSE 86400 * (issue_day + 3) END,
    CASE state WHEN 0 THEN link_expire ELSE 86400 * (issue_day + 3) END,
    state, used_digest, revoked_digits_hash, revoked_link_hash, CASE state WHEN 0 THEN 0 ELSE 1 END
FROM credential_before;
DROP TABLE credential_before;
CREATE INDEX credential_expiry ON credential (link_expire);
