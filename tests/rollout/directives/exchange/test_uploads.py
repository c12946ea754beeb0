# SPDX-License-Identifier: Apache-2.0
"""A file of another office is opened, its letters are looked through and read before anybody who writes has to wait."""

import sys

import pytest
from django.db import connection
from django.utils import timezone
from tests.builders.directives import NOW, person
from tests.rollout.directives.exchange.edxml.keys import signer as signer_of

from bluezone.directory.models import Agency
from bluezone.identity.models import Role
from bluezone.rollout.directives.exchange import partners, uploads
from bluezone.rollout.directives.exchange.edxml import Attachment, Edoc, Organisation, write_message

HEAVY = {"read_signed", "examine", "propose", "of"}
LETTER = "ỦY BAN NHÂN DÂN\nKính gửi: UBND thành phố\n1. Tuyên truyền cài đặt Bluezone.\n"


@pytest.mark.long
def test_nothing_of_a_file_is_opened_or_read_while_the_store_is_held(clerk):
    now = NOW
    ours = Agency.objects.get(key="ubnd-tp")
    Agency.objects.filter(pk=ours.pk).update(edxml_id="001.22.H03")
    office = Agency.objects.create(key="so-y-te", name="Sở Y tế", kind=ours.kind, unit=ours.unit, edxml_id="014.H03")
    theirs = signer_of("Sở Y tế", at=now)
    partners.pin(office, theirs.certificate, person("head", Role.ADMIN), now)
    names = Organisation("014.H03", office.name), (Organisation("001.22.H03", ours.name),)
    files = (Attachment("cong-van.txt", "text/plain", LETTER.encode()),)
    sent = Edoc(*names, "1520", "SYT-NVY", timezone.localdate(now), "V/v khai báo y tế", attachments=files)
    waiting = uploads.receive(write_message(sent, theirs), "tu-so-y-te.edxml", clerk, now)
    digest = uploads.look(bytes(waiting.content), clerk, now).digest
    outside, free, held = len(connection.savepoint_ids), set(), set()

    def note(frame, event, _argument):
        if event == "call":
            (held if len(connection.savepoint_ids) > outside else free).add(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        uploads.apply(waiting, digest, clerk, now)
    finally:
        sys.setprofile(None)
    assert {"read_signed", "examine", "propose"} <= free
    assert not HEAVY & held
    assert "bring_in" in held
