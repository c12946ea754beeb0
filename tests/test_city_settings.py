# SPDX-License-Identifier: Apache-2.0
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.city_settings import (
    PAST_SETTINGS,
    City,
    CityInvalid,
    CityMissing,
    data_folder,
    load_city,
    parse_city,
    unused_settings,
    write_default,
)

NAMES = {"name_vi": "Bắc Kạn", "name_en": "Bac Kan", "hotline": "0209 3870 000"}

_OF_BOTH = {"name_vi": 'Bình "An"', "name_en": "Binh An", "address": "https://binhan.vn"}
NEIGHBOUR = {**_OF_BOTH, "key": "0f" * 32, "everybody": 1}
OTHER = {**_OF_BOTH, "index": "/x/index.txt", "export_key": "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"}


def test_what_was_written_is_what_is_read(tmp_path):
    written = write_default(
        tmp_path,
        **NAMES,
        padding_mean=20,
        trusted_proxies=("10.0.0.0/8",),
        install_links={"linux": "https://a.vn/x"},
        neighbours=(NEIGHBOUR, OTHER),
        relay_stations={"Đài tỉnh": "https://a.vn/live", 'VOV "1"': "http://b.vn:8000/x"},
    )

    assert load_city(tmp_path) == written
    assert written.padding_mean == 20
    assert written.trusted_proxies == ("10.0.0.0/8",)
    assert written.relay_stations == {"Đài tỉnh": "https://a.vn/live", 'VOV "1"': "http://b.vn:8000/x"}
    assert asdict(written)["install_links"] == {"linux": "https://a.vn/x"}


def test_a_file_that_is_there_is_left_as_it_is(tmp_path):
    write_default(tmp_path, **NAMES)

    assert write_default(tmp_path, **{**NAMES, "hotline": "115"}).hotline == "0209 3870 000"


def test_a_setting_of_an_earlier_version_is_read_over_and_named(tmp_path):
    written = write_default(tmp_path, **NAMES)
    path = tmp_path / "city.toml"
    path.write_text("uuid = 20054\n" + path.read_text())

    assert load_city(tmp_path) == written
    assert list(unused_settings(tmp_path)) == ["uuid"]
    assert "delete the line" in unused_settings(tmp_path)["uuid"]
    assert not {field.name for field in fields(City)} & PAST_SETTINGS.keys(), "what is a setting is not past"


def test_a_folder_without_a_city_says_so(tmp_path):
    with pytest.raises(CityMissing):
        load_city(tmp_path)


