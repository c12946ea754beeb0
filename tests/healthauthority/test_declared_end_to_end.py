# SPDX-License-Identifier: Apache-2.0
"""From a warned phone to the supervisor's telephone: sealed on the way, opened with the passphrase, gone in 30 days."""

import datetime
import functools
import time

import pytest
from django.utils import timezone
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient
from tests.builders.office import user

from bluezone import office_keyserver as opened_key_server
from bluezone.audit import hash_chain
from bluezone.city_settings import load_city
from bluezone.healthauthority.models import OpenedDeclaration
from bluezone.identity.models import AuditEntry, Role
from bluezone.keyserver.service import KeyServer
from bluezone.server.recurring_work import purge_office

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 11, 25)
PASSPHRASE = "năm con suối chảy về một bản"
PHONE, TEXT = "0912345678", "Tôi sốt nhẹ từ tối qua"


@pytest.fixture
def city(tmp_path, settings, monkeypatch):
    """A city whose key server and office lie in one folder, as `serve` has them, and have one clock."""
    (tmp_path / "one").mkdir()
    with city_with_phones(tmp_path / "one") as made:
        # By another clock the office would announce the keys of another week, which no phone here has.
        open_server = functools.cache(lambda folder: KeyServer.open(folder, lambda: made[2].now))
        monkeypatch.setattr(opened_key_server, "_open_server", open_server)
        settings.DATA_FOLDER = made[0].key_server.data_dir
        settings.CITY = load_city(settings.DATA_FOLDER)
        yield made
        opened_key_server.key_server().close()


@pytest.fixture
def supervisor(client, city):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("sup", Role.SUPERVISOR))
    session = client.session
    session["second_factor_at"] = int(time.time())
    session.save()
    return client


@pytest.mark.long
def test_a_declaration_goes_from_the_phone_to_the_supervisor_and_is_gone_after_30_days(supervisor, city):
    server, phones, world = city
    key = {"new": PASSPHRASE, "again": PASSPHRASE, "understood": "on"}
    assert supervisor.post("/codes/declarations/key/", key).status_code == 302
    patient, near = phones.new("patient"), phones.new("near")
    meet_phone(near, patient, 25, world=world)
    report_patient(patient, server)
    publish_reports(server, world)
    near.check()

    near.declarations.declare(DAY, "high", PHONE, TEXT, consent=True)

    assert [(sent.kind, sent.outcome) for sent in near.sent_log.all()] == [("declared", "accepted")]
    ((handle, _hour),) = server.key_server.declarations.list_declarations()
    assert PHONE not in supervisor.get("/codes/declarations/").text
    wrong = supervisor.post("/codes/declarations/", {"handle": handle, "passphrase": "no passphrase at all"})
    assert (wrong.status_code, PHONE in wrong.text) == (403, False)
    opened = supervisor.post("/codes/declarations/", {"handle": handle, "passphrase": PASSPHRASE})
    assert f"tel:{PHONE}" in opened.text
    assert TEXT in opened.text
    told = list(AuditEntry.objects.order_by("number").values_list("actor", "action", "subject"))
    assert told[-2:] == [("sup", "declaration_refused", ""), ("sup", "declaration_opened", handle)]
    assert hash_chain.verify_chain().broken_at is None

    world.pass_by(30 * 86_400 + 3600)
    server.key_server.ticks.purge(world.now)
    purge_office(timezone.now() + datetime.timedelta(days=30, hours=1))
    assert server.key_server.declarations.list_declarations() == []
    assert not OpenedDeclaration.objects.exists()
    files = [path for path in server.key_server.data_dir.rglob("*") if path.is_file()]
    assert not any(PHONE.encode() in path.read_bytes() for path in files)
