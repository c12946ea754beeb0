-- SPDX-License-Identifier: Apache-2.0
-- The bytes of the files that phones fetch, as long as an index may list them. A damaged or missing file is written again
-- from here. They are public, and contain nothing that the files do not.
CREATE TABLE published_content (sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32), content BLOB NOT NULL);
