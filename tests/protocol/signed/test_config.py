# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.protocol import make_config, make_week_key
from tests.builders.venue import CITY_KEY

from bluezone.protocol.risk.profilefiles import parse_profile, profile_document
from bluezone.protocol.risk.profiletables import InvalidProfile
from bluezone.protocol.signed.config import (
    ConfigGap,
    ConfigHistoryDiffers,
    ConfigRolledBack,
    InvalidConfig,
    Neighbour,
    decode_config,
    encode_config,
    follow_config,
)

PAYLOAD = encode_config(make_config())
# A config of a city that has none, or of before there were any, is read without them.
LATER_MEMBERS = {"care", "declaration_key", "venue_keys", "push_key", "national_hotline", "reciprocity"}
CITY = Neighbour({"vi": "Bình An", "en": "Binh An"}, "https://binhan.vn", True, key="0f" * 32)
OTHER = Neighbour(CITY.name, "https://en.binhan.vn", index="/x/index.txt", export_key=make_config().export_keys[0])


def hashes(first, last):
    return tuple(hashlib.sha256(str(number).encode()).hexdigest() for number in range(first, last + 1))


def test_what_was_written_is_read():
    assert decode_config(PAYLOAD) == make_config()


def test_two_servers_write_one_config_with_the_same_bytes():
    assert encode_config(make_config()) == encode_config(decode_config(PAYLOAD))


@pytest.mark.parametrize("name", sorted(set(json.loads(PAYLOAD)) - LATER_MEMBERS))
def test_a_config_that_lacks_a_member_is_refused(name):
    members = json.loads(PAYLOAD)
    del members[name]
    with pytest.raises(InvalidConfig) as refusal:
        decode_config(json.dumps(members).encode())

    assert refusal.value.code == "config_invalid"
    assert name in refusal.value.message


def test_a_config_of_before_there_were_venues_push_and_a_second_number_is_still_read():
    members = json.loads(PAYLOAD)
    del members["venue_keys"], members["push_key"], members["national_hotline"]

    assert decode_config(json.dumps(members).encode()) == make_config()


def test_venue_keys_and_the_push_key_come_back():
    told = make_config(venue_keys={"1": CITY_KEY.public_key().public_bytes_raw().hex()}, push_key="B" + "A" * 86)

    assert decode_config(encode_config(told)) == told


def test_reciprocity_is_on_unless_the_city_turned_it_off():
    members = json.loads(PAYLOAD)
    off = make_config(reciprocity=False)

    assert decode_config(encode_config(off)) == off
    assert decode_config(json.dumps({**members, "reciprocity": None}).encode()).reciprocity
    del members["reciprocity"]
    assert decode_config(json.dumps(members).encode()).reciprocity
    with pytest.raises(InvalidConfig, match="true or false"):
        decode_config(json.dumps({**members, "reciprocity": 0}).encode())


def test_neighbours_come_back_and_a_city_without_any_says_nothing_of_them():
    told = make_config(neighbours=(CITY, OTHER))

    assert decode_config(encode_config(told)) == told
    assert "neighbours" not in json.loads(PAYLOAD)
    assert (
        len({one.id for one in (CITY, OTHER, replace(CITY, key="0e" * 32), replace(CITY, address="https://b.vn"))}) == 4
    )
    assert replace(CITY, everybody=False, name=OTHER.name).id == CITY.id, "what it is called is not who it is"


@pytest.mark.parametrize(
    "neighbours",
    [
        [{**asdict(CITY), "address": "binhan.vn"}],
        [{**asdict(CITY), "address": "https://binhan.vn/other"}],
        [{**asdict(CITY), "key": "0F" * 32}],
        [{**asdict(CITY), "key": ""}],
        [{**asdict(CITY), "everybody": 1}],
        [{**asdict(OTHER), "index": "x"}],
        [{**asdict(OTHER), "export_key": "no key"}],
        [asdict(CITY), asdict(CITY)],
        [{**asdict(CITY), "key": f"{place:064x}"} for place in range(9)],
        {},
    ],
    ids=str,
)
def test_neighbours_that_no_phone_could_follow_are_refused(neighbours):
    with pytest.raises(InvalidConfig):
        decode_config(json.dumps(json.loads(PAYLOAD) | {"neighbours": neighbours}).encode())


def test_the_ministrys_number_comes_back_and_is_not_blank():
    told = make_config(national_hotline="1900 9095")

    assert decode_config(encode_config(told)) == told
    with pytest.raises(InvalidConfig):
        decode_config(json.dumps(json.loads(PAYLOAD) | {"national_hotline": " "}).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"venue_keys": {"256": "0" * 64}},
        {"venue_keys": {"01": "0" * 64}},
        {"venue_keys": {"1": "0" * 63}},
        {"venue_keys": []},
        {"push_key": "AAAA"},
        {"push_key": 1},
    ],
)
def test_odd_venue_and_push_keys_are_refused(change):
    with pytest.raises(InvalidConfig):
        decode_config(json.dumps(json.loads(PAYLOAD) | change).encode())


