# SPDX-License-Identifier: Apache-2.0
import pytest

from bluezone.keyserver.storage.migrations import statements_of


def test_a_script_is_cut_at_its_semicolons_and_its_comment_lines_are_left_out():
    script = "-- one; two\nCREATE TABLE a (b TEXT DEFAULT 'it''s');\n  -- three\nDROP TABLE a;\n"

    assert [statement.strip() for statement in statements_of(script)] == [
        "CREATE TABLE a (b TEXT DEFAULT 'it''s')",
        "DROP TABLE a",
    ]


@pytest.mark.parametrize("script", ["INSERT INTO a VALUES ('b; c');", 'CREATE TABLE "a;b" (c TEXT);', "SELECT 'a"])
def test_a_string_with_a_semicolon_is_refused_rather_than_cut(script):
    with pytest.raises(ValueError, match="semicolon"):
        statements_of(script)
