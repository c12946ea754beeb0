# SPDX-License-Identifier: Apache-2.0
"""Counts: nothing that links, and nothing small shown to those who need not see it."""

import datetime
import io
import re

import openpyxl
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.office import local_today, row_of, user

from bluezone.healthauthority import queries
from bluezone.healthauthority.codes import issuance, revocation
from bluezone.healthauthority.health_tags import columns
from bluezone.healthauthority.models import IssuedCode
from bluezone.healthauthority.queries import LEAST_VISIBLE_COUNT, Column, DayRow
from bluezone.identity.models import Role
from bluezone.protocol.exports.files import read_export


def row(issued, ago=0):
    return DayRow(datetime.date(2026, 11, 24) - datetime.timedelta(days=ago), issued)


def test_a_chart_names_its_last_day_and_from_there_back_every_so_many():
    found = [Column(str(day), (), 1) for day in range(20)]

    drawn = columns("Mã", found)["columns"]
    assert [one["label"] for one in drawn if one["label"]] == ["1", "4", "7", "10", "13", "16", "19"]


def test_a_sum_over_a_hidden_count_is_hidden():
    assert queries.total_issued([row(40), row(None, 1)]) is None
    assert queries.total_issued([row(40), row(2, 1)]) == 42


@given(st.lists(st.one_of(st.none(), st.integers(1, 30)), min_size=1, max_size=16))
def test_a_chart_draws_no_count_that_its_table_hides(counts):
    shown = [row(count, 2 * ago) for ago, count in enumerate(counts)]
    drawn = queries.code_columns(shown)

    assert all(column.total == 0 for column in drawn[1::2]), "days without a code stand between"
    for table, column in zip(reversed(shown), drawn[::2], strict=True):
        assert column.total == table.issued
        assert dict(column.parts) == ({"issued": table.issued} if table.issued else {})


@pytest.fixture
def some_codes(server, db):
    worker = user("lan")
    made = [issuance.issue_code(server, worker, "confirmed", local_today(), timezone.now()) for _ in range(6)]
    revocation.revoke_code(server, worker, row_of(made[0]))
    return worker


def test_a_supervisor_sees_every_count_and_a_worker_only_those_from_five(server, some_codes):
    assert [one.issued for one in queries.code_rows(everything=False)] == [6]
    for _ in range(2):
        IssuedCode.objects.filter(pk=IssuedCode.objects.first().pk).delete()

    assert LEAST_VISIBLE_COUNT == 5
    assert [one.issued for one in queries.code_rows(everything=True)] == [4]
    assert [one.issued for one in queries.code_rows(everything=False)] == [None]


def figures(page, name):
    """Name and count of each step of the funnel, and the numbers above the columns of a chart."""
    found = re.search(r'<table class="funnel">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    cells = re.sub(r"<[^>]+>", "|", found[1]) if found else ""
    chart = re.search(rf'<svg class="columns"[^>]*aria-label="{name}.*?</svg>', page, re.DOTALL)[0]
    return [part.strip() for part in cells.split("|") if part.strip()], re.findall(
        r'<text x="[^"]*" y="[^"]*">(.*?)</text>', chart
    )


@pytest.mark.long
def test_the_funnel_and_the_columns_show_a_worker_what_the_table_shows_and_a_supervisor_all(client, server, some_codes):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(some_codes)
    page = client.get("/codes/statistics/").text
    assert "funnel" not in page
    assert figures(page, "Codes by")[1] == ["6"]

    client.force_login(user("binh", Role.SUPERVISOR))
    steps, above = figures(client.get("/codes/statistics/").text, "Codes by")
    assert steps == ["Codes issued", "6", "100%", "Reports received", "0", "0%"]
    assert above == ["6"]


@pytest.mark.long
def test_the_page_says_why_small_counts_are_hidden(client, server, some_codes):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(some_codes)
    page = client.get("/codes/statistics/").text
    assert "in a small place it may point to a family" in page
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

    assert csv.content.decode("utf-8-sig").splitlines()[-1].endswith(",6")
    assert "attachment" in csv.headers["Content-Disposition"]
    assert [value.value for value in list(book.worksheets[0].rows)[-1]][1:] == [6]
    assert client.get("/codes/statistics/files.csv").status_code == 200
    assert client.get("/codes/statistics/else.csv").status_code == 404


@pytest.mark.long
def test_a_count_under_five_leaves_as_a_file_for_a_supervisor_and_for_no_worker(client, server, some_codes):
    for issued in IssuedCode.objects.all()[:2]:
        issued.delete()

    def last_row(who):
        client.force_login(who)
        return client.get("/codes/statistics/codes.csv").content.decode("utf-8-sig").splitlines()[-1]

    assert last_row(some_codes).endswith(',""')
    assert last_row(user("binh", Role.SUPERVISOR)).endswith(",4")


def test_a_row_stands_at_the_local_day_on_which_its_codes_were_issued(server, some_codes):
    (row_of_today,) = queries.code_rows(everything=True)

    assert row_of_today.day == local_today()


def test_no_page_and_no_file_says_how_many_codes_of_a_day_were_used(client, server, some_codes):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("binh", Role.SUPERVISOR))
    page = client.get("/codes/statistics/").text
    csv = client.get("/codes/statistics/codes.csv").content.decode("utf-8-sig")

    for said in (page, csv):
        assert not re.search(r"(<th[^>]*>|,)(Used|Revoked|Expired)", said)
