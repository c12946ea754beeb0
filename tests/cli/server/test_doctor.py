# SPDX-License-Identifier: Apache-2.0
"""`bluezone doctor` says what is wrong and what to do."""

import json
import sqlite3
import subprocess
from contextlib import closing

import pytest
from tests.builders.commands import bluezone
from tests.builders.office import write_city
from tests.builders.serving import BLUEZONE, free_port, prepared_store

from bluezone.keyserver.service import KeyServer
from bluezone.protocol.kernel import PROCESSORS, fastest_processor


def doctor(folder, expected=0, **environment):
    ran = bluezone("doctor", "--data", folder, "--json", **environment)
    assert ran.returncode == expected, ran.stderr
    return {check["name"]: check for check in json.loads(ran.stdout)["checks"]}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    write_city(folder)
    prepared_store(folder)
    return folder


def test_a_healthy_folder_has_no_failure_and_every_warning_says_what_to_do(folder):
    checks = doctor(folder)

    assert {"python", "bluetooth sockets", "bluetoothd", "gmpy2", "chromium", "clock", "disk"} <= set(checks)
    assert checks["data folder"]["state"] == checks["store office"]["state"] == "ok"
    assert checks["matcher"]["state"] == ("ok" if PROCESSORS else "warn")
    assert (checks["planner"]["state"], checks["planner"]["found"]) == ("ok", "native")
    assert all(check["next"] for check in checks.values() if check["state"] != "ok")


def test_the_program_as_it_is_installed_says_the_same(folder):
    ran = subprocess.run([BLUEZONE, "doctor", "--data", folder, "--json"], capture_output=True, timeout=300)
    checks = {check["name"]: check["state"] for check in json.loads(ran.stdout)["checks"]}

    assert checks == {name: check["state"] for name, check in doctor(folder).items()}


def test_the_matcher_is_the_one_that_the_environment_names(folder):
    named = doctor(folder, BLUEZONE_KERNEL="python")["matcher"]
    best = doctor(folder)["matcher"]
    if fastest_processor() == "python":
        assert named == best
    else:
        assert best["found"] == f"native, {fastest_processor()}"
        assert named["found"] == f"python, because BLUEZONE_KERNEL says so; {fastest_processor()} is quicker"
        assert (named["state"], best["state"]) == ("warn", "ok")


def test_a_matcher_that_is_not_there_is_a_failure(folder):
    check = doctor(folder, expected=1, BLUEZONE_KERNEL="sha+avx9")["matcher"]

    assert check["state"] == "fail"
    assert "processor_missing" in check["found"]
    assert "BLUEZONE_KERNEL" in check["next"]


def test_before_the_first_start_nothing_has_failed_and_nothing_is_made(tmp_path):
    checks = doctor(tmp_path / "none")

    assert checks["data folder"]["state"] == checks["stores"]["state"] == "warn"
    assert not (tmp_path / "none").exists()


def test_a_key_that_others_can_read_is_a_failure(folder):
    (folder / "keys" / "office-audit").touch()
    (folder / "keys" / "office-audit").chmod(0o644)
    check = doctor(folder, expected=1)["data folder"]

    assert check["state"] == "fail"
    assert "chmod" in check["next"]


def test_a_folder_that_others_can_look_into_is_a_warning(folder):
    folder.chmod(0o755)

    assert doctor(folder)["data folder"]["state"] == "warn"


def test_settings_that_cannot_be_read_are_a_failure(folder):
    (folder / "city.toml").write_text("hotline = 7")

    assert doctor(folder, expected=1)["city.toml"]["state"] == "fail"


def test_a_setting_that_weakens_privacy_is_a_warning(tmp_path):
    write_city(tmp_path, verify_to_upload_seconds=0)

    assert "demo only" in doctor(tmp_path)["city.toml"]["found"]


