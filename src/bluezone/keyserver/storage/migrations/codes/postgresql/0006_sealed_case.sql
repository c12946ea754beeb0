-- SPDX-License-Identifier: Apache-2.0
-- Verify 1 answers a code alike whether it was used or not. So what it is worth lies here twice more: class, onset and both
-- ends, sealed under a key that is made of the digits, and under one of the link. Using the code forgets the columns in
-- plain as before and leaves these. Null in rows of before, which say that they are used, and in revoked ones.
-- The rows of rehearsals have the same columns and checks, and nothing in them opens.
ALTER TABLE credential ADD COLUMN sealed_digits BYTEA CHECK (length(sealed_digits) = 37);
ALTER TABLE credential ADD COLUMN sealed_link BYTEA CHECK (length(sealed_link) = 37);
ALTER TABLE rehearsal ADD COLUMN sealed_digits BYTEA CHECK (length(sealed_digits) = 37);
ALTER TABLE rehearsal ADD COLUMN sealed_link BYTEA CHECK (length(sealed_link) = 37);
UPDATE rehearsal SET sealed_digits = decode(repeat('00', 37), 'hex'), sealed_link = decode(repeat('00', 37), 'hex');
