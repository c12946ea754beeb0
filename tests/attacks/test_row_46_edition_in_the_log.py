# SPDX-License-Identifier: Apache-2.0
"""Row 46: served code cannot check itself, but whoever fetches it as its reader does finds that it is not logged."""

import datetime
import hashlib

import pytest
from django.utils import timezone
from tests.attacks.test_row_46_one_persons_web_edition import public, unpacked
from tests.builders.keyserver import call
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

from bluezone.handset.city.edition import EditionNotLogged, check_edition
from bluezone.handset.client import ServerAnswerRefused
from bluezone.portal.programs import log_programs

__all__ = ["data_folder", "furnished_folder", "public", "quick_passwords", "server"]
pytestmark = [pytest.mark.django_db, pytest.mark.long]


class Reader:
    """One person's view of the public origin. changed: what this person alone is given, by path."""

    def __init__(self, public, server, changed: dict[str, bytes] | None = None) -> None:
        self._public, self._server, self._changed = public, server, changed or {}

    def get(self, path: str, most_bytes: int = 0) -> bytes:
        if path in self._changed:
            return self._changed[path]
        if path.startswith("/v1/"):
            answered = call(self._server, "GET", path)
            if answered.status != 200:
                raise ServerAnswerRefused(path)
            return answered.body
        return unpacked(self._public.get(path))


@pytest.fixture
def city_key(server):
    return server.secrets.signing_key.public_key().public_bytes_raw()


@pytest.fixture
def logged(server):
    server.tick()
    log_programs(timezone.now())
    server.tick()
    return server


def test_row_46_the_edition_that_everybody_gets_is_in_the_log(public, logged, city_key):
    found = check_edition(Reader(public, logged), city_key)

    assert found["files"] > 50
    assert 0 <= found["leaf"] < found["size"]


def test_row_46_a_changed_file_is_found_whether_or_not_the_list_is_changed_with_it(public, logged, city_key):
    genuine = Reader(public, logged)
    script, page = genuine.get("/app/main.js"), genuine.get("/transparency/").decode()
    changed = {"/app/main.js": script + b"// for you alone"}
    with pytest.raises(EditionNotLogged, match="main"):
        check_edition(Reader(public, logged, changed), city_key)

    sha256s = [hashlib.sha256(content).hexdigest() for content in (script, changed["/app/main.js"])]
    assert sha256s[0] in page
    changed["/transparency/"] = page.replace(*sha256s).encode()
    with pytest.raises(EditionNotLogged, match="log does not name"):
        check_edition(Reader(public, logged, changed), city_key)


def test_row_46_a_file_left_out_of_the_list_or_an_empty_list_is_found(public, logged, city_key):
    page = Reader(public, logged).get("/transparency/").decode()
    for shorter in (page.replace('data-path="/app/main.js"', ""), "nothing"):
        with pytest.raises(EditionNotLogged):
            check_edition(Reader(public, logged, {"/transparency/": shorter.encode()}), city_key)


def test_row_46_an_edition_is_logged_once_however_often_the_worker_looks(logged):
    before = logged.public_log.size()
    log_programs(timezone.now() + datetime.timedelta(hours=1))
    logged.tick()

    assert logged.public_log.size() == before
