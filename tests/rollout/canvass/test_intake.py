# SPDX-License-Identifier: Apache-2.0
"""What a phone pushes is stored once or kept aside with a reason; nothing is lost, nothing counts twice."""

import datetime
import json
import uuid

import pytest
from tests.builders.canvass import NOW, Phone, agency, door, street

from bluezone.rollout.canvass import leases
from bluezone.rollout.canvass.households.projection import merged_of
from bluezone.rollout.canvass.models import Aside, Change, Entry, Household, LeaseEnd, PhoneRun, TurfDoor, Visit

HOUR = datetime.timedelta(hours=1)


def verdicts(answer):
    assert answer.status_code == 200, answer.text
    return [(one["state"], one["reason"]) for one in answer.json()["verdicts"]]


def doors(phone):
    return list(Household.objects.filter(places__turf=phone.turf).order_by("address"))


def test_a_visit_with_facts_is_stored_and_read_back(public, phone):
    first = doors(phone)[0]
    entry = phone.entry(
        first, "running", phones=3, seen=1, told=1, lot="L\u200b7", leaflets=1,
        changes={"smartphones": 3, "head": "  Nông\u00a0\u200b Thị\ufeff Lan "},
    )  # fmt: skip
    answer = phone.call(public, entry, last_number=1)

    assert verdicts(answer) == [("stored", "")]
    visit = Visit.objects.get()
    assert (visit.household_id, visit.phones, visit.seen, visit.told, visit.leaflet_lot) == (first.pk, 3, 1, 1, "L7")
    first.refresh_from_db()
    assert (first.head, first.smartphones, first.last_outcome) == ("Nông Thị Lan", 3, "running")
    assert first.reached_at == visit.at
    assert first.folded == "nong thi lan so 001, to 5 to 5"
    (shown,) = [row for row in answer.json()["lists"][0]["doors"] if row["door"] == str(first.pk)]
    assert (shown["head"], shown["last"]["outcome"], shown["place"]) == ("Nông Thị Lan", "running", 1)
    assert shown["versions"]["head"] == entry["changes"]["head"]["clock"]


def test_a_push_sent_again_changes_nothing(public, phone):
    entries = [phone.entry(one, changes={"note": "cổng xanh"}) for one in doors(phone)]
    assert verdicts(phone.call(public, *entries)) == [("stored", "")] * 3
    before = list(Household.objects.order_by("pk").values())

    assert verdicts(phone.call(public, *entries, *entries[:1])) == [("known", "")] * 4
    assert (Visit.objects.count(), Entry.objects.count(), Change.objects.count()) == (3, 3, 3)
    assert list(Household.objects.order_by("pk").values()) == before


def test_the_same_id_with_other_content_is_kept_aside_once_and_the_first_stays(public, phone):
    entry = phone.entry(doors(phone)[0])
    other = {**entry, "visit": {"outcome": "refused"}}
    phone.call(public, entry)

    assert verdicts(phone.call(public, other)) == [("aside", "other_content")]
    assert verdicts(phone.call(public, other, entry)) == [("aside", "other_content"), ("known", "")]
    assert Visit.objects.get().outcome == "leaflet"
    assert json.loads(Aside.objects.get().body) == other


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at": int((NOW + HOUR).timestamp())}, "in_future"),
        ({"form": 0}, "old_form"),
        ({"form": 2}, "old_form"),
        ({"form": True}, "old_form"),
        ({"visit": {"outcome": "sold"}}, "unreadable"),
        ({"visit": {"outcome": "skipped"}}, "unreadable"),
        ({"visit": {"outcome": "leaflet", "phones": -1}}, "unreadable"),
        ({"visit": {"outcome": "leaflet", "help": {"contact": " "}}}, "unreadable"),
        ({"visit": None}, "unreadable"),
        ({"door": "12"}, "unreadable"),
        ({"door": str(uuid.uuid4())}, "door_gone"),
        ({"turf": 999_999, "door": str(uuid.uuid4()), "made": True}, "wrong_turf"),
        ({"changes": {"smartphones": {"value": "\ud800", "clock": "x", "bases": []}}}, "unreadable"),
        ({"changes": {"note": {"value": "a" * 121, "clock": "0" * 13 + ".0000.a", "bases": [""]}}}, "unreadable"),
        ({"changes": {"note": {"value": "a", "clock": "9" * 13 + ".0000.a", "bases": [""]}}}, "in_future"),
        ({"changes": {"telephone": {"value": "a", "clock": "0" * 13 + ".0000.a", "bases": [""]}}}, "unreadable"),
        ({"changes": {"note": {"value": "a", "clock": "1" * 13 + ".0000.a", "bases": ["1" * 13 + ".0000.b"]}}},
         "unreadable"),
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_kept_aside_whole_and_the_rest_goes_on(public, phone, change, reason):
    one, two, _three = doors(phone)
    odd = {**phone.entry(one), **change}

    assert verdicts(phone.call(public, odd, phone.entry(two))) == [("aside", reason), ("stored", "")]
    kept = Aside.objects.get()
    assert json.loads(kept.body) == odd
    assert (kept.reason, kept.unit_id, kept.state) == (reason, phone.turf.unit_id, "open")
    assert verdicts(phone.call(public, odd)) == [("aside", reason)]
    assert Aside.objects.count() == 1