@pytest.mark.parametrize(
    "settings",
    [
        {"hotline": ""},
        {"hotline": "call us"},
        {"zone": "Hanoi"},
        {"zone": "../etc/passwd"},
        {"public_host": "https://bluezone.vn"},
        {"public_host": "bluezone.vn/"},
        {"embargo_seconds": 7199},
        {"embargo_seconds": "7200"},
        {"hold_hours": 25},
        {"hold_hours": -1},
        {"hold_hours": 5},
        {"hold_hours": 10},
        {"hold_hours": 3},
        {"hold_hours": 24, "publish_period_seconds": 0},
        {"padding_mean": True},
        {"reciprocity": 2},
        {"reciprocity": True},
        {"trusted_proxies": ["everybody"]},
        {"trusted_proxies": "10.0.0.0/8"},
        {"install_links": {"linux": "http://a.vn"}},
        {"install_links": "https://a.vn"},
        {"relay_stations": {"VOV1": "http://192.168.1.7/live"}},
        {"relay_stations": {"VOV1": "http://[::1]:8000/live"}},
        {"relay_stations": {"VOV1": "http://localhost/live"}},
        {"relay_stations": {"VOV1": "http://me:secret@radio.vn/live"}},
        {"relay_stations": {"VOV1": "http://2130706433/"}},
        {"relay_stations": {"VOV1": "file:///etc/passwd"}},
        {"relay_stations": {"": "https://radio.vn/live"}},
        {"relay_stations": ["https://radio.vn/live"]},
        {"name_vi": 7},
        {"hotlines": "115"},
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(settings):
    with pytest.raises(CityInvalid) as refused:
        parse_city({**NAMES, **settings})

    assert next(iter(settings)) in refused.value.message


@pytest.mark.parametrize("missing", sorted(NAMES))
def test_names_and_hotline_must_be_given(missing):
    with pytest.raises(CityInvalid, match=missing):
        parse_city({name: value for name, value in NAMES.items() if name != missing})


@pytest.mark.parametrize("text", [b"name_vi = ", b"\xff\xfe", b"[[["])
def test_what_is_not_toml_is_refused(tmp_path, text):
    (tmp_path / "city.toml").write_bytes(text)

    with pytest.raises(CityInvalid):
        load_city(tmp_path)


def test_a_refused_setting_leaves_no_file(tmp_path):
    with pytest.raises(CityInvalid):
        write_default(tmp_path, **NAMES, zone="Hanoi")
    assert list(tmp_path.iterdir()) == []


@given(name=st.text(min_size=1, max_size=60).filter(lambda text: text.strip()))
def test_any_name_survives_the_file_or_is_refused_before_it_is_written(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("city")
    if not name.isprintable():
        with pytest.raises(CityInvalid):
            write_default(folder, **{**NAMES, "name_vi": name})
        return
    write_default(folder, **{**NAMES, "name_vi": name})

    assert load_city(folder).name_vi == name


def test_settings_that_weaken_privacy_are_said_aloud():
    city = parse_city(NAMES)
    assert city.warnings() == []

    weak = replace(city, publish_period_seconds=0, verify_to_upload_seconds=0, padding_mean=0)
    assert len(weak.warnings()) == 3


def test_the_data_folder_is_the_option_then_the_variable_then_the_default(monkeypatch):
    monkeypatch.setenv("BLUEZONE_DATA", "/srv/city")
    assert str(data_folder("/tmp/other")) == "/tmp/other"
    assert str(data_folder()) == "/srv/city"
    monkeypatch.delenv("BLUEZONE_DATA")
    assert str(data_folder()) == "bluezone-data"


def test_every_setting_is_documented():
    from pathlib import Path

    text = (Path(__file__).parents[1] / "docs" / "reference" / "settings.md").read_text()
    assert [f.name for f in fields(City) if f"`{f.name}`" not in text] == []


@pytest.mark.parametrize("name", ["home_days", "test_from_day"])
def test_what_is_asked_of_a_warned_person_ends_with_the_watch(name):
    with pytest.raises(CityInvalid, match=name):
        parse_city({**NAMES, "watch_days": 7, "home_days": 0, "test_from_day": 0, name: 8})


@pytest.mark.parametrize("places", ["one line", [""], ["x" * 201], ["one"] * 21])
def test_places_of_tests_are_lines_for_people(places):
    with pytest.raises(CityInvalid, match="test_places"):
        parse_city({**NAMES, "test_places": places})


@pytest.mark.parametrize(
    "neighbours",
    [
        "https://binhan.vn",
        ["https://binhan.vn"],
        [NEIGHBOUR] * 9,
        [{**NEIGHBOUR, "address": "binhan.vn"}],
        [{**NEIGHBOUR, "address": "https://binhan.vn/x"}],
        [{**NEIGHBOUR, "key": "0f" * 31}],
        [{**NEIGHBOUR, "everybody": 2}],
        [{**NEIGHBOUR, "index": "/x"}],
        [{**OTHER, "index": "x"}],
        [{name: value for name, value in OTHER.items() if name != "index"}],
    ],
    ids=str,
)
def test_neighbours_are_tables_of_what_a_phone_needs(neighbours):
    with pytest.raises(CityInvalid, match=r"neighbour|everybody"):
        parse_city({**NAMES, "neighbours": neighbours})


def test_an_operator_is_told_of_a_neighbour_without_tls():
    city = parse_city({**NAMES, "neighbours": [{**NEIGHBOUR, "address": "http://binhan.vn"}]})
    assert any("without TLS" in sentence for sentence in city.warnings())
