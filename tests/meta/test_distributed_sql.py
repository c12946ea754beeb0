# SPDX-License-Identifier: Apache-2.0
"""What of our SQL a distributed PostgreSQL may lack is what docs/reference/distributed-sql.md lists, and no more."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "bluezone"
PAGE = ROOT / "docs" / "reference" / "distributed-sql.md"
# What stores of devices and of SQLite alone say.
ELSEWHERE = ("handset/", "edge/", "keyserver/storage/sqlite.py")

# Kind, as the page calls it -> what it looks like in a text of the program.
KINDS = {
    "advisory locks": r"pg_(try_)?advisory",
    "LISTEN and NOTIFY": r"\b(UN)?LISTEN\b|\bNOTIFY\b",
    "skipping locked rows": r"SKIP LOCKED|NOWAIT|skip_locked|nowait=",
    "FOR SHARE": r"\bFOR (KEY )?SHARE\b",
    "locks on tables": r"\bLOCK TABLE\b",
    "what a row is inside": r"\b(xmin|xmax|ctid|tableoid)\b",
    "triggers": r"\b(CREATE|DROP|ENABLE|DISABLE) (OR REPLACE )?(CONSTRAINT )?TRIGGER\b",
    "functions of our own": r"\bCREATE (OR REPLACE )?FUNCTION\b|plpgsql|\bDO \$",
    "partitions": r"\bPARTITION (BY|OF)\b|\bATTACH PARTITION\b|pg_inherits|relispartition",
    "VACUUM": r"\bVACUUM\b",
    "COPY": r"\bCOPY\b",
    "pg_dump": r"\bpg_dump\b|\bpg_restore\b|\bpsql\b",
    "sequences": r"\bnextval\b|\bsetval\b|\blast_value\b|pg_get_serial_sequence|\bCREATE SEQUENCE\b",
    "newest by its number": r"^ordering by -(pk|id)\b",
    "PostgreSQL's catalogue": r"\bpg_(class|namespace|depend|attribute|proc|constraint|stat_activity|locks"
    r"|total_relation_size|trigger|type)\b|\bto_reg\w+\b|::reg\w+|\binet_server_addr\b",
    "limits of a session": r"\bSET (LOCAL |SESSION )?(\w+_timeout|search_path|TIME ZONE)\b|\bRESET \w",
    "constraints of other kinds": r"\bEXCLUDE USING\b|\bCREATE EXTENSION\b|\bUSING (gin|gist|brin)\b|\bDEFERRABLE\b",
    "levels of isolation": r"(?i)read\\?\\? committed|\bserializable\b|repeatable read",
}


def texts(path):
    """The texts of a file that may be SQL, docstrings left out, and how its queries are ordered."""
    source = path.read_text()
    if path.suffix == ".sql":
        yield "\n".join(line for line in source.splitlines() if not line.startswith("--"))
        return
    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value
        if isinstance(node, ast.keyword):
            yield f"{node.arg}="
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "order_by":
            yield from (f"ordering by {one.value}" for one in node.args[:1] if isinstance(one, ast.Constant))


def found():
    """Kind -> files of the program in which it stands."""
    kinds = {kind: set() for kind in KINDS}
    for path in sorted(SOURCES.rglob("*")):
        name = path.relative_to(SOURCES).as_posix()
        if path.suffix not in {".py", ".sql"} or name.startswith(ELSEWHERE) or "/sqlite/" in name:
            continue
        for text in texts(path):
            for kind, looks in KINDS.items():
                if re.search(looks, text):
                    kinds[kind].add(name)
    return kinds


def listed():
    """Kind -> files that the page names."""
    rows = re.findall(r"^\| ([^|]+) \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    return {kind: set(re.findall(r"`([^`]+\.(?:py|sql))`", files)) for kind, files in rows if kind in KINDS}


@pytest.mark.long
def test_the_list_of_sql_that_would_stand_in_the_way_of_a_distributed_postgresql_does_not_grow_by_itself():
    stands, page = found(), listed()
    assert page.keys() == KINDS.keys()
    assert {kind: sorted(files - page[kind]) for kind, files in stands.items() if files - page[kind]} == {}
    # And what has gone is no longer listed.
    assert {kind: sorted(files - stands[kind]) for kind, files in page.items() if files - stands[kind]} == {}
