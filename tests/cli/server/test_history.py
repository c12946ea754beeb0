# SPDX-License-Identifier: Apache-2.0
"""`bluezone history` and `bluezone recovery-key`: the operator's way from a restored backup back to the phones."""

import json

import pytest
from click.testing import CliRunner
from tests.builders.epochs import RECOVERY
from tests.builders.keyserver import Clock, open_server

from bluezone.cli.main import root
from bluezone.cli.server.recovery_key import RecoveryKeyInvalid, key_text, read_key
from bluezone.keyserver.configs.recoverykey import RECOVERY_FILE
from bluezone.keyserver.publication.history import UNCHECKED_FILE

PRIVATE = RECOVERY.private_bytes_raw()


def bluezone(*arguments, typed=""):
    """Exit code and JSON of a command in this process."""
    done = CliRunner().invoke(root, [*map(str, arguments), "--json"], input=typed)
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def city(tmp_path, monkeypatch):
    for name in ("BLUEZONE_DATABASE_URL", "BLUEZONE_EXPORTS_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    server = open_server(folder, Clock())
    server.tick()
    server.close()
    return folder


def test_a_key_from_paper_is_read_as_it_was_written_and_a_slip_is_found():
    text = key_text(PRIVATE)
    assert len(text.split("-")) == 17
    assert read_key(text) == read_key(text.replace("-", " ").upper()) == PRIVATE
    for slip in (text[:-1], text.replace("0", "1", 1), "", text + "-0000"):
        with pytest.raises(RecoveryKeyInvalid):
            read_key(slip)


@pytest.mark.long
def test_the_recovery_key_is_shown_once_and_lies_on_no_disk(city):
    code, told = bluezone("recovery-key", "new", "--data", city)
    private = read_key(told["recovery_key"])
    assert code == 0
    holding = [path for path in city.rglob("*") if path.is_file() and private.hex().encode() in path.read_bytes()]
    holding += [path for path in city.rglob("*") if path.is_file() and private in path.read_bytes()]
    assert holding == []
    assert (city / RECOVERY_FILE).read_text().strip() == told["public"]
    assert bluezone("recovery-key", "new", "--data", city)[1]["error"]["code"] == "recovery_key_exists"


@pytest.mark.long
def test_an_operator_opens_an_epoch_with_a_key_that_the_server_never_sees(city, tmp_path):
    (city / RECOVERY_FILE).write_text(RECOVERY.public_key().public_bytes_raw().hex())
    proposed, signed = tmp_path / "epoch.json", tmp_path / "epoch.signed"
    code, told = bluezone("history", "propose", "--data", city, "--seen", "exports=123456", "--out", proposed)
    assert (code, told["epoch"]["exports"]["first"]) == (0, 200_000)

    assert bluezone("recovery-key", "sign", proposed, "--out", signed, typed="00\n")[1]["error"]["code"] == (
        "recovery_key_invalid"
    )
    code, told = bluezone("recovery-key", "sign", proposed, "--out", signed, typed=key_text(PRIVATE) + "\n")
    assert code == 0
    assert PRIVATE.hex() not in signed.read_text()
    code, told = bluezone("history", "open", signed, "--data", city)
    assert (code, told["epoch"]["number"]) == (0, 1)
    assert bluezone("history", "open", signed, "--data", city)[1]["error"]["code"] == "epoch_unfit"
    assert bluezone("history", "adopt", "--data", city)[1]["heights"]["epoch"] == 1


@pytest.mark.long
def test_what_a_phone_holds_says_that_something_is_missing_or_that_nothing_is(city, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("BLUEZONE_HEADS", str(tmp_path / "another"))
    (city / UNCHECKED_FILE).touch()
    assert bluezone("history", "adopt", "--data", city)[1]["error"]["code"] == "history_unknown"
    assert bluezone("history", "adopt", "--data", city, "--seen", "exports=9")[1]["error"]["code"] == "history_forked"
    assert bluezone("history", "adopt", "--data", city, "--seen", "exports")[1]["error"]["code"] == "seen_invalid"
    assert (city / UNCHECKED_FILE).exists()
    caplog.clear()
    assert bluezone("history", "adopt", "--data", city, "--seen", "exports=1")[0] == 0
    # What opening the server finds is what the command is there to end; its result is not contradicted.
    assert "history_unknown" not in caplog.text
    assert not (city / UNCHECKED_FILE).exists()