def test_a_member_of_a_later_version_is_passed_over():
    assert decode_config(json.dumps(json.loads(PAYLOAD) | {"later": [1]}).encode()) == make_config()


@pytest.mark.parametrize(
    "changes",
    [
        {"hotline": ""},
        {"hotline": " "},
        {"number": 0},
        {"number": True},
        {"history": ("abc",)},
        {"history": hashes(1, 51)},
        {"city": {"vi": "Thành phố"}},
        {"zone": "../etc/passwd"},
        {"public_host": "host/path"},
        {"export_keys": ()},
        {"export_keys": ("no key",)},
        {"waits": {"verify_to_upload_seconds": 0}},
        {"waits": {"verify_to_upload_seconds": -1, "web_minimum_seconds": 0}},
        {"texts": {"vi": {}, "en": {}}},
        {"declaration_key": ""},
        {"week_keys": (make_week_key(), make_week_key(klass=2))},
        {"week_keys": (make_week_key(klass=0),)},
        {"week_keys": (make_week_key(purpose="gate", klass=1),)},
        {"week_keys": (make_week_key(purpose="other"),)},
        {"week_keys": (make_week_key(kid=65536),)},
        {"week_keys": (make_week_key(n=2**1024 + 1),)},
        {"week_keys": (make_week_key(n=2**2047),)},
        {"week_keys": (make_week_key(e=2),)},
        {"week_keys": (make_week_key(accept_until=0),)},
        {"week_keys": (make_week_key(week="49"),)},
    ],
)
def test_a_config_no_phone_could_use_is_refused(changes):
    with pytest.raises(InvalidConfig):
        decode_config(encode_config(make_config(**changes)))


def test_the_texts_may_hold_more_than_what_is_needed():
    texts = {language: dict(words) | {"extra": "more"} for language, words in make_config().texts.items()}

    assert decode_config(encode_config(make_config(texts=texts))).texts["vi"]["extra"] == "more"


@given(st.integers(0, len(PAYLOAD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_a_damaged_config_is_read_or_refused_and_nothing_else(position, replacement, removed):
    with suppress(InvalidConfig):
        decode_config(PAYLOAD[:position] + replacement + PAYLOAD[position + removed :])


def test_a_config_that_lists_the_held_one_continues_it():
    line = hashes(1, 60)
    for held in (10, 37, 59, 60):
        follow_config(make_config(number=60, history=line[9:59]), line[59], held, line[held - 1], 0)


def test_a_config_with_a_lower_number_is_refused():
    with pytest.raises(ConfigRolledBack):
        follow_config(make_config(number=2), hashes(2, 2)[0], 3, hashes(3, 3)[0], 0)


def test_a_config_with_another_past_is_refused():
    line = hashes(1, 5)
    with pytest.raises(ConfigHistoryDiffers):
        follow_config(make_config(number=5, history=line[:4]), line[4], 3, hashes(9, 9)[0], 0)
    with pytest.raises(ConfigHistoryDiffers):
        follow_config(make_config(number=5, history=line[:4]), line[4], 5, hashes(9, 9)[0], 0)


def test_a_config_may_say_the_same_time_as_the_one_before_and_no_earlier_one():
    line = hashes(1, 5)
    newest = make_config(number=5, history=line[:4])
    follow_config(newest, line[4], 4, line[3], newest.generated_at)
    with pytest.raises(ConfigRolledBack):
        follow_config(newest, line[4], 4, line[3], newest.generated_at + 1)


def test_a_config_whose_history_begins_later_is_not_followed():
    with pytest.raises(ConfigGap):
        follow_config(make_config(number=60, history=hashes(10, 59)), hashes(60, 60)[0], 9, hashes(9, 9)[0], 0)


def test_a_profile_with_nearness_and_weights_comes_back_whole_and_phones_of_0_1_0_see_only_the_weights():
    profile = profile_document("covid-19")
    payload = encode_config(make_config(profile=profile))
    members = json.loads(payload)

    assert decode_config(payload).profile == profile
    assert members["nearness"] == profile["nearness"]
    assert members["profile"]["weights"] == profile["weights"]
    assert "nearness" not in members["profile"]


@pytest.mark.parametrize("left_out", ["nearness", "weights"])
def test_a_profile_with_one_of_the_two_is_sent_as_it_is(left_out):
    profile = {name: value for name, value in profile_document("covid-19").items() if name != left_out}
    payload = encode_config(make_config(profile=profile))

    assert decode_config(payload).profile == profile == json.loads(payload)["profile"]


def test_where_there_is_nearness_the_weights_decide_nothing_and_must_be_right_all_the_same():
    profile = profile_document("covid-19")

    assert parse_profile(profile) == parse_profile({name: profile[name] for name in profile if name != "weights"})
    with pytest.raises(InvalidProfile, match="weights"):
        parse_profile({**profile, "weights": [{"below_db": 0, "weight": 1.0}]})
