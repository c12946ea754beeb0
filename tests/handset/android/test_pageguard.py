# SPDX-License-Identifier: Apache-2.0
"""What the app's web view may open."""

import pytest

from bluezone.handset.android.cityfile import CityFile, CityNotSet, ServerInClear
from bluezone.handset.android.pageguard import classify_address, may_load, read_action
from bluezone.handset.city.config import InvalidTrust

PAGE = "http://127.0.0.1:40123/aB3_x-9/?token=secret"
TRUST = "11" * 32


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        (PAGE, "open"),
        ("http://127.0.0.1:40123/aB3_x-9/", "open"),
        ("http://127.0.0.1:40123/aB3_x-9/app.css#/more", "open"),
        ("tel:19009095", "dial"),
        ("tel:+842093870943", "dial"),
        ("bluezone:allow", "act"),
        ("http://127.0.0.1:40123/", "refuse"),
        ("http://127.0.0.1:40123/another/", "refuse"),
        ("http://127.0.0.1:40123/aB3_x-9/../etc", "refuse"),
        ("http://127.0.0.1:40124/aB3_x-9/", "refuse"),
        ("http://localhost:40123/aB3_x-9/", "refuse"),
        ("https://127.0.0.1:40123/aB3_x-9/", "refuse"),
        ("http://127.0.0.1:40123@evil.example/aB3_x-9/", "refuse"),
        ("https://evil.example/", "refuse"),
        ("tel:*21*0912345678#", "refuse"),
        ("tel:", "refuse"),
        ("sms:8000", "refuse"),
        ("intent://scan/#Intent;end", "refuse"),
        ("file:///data/data/vn.example.bluezone_phone/files/bluezone/handset/handset.key", "refuse"),
        ("content://media/1", "refuse"),
        ("javascript:alert(1)", "refuse"),
        ("data:text/html,x", "refuse"),
        ("http://[", "refuse"),
        ("", "refuse"),
    ],
)
def test_the_view_opens_the_phones_own_page_and_nothing_else(address, verdict):
    assert classify_address(address, PAGE) == verdict
    assert classify_address(address, None) == (verdict if verdict in ("act", "dial") else "refuse")


def test_the_view_gets_the_apps_own_screen_which_android_asks_for_by_a_data_address():
    asked = "data:text/html;charset=utf-8;base64,"

    assert may_load(asked, None, own_screen=True)
    assert not may_load(asked, PAGE, own_screen=False)
    assert not may_load("data:image/svg+xml,x", None, own_screen=True)
    assert not may_load("https://evil.example/", None, own_screen=True)
    assert may_load(PAGE, PAGE, own_screen=False)


def test_a_button_counts_only_on_a_screen_that_has_it():
    assert read_action("bluezone:anew", frozenset({"anew", "language"})) == "anew"
    assert read_action("bluezone:anew", frozenset({"allow"})) is None


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ('server = ""\ntrust = ""', CityNotSet),
        ('server = "https://city.example"', CityNotSet),
        ("server = 1\ntrust = 2", CityNotSet),
        ("not toml", CityNotSet),
        (f'server = "http://city.example"\ntrust = "{TRUST}"', ServerInClear),
        (f'server = "http://127.0.0.1:8000"\ntrust = "{TRUST}"', ServerInClear),
        ('server = "https://city.example"\ntrust = "nonsense"', InvalidTrust),
    ],
)
def test_a_build_without_its_city_or_with_a_server_in_clear_is_refused(tmp_path, text, refusal):
    file = tmp_path / "city.toml"
    file.write_text(text)
    with pytest.raises(refusal):
        CityFile.read(file)


def test_a_build_for_a_city_is_read(tmp_path):
    file = tmp_path / "city.toml"
    file.write_text(f'server = "https://city.example:8443"\ntrust = "{TRUST}"')

    assert CityFile.read(file) == CityFile("https://city.example:8443", TRUST)
    with pytest.raises(CityNotSet):
        CityFile.read(tmp_path / "missing.toml")
