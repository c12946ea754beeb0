# SPDX-License-Identifier: Apache-2.0
"""A code book on a machine apart: made, sealed, printed, registered, revoked and counted, by the commands."""

import datetime
import json

import pypdfium2
import pytest
from click.testing import CliRunner
from tests.builders.codebooks import KEYS, city_with_books
from tests.builders.handset import PhoneClock

from bluezone.cli.main import root
from bluezone.codebooks.making import FacilitiesInvalid, Facility, first_book_day, make_book, read_facilities
from bluezone.codebooks.sealing import SealedBookInvalid, open_slips, read_key
from bluezone.protocol.upload.books import BookInvalid, open_book
from bluezone.protocol.upload.slips import book_begin, book_number, read_slip

CITY = bytes(range(32))
CLINIC = "Trạm y tế Phùng Chí Kiên"
DAY = 86_400


def command(*arguments):
    """Exit code and JSON of a command in this process."""
    done = CliRunner().invoke(root, ["codes", "book", *map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout)


def make(folder, key, city_hex, begins, *more):
    table = folder / "facilities.csv"
    table.write_text(f"facility,confirmed,clinical\n{CLINIC},2,1\nBệnh viện Bắc Kạn,1,1\n", "utf-8")
    arguments = ("--facilities", table, "--key", key, "--city", city_hex, "--origin", "https://bluezone.vn")
    return command(
        "make", *arguments, "--begins", begins, "--keys", KEYS, "--reserve", 1, "--out", folder / "book", *more
    )


@pytest.fixture
def made(tmp_path):
    code, key = command("key", "--out", tmp_path / "key")
    assert code == 0
    code, book = make(tmp_path, tmp_path / "key", CITY.hex(), "2026-12-07")
    assert (code, book["slips"], book["last_day"]) == (0, 7, "2026-12-20")
    return tmp_path / "book", bytes.fromhex(key["public"]), book


def test_the_list_has_both_classes_alike_and_nothing_of_the_facilities(made):
    folder, public, book = made
    content = (folder / f"{book['book']}.list").read_bytes()
    listed = open_book(content, [public])

    assert listed.count == KEYS
    assert listed.begins == datetime.datetime(2026, 12, 7, tzinfo=datetime.UTC).timestamp()
    assert listed.ends == listed.begins + 16 * DAY
    own = json.loads((folder / "book.json").read_text())
    keys = [bytes.fromhex(key) for classes in own["facilities"].values() for keys in classes.values() for key in keys]
    assert len(keys) == 7
    assert all(listed.find(key) for key in keys)
    assert len(content) == 57 + 2 * KEYS * 32 + 64


def test_the_sealed_file_opens_with_the_facilitys_key_alone_and_has_the_slips_that_are_printed(made):
    folder, _, _ = made
    name, key_line = (folder / "001.key.txt").read_text("utf-8").splitlines()
    sealed = (folder / "001.sealed").read_bytes()

    slips = [slip for day in open_slips(sealed, read_key(key_line))["days"].values() for slip in day]

    assert name == CLINIC
    assert len(slips) == 3
    own = json.loads((folder / "book.json").read_text())["facilities"][CLINIC]
    now = datetime.datetime(2026, 12, 9, tzinfo=datetime.UTC).timestamp()
    for slip in slips:
        assert read_slip(slip["digits"], CITY, now) == read_slip(slip["link"], CITY, now)
        assert read_slip(slip["link"], CITY, now).public.hex() in own[str(slip["class"])]
    text = pypdfium2.PdfDocument(folder / "001.pdf")[0].get_textpage().get_text_bounded()
    for slip in slips:
        assert " ".join(slip["digits"][place : place + 6] for place in (0, 6, 12)) in text
    assert "20/12/2026" in text
    other = (folder / "002.key.txt").read_text("utf-8").splitlines()[1]
    with pytest.raises(SealedBookInvalid):
        open_slips(sealed, read_key(other))


def test_what_is_secret_is_readable_by_the_maker_alone(made):
    folder, _, _ = made
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.suffix != ".list"}
    assert set(modes.values()) == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder.parent / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "table", ["facility,confirmed\nA,1\n", "facility,confirmed,clinical\nA,1,0\n", "facility,confirmed,clinical\n",
              "facility,confirmed,clinical\nA,1,1\nA,1,1\n", "facility,confirmed,clinical\nA,x,1\n"]
)  # fmt: skip
def test_facilities_that_would_stand_out_or_cannot_be_read_are_refused(tmp_path, table):
    (tmp_path / "f.csv").write_text(table)
    with pytest.raises(FacilitiesInvalid):
        read_facilities(tmp_path / "f.csv")


def test_a_book_begins_on_a_monday_and_has_room_for_its_slips():
    assert book_begin(first_book_day(datetime.date(2026, 12, 7))) % DAY == 0
    with pytest.raises(BookInvalid):
        first_book_day(datetime.date(2026, 12, 8))
    with pytest.raises(BookInvalid):
        make_book([Facility("A", 2, 1)], CITY, book_number(0), 14, 1)


def test_a_book_is_registered_used_revoked_and_counted_by_the_commands(tmp_path, monkeypatch):
    monkeypatch.delenv("BLUEZONE_MASTER_KEY", raising=False)
    with city_with_books(tmp_path) as city:
        folder = tmp_path / "book"
        key = tmp_path / "key"
        key.write_text(city.maker.key.private_bytes_raw().hex())
        key.chmod(0o600)
        monday = datetime.datetime.fromtimestamp(book_begin(book_number(city.world.now)), datetime.UTC).date()
        code, book = make(tmp_path, key, city.maker.city.hex(), monday.isoformat())
        assert code == 0
        sealed = (folder / "001.sealed").read_bytes()
        slips = open_slips(sealed, read_key((folder / "001.key.txt").read_text("utf-8").splitlines()[1]))["days"]
        first, second, _ = [slip["digits"] for day in slips.values() for slip in day]
        name = book["book"]

        assert command("register", book["list"], "--data", city.folder) == (0, {"book": name})
        phone = city.phones.new("patient", PhoneClock(city.world, city.world.now - 20 * DAY))
        phone.encounters.payload()
        city.world.pass_by(DAY)
        assert phone.report.prepare_and_submit(first, onset=phone.time.today(), consent=True).state == "sent"
        written = tmp_path / "revoked"
        here = ("--key", key, "--book", folder / "book.json", "--out", written)
        assert command("revoke", first, second, *here)[0] == 0
        assert command("end", written, "--data", city.folder) == (0, {"revoked": 1})
        assert command("spent", name, "--out", tmp_path / "early", "--data", city.folder)[0] == 1

        city.world.pass_by(16 * DAY)
        code, spent = command("spent", name, "--out", tmp_path / "spent", "--data", city.folder)
        assert (code, spent["spent"]) == (0, 1)
        code, counts = command("count", tmp_path / "spent", "--book", folder / "book.json")
        assert counts["facilities"][CLINIC] == {"used": 1, "slips": 3}
        assert counts["facilities"]["Bệnh viện Bắc Kạn"] == {"used": 0, "slips": 2}


def test_slips_of_another_book_are_not_revoked(made, tmp_path):
    folder, _, _ = made
    stranger = make_book([Facility("A", 1, 1)], CITY, book_number(0), 14, 1).slips["A"][0].slip
    here = ("--key", folder.parent / "key", "--book", folder / "book.json", "--out", tmp_path / "r")
    code, answer = command("revoke", stranger.link("https://bluezone.vn"), *here)
    assert (code, answer["error"]["code"]) == (1, "book_file_invalid")
