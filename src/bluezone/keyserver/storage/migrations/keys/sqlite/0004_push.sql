-- SPDX-License-Identifier: Apache-2.0
-- Browsers that want to be told of new files: the address their maker gave them and the keys to seal for them
-- (RFC 8291). No time, no order of coming, nothing else: it can be joined with nothing (docs/attacks.md row 41).
CREATE TABLE push_subscription (
    endpoint TEXT PRIMARY KEY CHECK (length(endpoint) <= 600),
    p256dh BLOB NOT NULL CHECK (length(p256dh) = 65),
    auth BLOB NOT NULL CHECK (length(auth) = 16)
) WITHOUT ROWID;
