# SPDX-License-Identifier: Apache-2.0
import json

import pytest
import zxingcpp
from click.testing import CliRunner
from PIL import Image
from tests.builders.keyserver import Clock
from tests.builders.printed import first_page

from bluezone.city_settings import write_default
from bluezone.cli.main import root
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.venues.registrar import count_valid
from bluezone.protocol.venues.codes import read_venue_link, venue_fingerprint, verify_venue_signature

pytestmark = pytest.mark.long

VENUE = ["--registration", "dk-1", "--name", "Quán phở Bắc Hồ", "--address", "Tổ 5, phường Sông Cầu", "--type", "4"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    write_default(tmp_path / "data", name_vi="Bắc Kạn", name_en="Bac Kan", hotline="0209 3870 000")
    return tmp_path / "data"


def ran(*arguments):
    return CliRunner().invoke(root, ["venues", *arguments])


def said(*arguments, code=0):
    result = ran(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_a_code_is_signed_and_its_drawing_reads_back(folder, tmp_path):
    picture = tmp_path / "poster.png"
    told = said("code", "--data", str(folder), *VENUE, "--out", str(picture))
    venue = read_venue_link(told["link"])
    server = KeyServer.open(folder)

    verify_venue_signature(venue, {1: server.secrets.venue_key.public_key().public_bytes_raw()})
    assert (venue.name, venue.stay_minutes, told["fingerprint"]) == ("Quán phở Bắc Hồ", 60, venue_fingerprint(venue))
    assert [read.text for read in zxingcpp.read_barcodes(Image.open(picture))] == [told["link"]]
    server.close()


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_a_drawing_for_print_is_fifteen_centimetres_wide_and_reads_back(folder, tmp_path, kind):
    drawing = tmp_path / f"poster.{kind}"
    told = said("code", "--data", str(folder), *VENUE, "--out", str(drawing))
    if kind == "svg":
        import re

        width = re.search(r'width="([0-9.]+)mm"', drawing.read_text())[1]
        assert float(width) == pytest.approx(150, abs=0.5)
        return
    image = first_page(drawing.read_bytes(), 150)
    assert image.width / 150 * 25.4 == pytest.approx(150, abs=1)
    assert [read.text for read in zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormat.QRCode)] == [told["link"]]


def test_local_times_bound_the_code(folder):
    told = said(
        "code", "--data", str(folder), *VENUE, "--from", "2026-11-25T08:00", "--to", "2026-11-26", "--temporary"
    )

    assert (told["valid_from"], told["valid_to"]) == (1795568400, 1795626000)
    assert read_venue_link(told["link"]).temporary


def test_a_second_code_is_refused_until_the_first_is_withdrawn(folder):
    first = said("code", "--data", str(folder), *VENUE)
    refused = said("code", "--data", str(folder), *VENUE, code=1)
    assert refused["error"]["code"] == "venue_registered"
    assert said("revoke", "--data", str(folder), "--link", first["link"])["registered"] == 0
    said("code", "--data", str(folder), *VENUE)

    assert said("revoke", "--data", str(folder), "--registration", "dk-1")["state"] == "revoked"
    assert (
        said("revoke", "--data", str(folder), "--registration", "dk-1", code=1)["error"]["code"]
        == "venue_not_registered"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["code", *VENUE, "--out", "poster.gif"],
        ["code", *VENUE, "--type", "13"],
        ["code", *VENUE, "--to", "tomorrow"],
        ["revoke"],
        ["revoke", "--registration", "a", "--link", "b"],
    ],
)
def test_a_wrong_call_signs_nothing(folder, arguments):
    assert ran(*arguments, "--data", str(folder)).exit_code == 2
    assert not (folder / "keys.sqlite3").exists() or _codes(folder) == 0


def _codes(folder):
    server = KeyServer.open(folder, Clock())
    try:
        return count_valid(server.keys_store, 0)
    finally:
        server.close()


def test_what_a_person_reads_names_link_and_fingerprint(folder):
    result = ran("code", "--data", str(folder), *VENUE)

    assert result.exit_code == 0
    assert "/v#" in result.stdout
    assert "fingerprint" in result.stdout
