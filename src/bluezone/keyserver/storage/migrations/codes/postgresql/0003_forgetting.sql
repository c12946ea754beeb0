-- SPDX-License-Identifier: Apache-2.0
-- A used row keeps neither class nor onset, and no end from which its hour of issue could be reckoned.
-- class: null once the code is used, revoked or past. digits_expire, link_expire: whole days from then on.
-- told: 1 once a day has begun since the code was used, which is when the office is shown it.
ALTER TABLE credential ALTER COLUMN class DROP NOT NULL;
ALTER TABLE credential ADD COLUMN told SMALLINT NOT NULL DEFAULT 0 CHECK (told IN (0, 1));
UPDATE credential SET class = NULL, onset_day = NULL, told = 1,
    digits_expire = 86400 * (issue_day::bigint + 3), link_expire = 86400 * (issue_day::bigint + 3)
WHERE state <> 0;
