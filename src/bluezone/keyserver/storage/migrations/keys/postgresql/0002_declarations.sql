-- SPDX-License-Identifier: Apache-2.0
-- Declarations as they came, sealed for the health authority (docs/protocol.md 8). handle: first half of the message's
-- SHA-256, so that one sent again is kept once. received_hour: Unix seconds // 3600; gone after 30 days.
CREATE TABLE declaration (
    handle BYTEA PRIMARY KEY CHECK (length(handle) = 16),
    message BYTEA NOT NULL CHECK (length(message) = 1024),
    received_hour INTEGER NOT NULL
);
CREATE INDEX declaration_by_hour ON declaration (received_hour);