@pytest.mark.parametrize("odd", [7, "visit", None, [], {}, {"id": "x"}, {"form": 1, "id": 3}])
def test_an_entry_that_is_none_at_all_is_kept_aside_too(public, phone, odd):
    assert [state for state, _ in verdicts(phone.call(public, odd))] == ["aside"]
    assert [state for state, _ in verdicts(phone.call(public, odd))] == ["aside"]
    assert json.loads(Aside.objects.get().body) == odd


def test_a_door_of_somebody_elses_list_is_not_touched(public, phone, committee, ward):
    theirs = Phone.leasing(street(ward, group="Tổ 6"), committee, "Máy 2")
    foreign = doors(theirs)[0]
    entry = phone.entry(foreign, changes={"head": "Ai đó"}, made=True)

    assert verdicts(phone.call(public, entry)) == [("aside", "wrong_turf")]
    foreign.refresh_from_db()
    assert (foreign.head, foreign.last_at) == ("Hộ 1", None)
    assert str(foreign.pk) not in phone.call(public).text


def test_a_door_found_on_the_way_is_entered_once_whichever_entry_comes_first(public, phone):
    new = uuid.uuid4()
    facts = phone.entry(new, None, changes={"head": "Lý Văn Páo", "address": "Số 9"}, made=True)
    visit = phone.entry(new, "not_home", revisit="after_17", made=True)

    assert verdicts(phone.call(public, visit)) == [("stored", "")]
    assert verdicts(phone.call(public, facts)) == [("stored", "")]
    found = Household.objects.get(pk=new)
    assert (found.head, found.unit_id, found.revisit) == ("Lý Văn Páo", phone.turf.unit_id, "after_17")
    assert TurfDoor.objects.get(household=new).place == 4
    assert len(phone.call(public).json()["lists"][0]["doors"]) == 4


def test_the_last_visit_is_the_newest_by_its_own_time_and_a_reached_door_stays_reached(public, phone):
    first = doors(phone)[0]
    early = phone.entry(first, "installed", at=NOW - 5 * HOUR)
    late = phone.entry(first, "not_home", at=NOW - HOUR)
    phone.call(public, late)
    phone.call(public, early)

    first.refresh_from_db()
    assert (first.last_outcome, first.last_at, first.reached_at) == ("not_home", NOW - HOUR, NOW - 5 * HOUR)


def test_after_the_list_was_taken_back_what_was_unsent_is_taken_and_no_door_is_told(public, phone, clock):
    entry = phone.entry(doors(phone)[0])
    leases.end("officer", phone.turf.leases.get(), LeaseEnd.GIVEN, NOW)
    clock.now += HOUR
    late = {**phone.entry(doors(phone)[1]), "at": int(clock.now.timestamp())}
    answer = phone.call(public, entry, late)

    assert verdicts(answer) == [("stored", ""), ("stored", "")]
    assert answer.json()["lists"] == []
    assert [(one["why"], one["name"]) for one in answer.json()["ended"]] == [("given", "Tổ 5")]
    assert sorted(Visit.objects.values_list("after_lease", flat=True)) == [False, True]


def test_a_list_whose_time_is_up_is_not_told_any_more(public, phone, clock):
    clock.now = NOW + 8 * 24 * HOUR
    answer = phone.call(public, phone.entry(doors(phone)[0])).json()

    assert (answer["lists"], answer["ended"][0]["why"]) == ([], "expired")
    assert answer["verdicts"][0]["state"] == "stored"


def test_a_lost_phone_is_told_to_empty_itself_and_what_it_sends_is_kept_aside(public, phone):
    phone.call(public)
    entry = phone.entry(doors(phone)[0])
    assert leases.lost("officer", phone.device, NOW) == 1
    answer = phone.call(public, entry)

    assert verdicts(answer) == [("aside", "phone_lost")]
    assert (answer.json()["empty"], answer.json()["lists"]) == (True, [])
    assert PhoneRun.objects.get().emptied_at == NOW
    # Found, and connected with a new code: another run, which owes nothing.
    phone.run = "0badcafe"
    assert phone.call(public).json()["empty"] is False


