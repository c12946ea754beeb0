# SPDX-License-Identifier: Apache-2.0
"""Scenario 18: "Editor writes a bulletin, TTS heard, human recording replaces it, loudness within -16 +-1 LUFS,
approved; rrule "5:30 and 17:30 daily until 30-09" shows the exact list, in local time; iCal and RSS validate."
"""

import datetime
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import clear_url_caches
from django.utils import timezone
from lxml import etree
from tests.builders.bulletins import TEXT, make_recording
from tests.builders.directives import person
from tests.builders.office import prove_second_factor
from tests.rollout.bulletins.test_publishing import check_rss, read_calendar
from tests.rollout.bulletins.test_sounds import meter

from bluezone.rollout.bulletins.models import Airing, Outlet, Schedule, Script
from bluezone.rollout.bulletins.texts import approval


def heard(client, script, monkeypatch):
    """The page plays the sound from its beginning to its end, which takes as long as it lasts."""
    address = f"/bulletins/versions/{script.pk}/listening/"
    sound = client.get(f"/bulletins/versions/{script.pk}/sound.mp3")
    assert sound.content == bytes(script.sound.content)
    assert client.post(address, {"stage": "begun"}).status_code == 200
    assert client.post(address, {"stage": "heard"}).status_code == 409
    began = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: began + datetime.timedelta(seconds=script.sound.seconds))
    assert client.post(address, {"stage": "heard"}).status_code == 200
    monkeypatch.undo()


@pytest.mark.long
def test_from_the_first_word_to_the_calendar(client, committee, monkeypatch):
    media = committee
    writer, approver = person("bien", "editor", media, name="Hà Thị Biên"), person("duyet", "editor", media)
    operator = person("loa", "speaker_operator", media)
    client.force_login(operator)
    assert client.post("/loudspeakers/new/", {"agency": media.pk, "name": "Tổ 5"}).status_code == 302

    client.force_login(writer)
    made = client.post(
        "/bulletins/new/", {"title": "Cài Bluezone", "importance": "normal", "agency": media.pk, "text_vi": TEXT}
    )
    machine = Script.objects.get()
    assert not machine.sound.is_human
    page = client.get(made.url).text
    assert f"/bulletins/versions/{machine.pk}/sound.mp3" in page
    file = SimpleUploadedFile("ban-tin.wav", make_recording(3.0, -30.0))
    assert client.post(f"{made.url}record/", {"language": "vi", "text": TEXT, "file": file}).status_code == 302
    early = client.get(f"{made.url}schedules/new/", follow=True)
    assert early.redirect_chain[0][0] == made.url
    assert "chưa có lời được duyệt" in early.text
    human = Script.objects.get(number=2)
    assert human.sound.is_human
    loudness, peak = meter(bytes(human.sound.content))
    assert abs(loudness + 16) <= 1
    assert peak <= -1.5
    client.post(f"/bulletins/versions/{human.pk}/approve/")
    assert Script.objects.get(pk=human.pk).approved_at is None

    client.force_login(approver)
    client.post(f"/bulletins/versions/{human.pk}/approve/")
    assert not approval.has_heard(human, approver)
    assert Script.objects.get(pk=human.pk).approved_at is None
    heard(client, human, monkeypatch)
    client.post(f"/bulletins/versions/{human.pk}/approve/")
    assert Script.objects.get(pk=human.pk).approved_by == approver

    client.force_login(writer)
    prove_second_factor(client)
    first = timezone.localdate() + datetime.timedelta(days=1)
    # The thirtieth of a September that is to come, as the letter of 2020 had it.
    last = datetime.date(first.year + (first.month > 9), 9, 30)
    outlet = Outlet.objects.get()
    form = {"outlets": [outlet.pk], "languages": ["vi"], "first": str(first), "last": str(last), "times": "5:30, 17:30"}
    shown = client.post(f"{made.url}schedules/new/", form | {"preview": ""}).context["moments"]
    days = (last - first).days + 1
    assert [f"{timezone.localtime(one):%Y-%m-%d %H:%M}" for one in (shown[0], shown[1], shown[-1])] == [
        f"{first} 05:30", f"{first} 17:30", f"{last} 17:30",
    ]  # fmt: skip
    assert len(shown) == 2 * days
    assert not Schedule.objects.exists()
    horizon = timezone.now() + datetime.timedelta(days=8)
    planned = client.post(f"{made.url}schedules/new/", form | {"store": ""})
    assert planned.status_code == 302
    assert Airing.objects.count() == sum(one <= horizon for one in shown)
    backwards = client.post(f"{made.url}schedules/new/", form | {"first": str(last), "last": str(first), "store": ""})
    assert backwards.status_code == 422
    assert re.search("Ngày cuối|last day", backwards.text)
    assert client.post(f"{made.url}schedules/new/", form | {"store": ""}).status_code == 422
    assert Schedule.objects.count() == 1

    with override_settings(ROOT_URLCONF="bluezone.web.urls_public"):
        clear_url_caches()
        public = Client()
        calendar = read_calendar(public.get("/bulletins/air-plan.ics").content)
        feed = public.get("/bulletins/rss.xml").content
    clear_url_caches()
    assert [one[0] for one in calendar] == [f"{timezone.localtime(one):%Y-%m-%dT%H:%M:00}" for one in shown]
    check_rss(etree.fromstring(feed))
    assert b"ban-tin" not in feed
    assert TEXT in etree.fromstring(feed).findtext("channel/item/description")
