-- SPDX-License-Identifier: Apache-2.0
-- What the data folders of all machines that share this database must agree in: whose key signs for phones, and how
-- many week keys and configs there were at least. Nothing secret: all of it is published.
CREATE TABLE data_folder (
    one SMALLINT PRIMARY KEY CHECK (one = 1),
    signing_key TEXT NOT NULL,
    week_keys INTEGER NOT NULL,
    configs INTEGER NOT NULL
);