def test_lists_that_the_phone_has_are_not_sent_again(public, phone):
    first = phone.call(public).json()
    again = phone.call(public, have=first["as_of"]).json()
    assert (again["lists"], again["as_of"]) == (None, first["as_of"])

    phone.call(public, phone.entry(doors(phone)[0]))
    assert phone.call(public, have=first["as_of"]).json()["lists"] is not None


@pytest.mark.parametrize(
    "more",
    [{"run": "x"}, {"run": None}, {"entries": {}}, {"waiting": -1}, {"last_number": True}, {"entries": [{}] * 201}],
)
def test_a_call_that_is_none_of_a_phone_takes_nothing(public, phone, more):
    answer = phone.call(public, **more) if "entries" not in more else public.post(
        "/v1/canvass/sync", {**phone.push(), **more}, content_type="application/json",
        HTTP_AUTHORIZATION=f"Bearer {phone.token}",
    )  # fmt: skip
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "canvass_push_invalid")
    assert not PhoneRun.objects.exists()


def test_only_a_connected_canvass_phone_may_call(public, phone):
    from tests.builders.devices import bearer_header, connected_device

    keeper = phone.device.agency
    _gate, token = connected_device(keeper, name="Cổng", now=NOW)
    answer = public.post("/v1/canvass/sync", phone.push(), content_type="application/json", **bearer_header(token))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "device_kind_refused")
    phone.token = "x" * 43
    assert phone.call(public).status_code == 401


def test_two_phones_change_one_household_other_fields_merge_the_same_field_is_disputed(public, phone, committee):
    first = doors(phone)[0]
    leases.end("officer", phone.turf.leases.get(), LeaseEnd.GIVEN, NOW)
    other = Phone.leasing(phone.turf, committee, "Máy 2")
    phone.call(public, phone.entry(first, None, changes={"head": "Nông Thị Lan", "smartphones": 2}))
    other.call(public, other.entry(first, None, changes={"head": "Nông Văn Lâm", "note": "nhà sau"}))

    first.refresh_from_db()
    assert (first.smartphones, first.note) == (2, "nhà sau")
    assert (first.disputed, first.is_disputed) == (["head"], True)
    rivals = merged_of([first.pk])[first.pk]["head"].rivals
    assert {one.value for one in rivals} == {"Nông Thị Lan", "Nông Văn Lâm"}


def test_help_wanted_opens_one_request_and_leaves_only_its_ticket(public, phone):
    from bluezone.rollout.drives.models import HelpRequest

    entry = phone.entry(doors(phone)[0], "leaflet", help={"contact": "0912 345 678", "note": "máy cũ"})
    phone.call(public, entry)
    phone.call(public, entry)

    ticket = HelpRequest.objects.get().ticket
    assert Visit.objects.get().ticket == ticket


def test_a_push_of_a_hundred_and_twenty_takes_a_fixed_number_of_queries(
    public, committee, ward, clock, django_assert_max_num_queries
):
    phone = Phone.leasing(street(ward, 120), committee)
    all_doors = doors(phone)
    phone.call(public, phone.entry(all_doors[0]))
    with django_assert_max_num_queries(30):
        phone.call(public, *[phone.entry(one, phones=2, changes={"smartphones": 2}) for one in all_doors])
    assert Visit.objects.count() == 121


def test_a_turf_has_at_most_400_doors(public, phone, monkeypatch):
    from bluezone.rollout.canvass import phone_doors

    monkeypatch.setattr(phone_doors, "MOST_DOORS", 4)
    found = [phone.entry(uuid.uuid4(), made=True) for _ in range(2)]
    assert verdicts(phone.call(public, *found)) == [("stored", ""), ("aside", "turf_full")]


def test_a_door_in_an_open_list_is_not_given_a_second_time(phone, committee, ward):
    from tests.builders.canvass import connected_phone

    from bluezone.rollout.canvass import leases as canvass_leasing

    mine = doors(phone)
    other = canvass_leasing.cut("officer", ward, "vẽ tay", [mine[0].pk, door(ward).pk], NOW)
    second, _token = connected_phone(agency("Đoàn phường", ward), "Máy 3")
    with pytest.raises(leases.DoorsLeased) as refused:
        leases.lease("officer", other, second, NOW + HOUR, NOW)
    assert refused.value.doors == 1
    # After the first list's time is up, its doors are free again.
    later = NOW + 8 * 24 * HOUR
    leases.lease("officer", other, second, later + HOUR, later)
