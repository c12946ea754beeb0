# SPDX-License-Identifier: Apache-2.0
"""A ward's whole list of households: stored some rows at a time, seen whole or not at all, and nobody waits for it."""

import io
import random
from types import SimpleNamespace

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.canvass import NOW, door
from tests.rollout.canvass.test_pages import acts, upload

from bluezone.rollout.canvass.households import decisions, door_lists
from bluezone.rollout.canvass.models import Change, DoorsImport, Household
from bluezone.rollout.canvass.progress import doors_by_unit
from bluezone.vietnamese.spelling import fold

FAMILIES = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Nông", "Lý"]
MIDDLES, GIVENS = ["Văn", "Thị", "Đức", "Minh"], ["An", "Lan", "Páo"]


def rows_of(count, groups=4, **changed):
    """CSV of so many households. changed: number of the row as "row_7" -> its smartphones."""
    some = random.Random(7)
    lines = ["Chủ hộ,Địa chỉ,Tổ,Số điện thoại thông minh"]
    for n in range(count):
        head = f"{some.choice(FAMILIES)} {some.choice(MIDDLES)} {some.choice(GIVENS)} {n}"
        lines.append(f'{head},"Số {n + 1}, ngõ {n % 7}",{n % groups + 1},{changed.get(f"row_{n}", 1)}')
    return "\n".join(lines).encode()


def accepted(client, ward, content):
    """Send a list in, look at it, accept it: the address of its page."""
    address = upload(client, ward, content).url
    digest = client.get(address).context["preview"].digest
    assert client.post(f"{address}apply/", {"digest": digest}).status_code == 302
    return address


@pytest.mark.long
def test_a_long_list_is_seen_when_the_last_row_is_stored_and_its_page_says_how_far_it_is(client, officer, ward):
    address = accepted(client, ward, rows_of(1000))
    (held,) = DoorsImport.objects.all()
    assert bytes(held.content) == b"", "the file is forgotten"
    door_lists.carry_out(held, NOW, transactions=2)
    assert Household.everything.count() == 400
    assert not Household.objects.exists()
    assert doors_by_unit(NOW) == {}
    page = client.get(address)
    assert "400 of 1,000 rows" in page.text
    assert page.headers["Refresh"] == "5"
    assert "Undo the whole list" in page.text
    assert "households_imported" not in acts()

    door_lists.go_on(NOW)
    assert Household.objects.count() == 1000
    page = client.get(address)
    assert "The list has been stored" in page.text
    assert "Refresh" not in page.headers
    assert "households_imported" in acts()
    assert DoorsImport.objects.get().accepted == {}
    answer = upload(client, ward, rows_of(1000))
    assert client.get(answer.url).context["plan"].unchanged == 1000


@pytest.mark.long
def test_a_list_that_is_cut_off_anywhere_goes_on_and_stores_every_row_once(client, officer, ward):
    door(ward, "Cũ", "Số 0")
    accepted(client, ward, rows_of(600))
    (held,) = DoorsImport.objects.all()
    door_lists.carry_out(held, NOW)
    accepted(client, ward, rows_of(900, **{f"row_{n}": 3 for n in range(300)}))
    steps = 0
    while DoorsImport.objects.exclude(state="done").exists():
        # As by another process each time, that knows nothing of what the one before did.
        steps += door_lists.carry_out(DoorsImport.objects.order_by("pk").last(), NOW, transactions=1)
    assert steps == 2 + 1 + 2 + 1 + 1, "of new doors, all shown, of changed doors, all changed, doubles"
    assert Household.objects.count() == 901
    assert Household.objects.filter(smartphones=3).count() == Change.objects.count() == 300
    assert len(set(Household.objects.values_list("folded", flat=True))) == 901


@pytest.mark.long
def test_a_step_that_another_process_has_made_is_not_made_again(client, officer, ward):
    accepted(client, ward, rows_of(600))
    held, other = DoorsImport.objects.get(), DoorsImport.objects.get()
    plan = held.accepted
    door_lists.carry_out(other, NOW, transactions=1)
    door_lists._store_some(held, plan, NOW)
    assert Household.everything.count() == 200


@pytest.mark.long
def test_a_list_that_is_taken_back_leaves_nothing(client, officer, ward):
    address = accepted(client, ward, rows_of(1000))
    door_lists.carry_out(DoorsImport.objects.get(), NOW, transactions=3)
    assert client.post(f"{address}discard/").status_code == 302
    assert "1.csv" not in client.get("/canvass/imports/").text
    door_lists.go_on(NOW)
    assert not Household.everything.exists()
    assert not DoorsImport.everything.exists()
    assert "households_imported" not in acts()


