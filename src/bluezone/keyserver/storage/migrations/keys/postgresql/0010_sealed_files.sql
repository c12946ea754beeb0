-- SPDX-License-Identifier: Apache-2.0
-- Files of the data folder that all hosts have in common, sealed under the city's master key. The row without a name
-- counts the changes: each takes the next number, so that they can be fetched in their order. sealed: empty where a file
-- was erased.
CREATE TABLE sealed_file (name TEXT PRIMARY KEY, version BIGINT NOT NULL, sealed BYTEA NOT NULL);
INSERT INTO sealed_file VALUES ('', 0, '');
