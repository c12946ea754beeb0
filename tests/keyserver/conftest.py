# SPDX-License-Identifier: Apache-2.0
"""Every test that uses `server` runs on both databases, on PostgreSQL where there is one to use."""

import datetime
import shutil

import pytest
from tests.builders.keyserver import (
    NOON,
    Clock,
    Phone,
    keys_for,
    open_server,
    poster,
    postgresql_database,
    postgresql_server,
)
from tests.builders.stores import with_week_keys

from bluezone.keyserver.keys.keyfolder import open_secrets
from bluezone.protocol.upload.codes import Credential

_VARIABLES = ("BLUEZONE_DATABASE_URL", "BLUEZONE_CODES_URL", "BLUEZONE_KEYS_URL")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request, monkeypatch):
    """Which database the key servers of this test use."""
    for variable in _VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    if request.param == "sqlite":
        yield "sqlite"
        return
    server_url = postgresql_server()
    with postgresql_database(server_url) as url:
        monkeypatch.setenv("BLUEZONE_DATABASE_URL", url)
        yield "postgresql"


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory):
    """A folder of secrets for NOON, made once."""
    data = tmp_path_factory.mktemp("secrets")
    with_week_keys(data, NOON)
    folder = data / "keys"
    secrets = open_secrets(folder)
    secrets.week_keys.rotate_week_keys(NOON)
    return folder


@pytest.fixture
def city_folder(tmp_path, made_keys):
    """A data folder with secrets in it, on which `opened` makes a key server."""
    shutil.copytree(made_keys, tmp_path / "keys")
    return tmp_path


@pytest.fixture
def server(city_folder, clock, database):
    key_server = open_server(city_folder, clock)
    yield key_server
    key_server.close()


@pytest.fixture
def onset():
    """Two days before NOON."""
    return datetime.datetime.fromtimestamp(NOON, datetime.UTC).date() - datetime.timedelta(days=2)


@pytest.fixture
def patient(server, onset):
    """A phone of a case with a code and three keys, which has not called the server yet."""
    issued = server.codes.issue_code("confirmed", onset)
    phone = Phone(poster(server), server, Credential.from_text(issued.code), keys=keys_for(server.clock()))
    phone.issued = issued
    return phone
