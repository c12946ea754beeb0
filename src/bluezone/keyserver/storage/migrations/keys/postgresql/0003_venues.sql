-- SPDX-License-Identifier: Apache-2.0
-- Sealed venue items, only until the next package takes them (within the hour); ordered by their random-looking tag,
-- without a time: nothing tells which came together. Those that waited before this version go into the next package.
CREATE TABLE waiting_item (
    tag BYTEA NOT NULL CHECK (length(tag) = 16),
    nonce BYTEA NOT NULL CHECK (length(nonce) = 12),
    sealed BYTEA NOT NULL CHECK (length(sealed) = 24),
    PRIMARY KEY (tag, nonce)
);
INSERT INTO waiting_item SELECT tag, nonce, sealed FROM venue_item;
DROP TABLE venue_item;
-- One row per venue package. content: what will be in the file, padding included, until it is written (sha256 set).
-- chain_before: chain value before this file (docs/protocol.md 5, History).
CREATE TABLE venue_package (
    number INTEGER PRIMARY KEY CHECK (number > 0),
    end_timestamp BIGINT NOT NULL,
    content BYTEA,
    chain_before BYTEA NOT NULL CHECK (length(chain_before) = 32),
    name TEXT,
    sha256 BYTEA CHECK (length(sha256) = 32),
    size INTEGER,
    CHECK ((sha256 IS NULL) = (content IS NOT NULL))
);
-- All that the registrar keeps of a signed code: SHA256(V), whose registration it is, and when it ends (Unix seconds,
-- 0 open), so that it can be forgotten. One code in force per registration.
CREATE TABLE venue_code (
    sha256 BYTEA PRIMARY KEY CHECK (length(sha256) = 32),
    registration TEXT NOT NULL CHECK (length(registration) BETWEEN 1 AND 100),
    valid_to BIGINT NOT NULL,
    revoked SMALLINT NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1))
);
CREATE UNIQUE INDEX venue_code_in_force ON venue_code (registration) WHERE revoked = 0;
