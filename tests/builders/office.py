# SPDX-License-Identifier: Apache-2.0
"""An office with its own data folder: users, its key server, and fixtures for the tests of its apps."""

import datetime
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.utils import timezone
from tests.builders.stores import with_week_keys

from bluezone import office_keyserver as opened_key_server
from bluezone.city_settings import load_city, write_default
from bluezone.directory.models import Agency
from bluezone.healthauthority.codes.issuance import NewCode
from bluezone.healthauthority.codes.tickets import verify_ticket
from bluezone.identity.factors import confirmation, totp
from bluezone.identity.models import AuthenticatorApp, Role, RoleGrant, User
from bluezone.keyserver.service import KeyServer
from bluezone.office_secrets import seal
from bluezone.protocol import declarationkey
from bluezone.web import urls_office

BEGINNING = datetime.date(2020, 1, 1)
APP_SECRET = b"a secret of twenty b"
PASSWORD = "suối chảy qua bản nhỏ"


def write_city(folder: Path, **settings) -> None:
    """`city.toml` of a small city."""
    write_default(
        folder, **{"name_vi": "thành phố Bắc Kạn", "name_en": "Bac Kan", "hotline": "0209 3870 000", **settings}
    )


def user(
    username: str = "lan", role: str | None = Role.HEALTH_WORKER, within=None, factor: bool = True, **values
) -> User:
    """An account with the password PASSWORD and a role (None: no role) in the city, an agency or a unit.

    factor: with an authenticator app of APP_SECRET; without one, roles that need a second factor open no page.
    """
    made = User(username=username, **{"name": "Nông Thị Lan", "agency": "Trạm Y tế Sông Cầu", **values})
    made.set_password(PASSWORD)
    made.save()
    if role is not None:
        reach = {"agency" if isinstance(within, Agency) else "unit": within}
        RoleGrant.objects.create(user=made, role=role, valid_from=BEGINNING, **reach)
    if factor:
        sealed = seal(APP_SECRET, f"authenticator app of {made.pk}")
        AuthenticatorApp.objects.create(user=made, sealed_secret=sealed)
    return made


def prove_second_factor(client: Client) -> Client:
    """Prove the second factor in a browser; the proof is valid for some minutes. Returns the browser."""
    session = client.session
    # Also stored in the client, because reading a session is a query.
    session[confirmation.CONFIRMED_KEY] = client.confirmed_at = int(timezone.now().timestamp())
    session.save()
    return client


def app_code(secret: bytes = APP_SECRET, steps_ahead: int = 0) -> str:
    """The code of the authenticator app now, or some half minutes later."""
    return totp.code_at(secret, int(time.time()) // totp.STEP_SECONDS + steps_ahead)


def wrong_app_code(secret: bytes = APP_SECRET) -> str:
    """Six digits that the app does not show now or within minutes; random ones would be right once in 300,000 tries."""
    codes = {app_code(secret, step) for step in range(-20, 21)}
    return next(code for code in map("{:06}".format, range(len(codes) + 1)) if code not in codes)


def row_of(issued: NewCode) -> str:
    """The key server's row of an issued code, from its ticket."""
    return verify_ticket(issued.record, issued.ticket)


def local_today() -> datetime.date:
    """The local date."""
    return timezone.localdate()


@pytest.fixture(scope="session")
def furnished_folder(tmp_path_factory) -> Path:
    """A data folder with keys and stores, made once."""
    folder = tmp_path_factory.mktemp("office") / "data"
    write_city(folder)
    with_week_keys(folder, time.time())
    KeyServer.open(folder).close()
    return folder


def copy_folder(furnished: Path, folder: Path) -> None:
    """Copy a furnished folder with the modes of its files but not their times, which is faster; most tests need a copy.

    The files are copied, not linked: an expired key is overwritten before it is removed.
    """
    shutil.copytree(furnished, folder, copy_function=shutil.copy)


@pytest.fixture(autouse=True)
def data_folder(tmp_path, settings, furnished_folder) -> Path:
    """A data folder with a city, set in Django's settings."""
    folder = tmp_path / "data"
    copy_folder(furnished_folder, folder)
    settings.DATA_FOLDER = folder
    settings.CITY = load_city(folder)
    settings.ALLOWED_HOSTS = ["testserver"]
    return folder


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Hash passwords with MD5, because Argon2 is slow on purpose; only its own tests use it."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
    ]


@pytest.fixture
def plain_refusals(monkeypatch) -> None:
    """Answer 403 and 404 without a page, for tests of many refusals, in which rendering is most of the work."""
    for status in (403, 404):
        monkeypatch.setattr(urls_office, f"handler{status}", partial(_plain_answer, status=status))


def _plain_answer(request, exception=None, status=0) -> HttpResponse:
    return HttpResponse(status=status)


@pytest.fixture
def quick_passphrases(monkeypatch) -> None:
    """Derive the key for declarations fast. It is slow on purpose; tests/protocol/test_declarationkey.py tests it."""
    stretch = declarationkey.Scrypt
    monkeypatch.setattr(declarationkey, "Scrypt", lambda n, **more: stretch(n=2, **more))


@contextmanager
def open_office(furnished: Path, folder: Path) -> Iterator[KeyServer]:
    """An office on a copy of the furnished folder, for fixtures of a whole module; yields its key server."""
    copy_folder(furnished, folder)
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher", "django.contrib.auth.hashers.Argon2PasswordHasher"]
    with override_settings(
        DATA_FOLDER=folder, CITY=load_city(folder), ALLOWED_HOSTS=["testserver"], PASSWORD_HASHERS=hashers
    ):
        server = opened_key_server.key_server()
        yield server
        server.close()
        opened_key_server._open_server.cache_clear()


@pytest.fixture
def server(data_folder) -> KeyServer:
    """The key server that the office's pages use."""
    server = opened_key_server.key_server()
    yield server
    server.close()
    opened_key_server._open_server.cache_clear()
