-- SPDX-License-Identifier: Apache-2.0
-- The public log (docs/protocol.md section 9): its leaves, the hashes of its whole subtrees, what is still to become a
-- leaf, and up to which number each series has one.
CREATE TABLE log_leaf (number BIGINT PRIMARY KEY, content BYTEA NOT NULL UNIQUE);
CREATE TABLE log_node (
    level INTEGER, position BIGINT, hash BYTEA NOT NULL CHECK (length(hash) = 32), PRIMARY KEY (level, position)
);
CREATE TABLE log_waiting (content BYTEA PRIMARY KEY);
CREATE TABLE log_mark (kind TEXT PRIMARY KEY, number BIGINT NOT NULL);
-- Checkpoints as the city signed them, and the lines with which witnesses cosigned.
CREATE TABLE log_checkpoint (size BIGINT PRIMARY KEY, note BYTEA NOT NULL);
CREATE TABLE log_cosignature (size BIGINT, name TEXT, line BYTEA NOT NULL, PRIMARY KEY (size, name));
-- Who is to watch, in the order in which it was set; addresses: where each witness is asked, JSON.
CREATE TABLE log_policy (number INTEGER PRIMARY KEY, policy BYTEA NOT NULL, addresses TEXT NOT NULL);