@pytest.mark.long
def test_a_list_that_everybody_sees_cannot_be_taken_back(client, officer, ward):
    address = accepted(client, ward, rows_of(600))
    held = DoorsImport.objects.get()
    door_lists.carry_out(held, NOW, transactions=4)
    assert Household.objects.count() == 600
    answer = client.post(f"{address}discard/")
    assert answer.status_code == 409
    assert "no longer be undone" in answer.text
    assert Household.objects.count() == 600


@pytest.mark.long
def test_a_door_that_somebody_changed_meanwhile_is_left_as_they_left_it_and_counted(client, officer, ward):
    accepted(client, ward, rows_of(600))
    door_lists.go_on(NOW)
    DoorsImport.objects.all().delete()
    address = accepted(client, ward, rows_of(600, **{f"row_{n}": 4 for n in range(600)}))
    theirs = Household.objects.order_by("pk").first()
    decisions.correct("officer", theirs, {"smartphones": "9"}, NOW)
    door_lists.go_on(NOW)
    theirs.refresh_from_db()
    assert theirs.smartphones == 9
    assert Household.objects.filter(smartphones=4).count() == 599
    assert "1 of the changes were left out" in client.get(address).text


@pytest.mark.long
def test_while_a_list_is_stored_a_second_one_of_the_ward_waits(client, officer, ward):
    second = upload(client, ward, rows_of(3)).url
    digest = client.get(second).context["preview"].digest
    first = accepted(client, ward, rows_of(1000))
    answer = client.post(f"{second}apply/", {"digest": digest})
    assert answer.status_code == 409
    assert "Another list of this ward" in answer.text
    door_lists.go_on(NOW)
    assert client.post(f"{second}apply/", {"digest": digest}).status_code == 409, "the three are there by now"
    again = client.post(f"{first}apply/", {"digest": ""})
    assert (again.status_code, again.url) == (302, first), "a second tap looks on"


@pytest.mark.long
def test_a_list_that_is_being_stored_outlives_its_day(client, officer, ward):
    accepted(client, ward, rows_of(600))
    DoorsImport.objects.update(made_at=NOW)
    door_lists.forget(NOW)
    door_lists.go_on(NOW)
    assert Household.objects.count() == 600
    door_lists.forget(NOW)
    assert not DoorsImport.everything.exists()


@pytest.mark.long
def test_a_long_list_in_training_mode_is_stored_by_the_worker_as_practice(client, officer, ward):
    session = client.session
    session["training"] = True
    session.save()
    accepted(client, ward, rows_of(600))
    door_lists.go_on(NOW)
    assert not Household.objects.exists()
    assert Household.everything.filter(training=True, arriving=None).count() == 600
    assert not acts()


# The rule in its plainest form, door by door, for what the library is asked to find.
def _distance(one, other):
    row = list(range(len(other) + 1))
    for place, sign in enumerate(one, 1):
        before, row[0] = row[0], place
        for column, other_sign in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (sign != other_sign))
    return row[-1]


