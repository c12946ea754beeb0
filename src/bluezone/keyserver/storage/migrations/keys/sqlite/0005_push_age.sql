-- SPDX-License-Identifier: Apache-2.0
-- Which subscriptions make room for others and which are deleted unasked: the period of 28 days in which the browser
-- subscribed last, and whether its push service has ever taken a message. A period is all that is kept of the time.
ALTER TABLE push_subscription ADD COLUMN period INTEGER NOT NULL DEFAULT 0;
ALTER TABLE push_subscription ADD COLUMN proven INTEGER NOT NULL DEFAULT 0 CHECK (proven IN (0, 1));
UPDATE push_subscription SET period = CAST(strftime('%s', 'now') AS INTEGER) / 2419200;
