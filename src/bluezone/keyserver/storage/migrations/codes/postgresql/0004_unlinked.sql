-- SPDX-License-Identifier: Apache-2.0
-- Nothing joins a row to the office's list of codes any more: not its day of issue, nor a handle that both have.
-- handle: drawn anew here. The health worker's browser alone is given those of new codes (healthauthority/code_tickets.py).
-- digits_expire, link_expire: of a used or revoked row the end of the week in which its link would have ended.
-- A row that is past goes at once: that a code was never used is stored nowhere.
DELETE FROM credential WHERE digits_hash IS NULL AND revoked_digits_hash IS NULL;
UPDATE credential SET handle = uuid_send(gen_random_uuid()),
    digits_expire = CASE state WHEN 0 THEN digits_expire ELSE (link_expire - 345600 + 604799) / 604800 * 604800 + 345600 END,
    link_expire = CASE state WHEN 0 THEN link_expire ELSE (link_expire - 345600 + 604799) / 604800 * 604800 + 345600 END;
ALTER TABLE credential DROP COLUMN issue_day;
ALTER TABLE rehearsal DROP COLUMN issue_day;
