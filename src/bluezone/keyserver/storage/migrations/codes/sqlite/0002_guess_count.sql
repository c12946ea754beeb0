-- SPDX-License-Identifier: Apache-2.0
-- How many wrong codes came in an hour since 1970, told at 64 and at each doubling: where they might hit one of the codes
-- in use, new codes are longer.
CREATE TABLE guess_count (hour INTEGER PRIMARY KEY, guesses INTEGER NOT NULL);