def test_a_database_that_is_not_there_is_a_failure_without_its_password(folder):
    url = f"postgresql://office:verysecret@127.0.0.1:{free_port()}/bluezone"
    checks = doctor(folder, expected=1, BLUEZONE_DATABASE_URL=url)

    assert {checks[f"store {name}"]["state"] for name in ("codes", "keys", "office")} == {"fail"}
    assert "verysecret" not in json.dumps(checks)


def emptied_log(path):
    """All of a store in its one file, as it lies on the disk for days."""
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.execute("PRAGMA journal_mode=DELETE")


@pytest.mark.parametrize("name", ["codes", "keys", "office"])
def test_a_store_with_damaged_pages_is_a_failure_that_says_what_not_to_do(folder, name):
    path = folder / f"{name}.sqlite3"
    emptied_log(path)
    content = bytearray(path.read_bytes())
    # Not the first page, so that the file still opens as a database.
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xa5" * 8192
    path.write_bytes(content)
    checks = doctor(folder, expected=1)

    assert [key for key, check in checks.items() if check["state"] == "fail"] == [f"store {name}"]
    assert "store_damaged" in checks[f"store {name}"]["found"]
    assert "change nothing" in checks[f"store {name}"]["next"]


def test_rows_that_point_at_rows_that_are_gone_are_damage(folder):
    with closing(sqlite3.connect(folder / "office.sqlite3")) as store:
        store.execute("INSERT INTO accounts_accountlink (user_id, digest, expires_at) VALUES (9999, 'x', '2030-01-01')")
        store.commit()

    assert "accounts_accountlink refers to a missing row of accounts_user" in doctor(folder, 1)["store office"]["found"]


def test_stores_of_an_earlier_version_are_named_and_left_as_they_are(folder):
    KeyServer.open(folder).close()
    with closing(sqlite3.connect(folder / "codes.sqlite3")) as store:
        waiting = store.execute("DELETE FROM migration WHERE number > 1").rowcount
        store.execute("DROP TABLE guess_count")
        store.commit()
    for name in ("codes", "keys", "office"):
        emptied_log(folder / f"{name}.sqlite3")
    held = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    check = doctor(folder)["store codes"]

    assert waiting > 1
    assert (check["state"], check["found"]) == (
        "warn",
        f"SQLite, whole, of an earlier version: {waiting} migrations wait",
    )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == held


def test_stores_that_are_not_there_yet_are_not_made(tmp_path):
    write_city(tmp_path)
    checks = doctor(tmp_path)

    assert {checks[f"store {name}"]["found"] for name in ("codes", "keys", "office")} == {"none yet"}
    assert [path.name for path in tmp_path.iterdir()] == ["city.toml"]


def test_an_office_store_from_a_newer_version_is_a_failure(folder):
    with sqlite3.connect(folder / "office.sqlite3") as store:
        store.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '9999_later', '2030-01-01')"
        )
    check = doctor(folder, expected=1)["store office"]

    assert "store_too_new" in check["found"]
    assert "newer version" in check["next"]


def written_before_joining(folder, left_out=()):
    """Let the history of an office store be what the migrations of the first months would have written."""
    import importlib

    joined = importlib.import_module("bluezone.rollout.directives.migrations.0001_squashed_0007_practice").Migration
    with sqlite3.connect(folder / "office.sqlite3") as store:
        # Whoever stopped between two of the steps has none of the later ones either.
        later = "" if left_out else " AND name = '0001_squashed_0007_practice'"
        store.execute(f"DELETE FROM django_migrations WHERE app = 'directives'{later}")
        store.executemany(
            "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, '2026-11-24')",
            [each for each in joined.replaces if each[1] not in left_out],
        )


def test_an_office_store_made_step_by_step_opens_as_one_made_at_once(folder):
    written_before_joining(folder)

    assert doctor(folder)["store office"]["state"] == "ok"


def test_an_office_store_left_between_two_of_those_steps_is_a_failure(folder):
    written_before_joining(folder, left_out=["0007_practice"])
    check = doctor(folder, expected=1)["store office"]

    assert "store_too_old" in check["found"]
