# SPDX-License-Identifier: Apache-2.0
"""Counts: nothing that links, and nothing small shown to those who need not see it."""

import datetime
import io
import itertools
import re

import openpyxl
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.office import today, user

from bluezone.healthauthority import code_issuance, queries
from bluezone.healthauthority.health_tags import columns
from bluezone.healthauthority.queries import FATES, SMALLEST_SHOWN, Column, DayRow
from bluezone.identity.models import Role
from bluezone.protocol.exports.files import read_export


def row(issued, used, revoked, expired):
    return DayRow(datetime.date(2026, 11, 24), issued, used, revoked, expired)


def test_a_chart_names_its_last_day_and_from_there_back_every_so_many():
    found = [Column(str(day), (), 1) for day in range(20)]

    drawn = columns("Mã", found)["columns"]
    assert [one["label"] for one in drawn if one["label"]] == ["1", "4", "7", "10", "13", "16", "19"]


@given(st.lists(st.integers(0, 30), min_size=4, max_size=4))
def test_no_small_count_is_shown_nor_can_be_worked_out(counts):
    used, revoked, expired, still_open = counts
    whole = row(sum(counts), used, revoked, expired)
    shown = queries.suppressed(whole)

    assert all(
        value is None or value >= SMALLEST_SHOWN for value in (shown.issued, *map(shown.__getattribute__, FATES))
    )
    if shown.issued is None:
        return
    # Every way to fill the gaps that fits what is shown, were it known that nothing is open any more.
    hidden = [name for name in FATES if getattr(shown, name) is None]
    rest = shown.issued - still_open - sum(getattr(shown, name) or 0 for name in FATES)
    ways = [way for way in itertools.product(range(rest + 1), repeat=len(hidden)) if sum(way) == rest]
    assert len(hidden) != 1
    assert not hidden or len(ways) > 1 or rest == 0


def test_five_is_the_smallest_count_that_is_shown():
    assert SMALLEST_SHOWN == 5
    assert queries.suppressed(row(5, 5, 0, 0)) == row(5, 5, None, None)
    assert queries.suppressed(row(15, 5, 5, 5)) == row(15, 5, 5, 5)
    assert queries.suppressed(row(4, 4, 0, 0)) == row(None, None, None, None)


def test_a_sum_over_a_hidden_count_is_hidden():
    rows = [row(40, 20, 10, 6), queries.suppressed(row(3, 1, 0, 0))]

    assert queries.totals(rows) == {"issued": None, "used": None, "revoked": None, "expired": None}
    assert queries.totals(rows[:1])["used"] == 20


@given(st.lists(st.lists(st.integers(0, 30), min_size=4, max_size=4), min_size=1, max_size=16))
def test_a_chart_draws_no_count_that_its_table_hides(days):
    newest = datetime.date(2026, 11, 24)
    whole = [
        DayRow(newest - datetime.timedelta(days=2 * ago), sum(counts), *counts[:3]) for ago, counts in enumerate(days)
    ]
    shown = [queries.suppressed(one) for one in whole]
    drawn = queries.code_columns(shown)

    assert all(column.total == 0 for column in drawn[1::2]), "days without a code stand between"
    for table, column in zip(reversed(shown), drawn[::2], strict=True):
        parts = dict(column.parts)
        assert column.total == table.issued
        assert {name: count for name, count in parts.items() if name != "rest"} == {
            name: getattr(table, name) for name in FATES if getattr(table, name)
        }
        assert sum(parts.values()) == (table.issued or 0), "what is left is drawn as one"


@pytest.fixture
def some_codes(server, db):
    worker = user("lan")
    made = [code_issuance.issue(server, worker, "confirmed", today(), timezone.now()) for _ in range(6)]
    code_issuance.revoke(server, worker, made[0].record.handle)
    return worker


def test_a_supervisor_sees_every_count_and_a_worker_only_those_from_five(server, some_codes):
    (whole,) = queries.code_rows(server, everything=True)
    (shown,) = queries.code_rows(server, everything=False)

    assert (whole.issued, whole.used, whole.revoked, whole.expired) == (6, 0, 1, 0)
    assert (shown.issued, shown.used, shown.revoked, shown.expired) == (6, None, None, None)


def figures(page, name):
    """Name and count of each step of the funnel, and the numbers above the columns of a chart."""
    found = re.search(r'<table class="funnel">(.*?)</table>', page, re.DOTALL)[1]
    cells = re.sub(r"<[^>]+>", "|", re.search(r"<tbody>(.*)</tbody>", found, re.DOTALL)[1])
    chart = re.search(rf'<svg class="columns"[^>]*aria-label="{name}.*?</svg>', page, re.DOTALL)[0]
    return [part.strip() for part in cells.split("|") if part.strip()], re.findall(
        r'<text x="[^"]*" y="[^"]*">(.*?)</text>', chart
    )


@pytest.mark.long
def test_the_funnel_and_the_columns_show_a_worker_what_the_table_shows_and_a_supervisor_all(client, server, some_codes):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(some_codes)
    assert figures(client.get("/codes/statistics/").text, "Codes by") == (
        ["Codes issued", "6", "100%", "Used", "·"], ["6"],
    )  # fmt: skip

    client.force_login(user("binh", Role.SUPERVISOR))
    steps, above = figures(client.get("/codes/statistics/").text, "Codes by")
    assert steps == ["Codes issued", "6", "100%", "Used", "0", "0%", "Reports received", "0", "0%"]
    assert above == ["6"]


@pytest.mark.long
def test_the_page_says_why_small_counts_are_hidden(client, server, some_codes):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(some_codes)
    page = client.get("/codes/statistics/").text
    assert "in a small place it may be a known family" in page
    assert "Reports received" not in page

    client.force_login(user("sup", Role.SUPERVISOR))
    page = client.get("/codes/statistics/").text
    assert "Do not pass them on" in page
    assert "Reports received" in page


@pytest.mark.long
def test_the_keys_of_a_file_are_those_that_anybody_can_count(server, db):
    server.tick()
    (file,) = queries.file_rows(server)
    (path,) = (server.data_dir / "exports").glob("1-*.zip")

    assert file.keys == len(read_export(path.read_bytes()).keys) > 56


@pytest.mark.long
def test_what_leaves_as_a_file_is_what_the_page_shows(client, server, some_codes):
    client.force_login(some_codes)
    server.tick()
    csv = client.get("/codes/statistics/codes.csv")
    book = openpyxl.load_workbook(io.BytesIO(client.get("/codes/statistics/statistics.xlsx").content))

    assert csv.content.decode("utf-8-sig").splitlines()[-1].endswith(',6,"","",""')
    assert "attachment" in csv.headers["Content-Disposition"]
    assert [value.value for value in list(book.worksheets[0].rows)[-1]][1:] == [6, None, None, None]
    assert client.get("/codes/statistics/files.csv").status_code == 200
    assert client.get("/codes/statistics/else.csv").status_code == 404


def test_a_row_stands_at_the_utc_day_on_which_its_codes_were_issued(server, some_codes):
    (row_of_today,) = queries.code_rows(server, everything=True)

    assert row_of_today.day == datetime.datetime.fromtimestamp(server.clock(), datetime.UTC).date()
