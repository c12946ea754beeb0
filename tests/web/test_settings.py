# SPDX-License-Identifier: Apache-2.0
"""Settings as a process reads them from its folder and environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bluezone.keyserver.storage.store import POOLER_VARIABLE
from bluezone.web.databases import DatabaseUrlInvalid, office_database

SHOW = """
import json, importlib, sys
s = importlib.import_module(sys.argv[1])
print(json.dumps({name: str(getattr(s, name)) for name in dir(s) if name.isupper()}))
"""


def settings_of(data_folder, module="bluezone.web.settings", **environment):
    environ = {**os.environ, "BLUEZONE_DATA": str(data_folder), **environment}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, module], env=environ, capture_output=True, text=True, check=True
    )
    return json.loads(shown.stdout)


def test_behind_tls_cookies_are_secure_and_hsts_is_on(data_folder):
    plain, tls = settings_of(data_folder), settings_of(data_folder, BLUEZONE_TLS="1")

    assert plain["SESSION_COOKIE_SECURE"] == "False"
    assert plain["SECURE_HSTS_SECONDS"] == "0"
    assert tls["SESSION_COOKIE_SECURE"] == tls["CSRF_COOKIE_SECURE"] == tls["LANGUAGE_COOKIE_SECURE"] == "True"
    assert tls["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert int(tls["SECURE_HSTS_SECONDS"]) >= 31_536_000


@pytest.mark.parametrize("module", ["bluezone.web.settings", "bluezone.web.settings_public"])
def test_the_check_for_production_finds_nothing(data_folder, module):
    environ = {**os.environ, "BLUEZONE_TLS": "1", "DJANGO_SETTINGS_MODULE": module, "BLUEZONE_DATA": str(data_folder)}
    command = [Path(sys.executable).with_name("bluezone"), "manage", "--data", data_folder]
    checked = subprocess.run(
        [*command, "check", "--deploy", "--fail-level", "WARNING"], env=environ, capture_output=True, text=True
    )

    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == ""


def test_each_origin_answers_to_its_own_host_and_the_same_secret_is_read_again(data_folder):
    office, public = settings_of(data_folder), settings_of(data_folder, "bluezone.web.settings_public")
    named = settings_of(data_folder, BLUEZONE_ALLOWED_HOSTS="office.example,10.0.0.4")

    assert office["SECRET_KEY"] == public["SECRET_KEY"]
    assert office["ROOT_URLCONF"] != public["ROOT_URLCONF"]
    assert "office.example" in named["ALLOWED_HOSTS"]
    assert "Session" not in public["MIDDLEWARE"]
    assert oct((data_folder / "keys" / "office-django").stat().st_mode & 0o777) == "0o600"


def test_without_a_data_folder_settings_load_and_write_nothing(tmp_path):
    read = settings_of(tmp_path / "none")

    assert read["CITY"] == "None"
    assert not (tmp_path / "none").exists()


def test_a_postgresql_address_names_the_schema_of_the_office():
    made = office_database(None, "postgresql://u%40x:p%2Fw@db.example:6432/city?sslmode=require")

    assert (made["USER"], made["PASSWORD"], made["HOST"], made["PORT"], made["NAME"]) == (
        "u@x",
        "p/w",
        "db.example",
        "6432",
        "city",
    )
    options = made["OPTIONS"]
    assert options["sslmode"] == "require"
    assert "-c search_path=office " in options["options"]


def test_an_address_with_several_hosts_is_handed_on_as_libpq_takes_it():
    made = office_database(None, "postgresql://u:p@one.example:6432,two.example/city?target_session_attrs=read-write")

    assert (made["HOST"], made["PORT"], made["NAME"]) == ("one.example,two.example", "6432,", "city")
    assert made["OPTIONS"]["target_session_attrs"] == "read-write"
    assert office_database(None, "postgresql:///city?host=/run/postgresql")["HOST"] == ""
    assert office_database(None, "postgresql://[::1]:5432/city")["HOST"] == "::1"


def test_no_connection_of_the_office_waits_for_ever_on_either_side():
    options = office_database(None, "postgresql://db.example/city")["OPTIONS"]

    assert {"connect_timeout", "keepalives_idle", "tcp_user_timeout"} <= options.keys()
    for name in ("statement_timeout", "idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_user_timeout"):
        assert f"-c {name}=" in options["options"]


def test_behind_a_pooler_nothing_is_set_on_a_connection_that_others_use_too(monkeypatch):
    monkeypatch.setenv(POOLER_VARIABLE, "transaction")
    made = office_database(None, "postgresql://db.example/city")

    assert made["OPTIONS"]["options"] == ""
    assert made["DISABLE_SERVER_SIDE_CURSORS"]


def test_a_database_that_says_nothing_is_given_up_soon_unless_its_address_says_otherwise():
    def waits(address):
        return int(office_database(None, address)["OPTIONS"]["connect_timeout"])

    assert waits("postgresql://db.example/city") == 4
    assert waits("postgresql://db.example/city?connect_timeout=20") == 20


@pytest.mark.parametrize(
    "address", ["mysql://u:secret@h/d", "secret", "postgresql://h:secret/d", "postgresql://h,:1/secret"]
)
def test_another_address_is_refused_without_repeating_it(address):
    with pytest.raises(DatabaseUrlInvalid) as refused:
        office_database(None, address)
    assert "secret" not in refused.value.message