def _alike(one, other):
    most = min(6, max(len(one), len(other)) // 2)
    found = _distance(one, other)
    return 1.0 if one == other else 0.0 if found > most else 1 - found / max(len(one), len(other))


def _score(one, other):
    (head, address), (other_head, other_address) = one, other
    heads = _alike(head, other_head) if head and other_head else None
    addresses = _alike(address, other_address) if address and other_address else None
    if addresses is not None and decisions._numbers(address) != decisions._numbers(other_address):
        addresses *= 0.3
    if heads is None:
        return round(90 * (addresses or 0))
    return round(95 * heads) if addresses is None else round(100 * (0.65 * heads + 0.35 * addresses))


names = st.lists(st.sampled_from(["nguyen", "nguyn", "van", "an", "lan", "12", "13", "thong nhat", "a"]), max_size=4)
texts = names.map(" ".join)


@given(st.lists(st.tuples(texts, texts), max_size=12))
@settings(max_examples=60, deadline=None)
def test_doubles_are_those_that_comparing_every_two_doors_would_find(doors):
    made = [SimpleNamespace(pk=n, head=head, address=address) for n, (head, address) in enumerate(doors)]
    plain = [tuple(decisions.plain(fold(text)) for text in texts) for texts in doors]
    wanted = [
        (n, m, _score(plain[n], plain[m]))
        for n in range(len(doors))
        for m in range(n + 1, len(doors))
        if _score(plain[n], plain[m]) >= decisions.THRESHOLD
    ]
    assert [(one.pk, other.pk, score) for one, other, score in decisions.near(made)] == wanted


def test_doubles_are_found_across_the_pieces_in_which_a_large_group_is_compared():
    far = [SimpleNamespace(pk=n, head="", address=f"Số {n}") for n in range(150)]
    twins = [SimpleNamespace(pk=200 + n, head="Lý Văn Páo", address="Ngõ 999") for n in range(2)]
    found = decisions.near([twins[0], *far, twins[1]])
    assert [(one.pk, other.pk) for one, other, _score in found] == [(200, 201)]


def sheets_of(**sheets):
    """A workbook with a sheet of each name."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title.replace("_", " "))
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


HEAD = ["STT", "Họ và tên chủ hộ", "Địa chỉ thường trú"]
AN, LAN = [1, "Nguyễn Văn An", "Số 1"], [2, "Trần Thị Lan", "Số 2"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("sheets", "doors"),
    [
        (
            {"Danh_sách": [HEAD, ["I", "TỔ DÂN PHỐ SỐ 05"], AN, ["II", "Thôn Nà Pèn"], LAN, ["Tổng cộng: 2 hộ"]]},
            [("Nguyễn Văn An", "Số 1", "Tổ 5"), ("Trần Thị Lan", "Số 2", "Thôn Nà Pèn")],
        ),
        (
            {"Tổ_1": [HEAD, AN], "TDP_số_2": [HEAD, LAN]},
            [("Nguyễn Văn An", "Số 1", "Tổ 1"), ("Trần Thị Lan", "Số 2", "Tổ 2")],
        ),
        (
            {"A": [["Chủ hộ", "Số nhà", "Ngõ/Ngách", "Đường", "Tổ"], ["Nguyễn Văn An", 12, "ngõ 3", "Hùng Vương", 5]]},
            [("Nguyễn Văn An", "Số 12, ngõ 3, Hùng Vương", "Tổ 5")],
        ),
        (
            {
                "A": [
                    ["Họ và tên", "Quan hệ với chủ hộ", "Địa chỉ", "Tổ"],
                    ["Nguyễn Văn An", "Chủ hộ", "Số 1", "1"],
                    ["Trần Thị Lan", "Vợ", "Số 1", "1"],
                ]
            },
            [("Nguyễn Văn An", "Số 1", "Tổ 1")],
        ),
    ],
    ids=["sections", "sheets", "parts of the address", "inhabitants"],
)
def test_lists_as_wards_keep_them_become_doors(client, officer, ward, sheets, doors):
    plan = client.get(upload(client, ward, sheets_of(**sheets), "ho.xlsx").url).context["plan"]

    assert plan.refused == ()
    assert [(row.values["head"], row.values["address"], row.values["group"]) for row in plan.added] == doors


@pytest.mark.long
def test_a_cell_merged_over_several_rows_counts_for_each_of_them(client, officer, ward):
    book = openpyxl.Workbook()
    for row in (["Tổ", "Chủ hộ", "Địa chỉ"], ["Tổ 1", *AN[1:]], [None, *LAN[1:]], ["Tổ 2", "Lê Cúc", "Số 3"]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    file = io.BytesIO()
    book.save(file)
    plan = client.get(upload(client, ward, file.getvalue(), "ho.xlsx").url).context["plan"]

    assert [row.values["group"] for row in plan.added] == ["Tổ 1", "Tổ 1", "Tổ 2"]


def test_a_list_that_names_no_group_anywhere_asks_which_column_it_is(client, officer, ward):
    page = client.get(upload(client, ward, sheets_of(A=[HEAD, AN]), "ho.xlsx").url)

    assert "Which column is which?" in page.text


def test_a_stored_group_keeps_its_name_when_the_export_comes_back(client, officer, ward):
    door(ward, "Nguyễn Văn An", "Số 1", group="Tổ dân phố số 5")
    rows = [["Chủ hộ", "Địa chỉ", "Tổ"], ["Nguyễn Văn An", "Số 1", "Tổ dân phố số 5"]]
    plan = client.get(upload(client, ward, sheets_of(A=rows), "ho.xlsx").url).context["plan"]

    assert (plan.added, plan.changed, plan.unchanged) == ((), (), 1)
