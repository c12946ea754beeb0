# SPDX-License-Identifier: Apache-2.0
"""Alerts: valid against the schema of OASIS whatever is written, released by a second person, updated and cancelled.

Scenario 17, the part without the carrier's feed: "CAP file valid against XSD for the operator's cell broadcast."
"""

import dataclasses
import datetime
import math
from pathlib import Path
from xml.dom import minidom

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.builders import outlines
from tests.builders.directives import city, person
from tests.builders.office import data_folder, furnished_folder, prove_second_factor, quick_passwords, server

from bluezone.identity.models import User
from bluezone.messaging.cap.document import Area, Message, Words, alert_xml, format_time
from bluezone.messaging.cap.matters import matters_of
from bluezone.messaging.cap.models import Alert
from bluezone.messaging.cap.views import AlertForm, _normalize

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]
SCHEMA = etree.XMLSchema(file=Path(__file__).parents[2] / "vectors" / "cap" / "CAP-v1.2.xsd")
CAP = {"c": "urn:oasis:names:tc:emergency:cap:1.2"}
LOCAL = datetime.timezone(datetime.timedelta(hours=7))
WORDS = {
    "headline_vi": "Phát hiện ca mắc tại chợ Bắc Kạn",
    "headline_en": "Case found at Bac Kan market",
    "description_vi": "Người đến chợ từ 7 giờ đến 10 giờ sáng 7/8 có thể đã tiếp xúc.",
    "description_en": "People at the market from 7 to 10 on 7 August may have been exposed.",
    "instruction_vi": "Mở Bluezone. Sốt, ho: gọi 1900 9095 trước khi đi khám.",
    "instruction_en": "Open Bluezone. Fever or cough: call 1900 9095 before going anywhere.",
    "severity": "Moderate",
    "urgency": "Expected",
    "certainty": "Observed",
    "status": "Actual",
}


def valid(xml: bytes):
    document = etree.fromstring(xml)
    SCHEMA.assertValid(document)
    return document


@given(
    *[st.text(min_size=1, max_size=60).map(_normalize).filter(str.strip)] * 3,
    st.sampled_from(["Alert", "Update", "Cancel"]),
    st.integers(1_600_000_000, 4_000_000_000).map(lambda seconds: datetime.datetime.fromtimestamp(seconds, LOCAL)),
)
def test_whatever_is_written_is_valid_and_comes_out_as_it_went_in(headline, description, instruction, kind, sent):
    words = [Words(tag, "Cảnh báo", "UBND", headline, description, instruction) for tag in ("vi-VN", "en")]
    areas = [Area("Phường Đức Xuân", "01840"), Area("Tổ 5 <& >", None)]
    references = [] if kind == "Alert" else ["a,b,2020-08-07T12:00:00+07:00"]
    document = valid(
        alert_xml(
            Message("x-1", "bz", sent, "Actual", kind, "Expected", "Severe", "Likely", sent, words, areas, references)
        )
    )

    texts = [
        document.findtext(f"c:info/c:{name}", namespaces=CAP) for name in ("headline", "description", "instruction")
    ]
    # XML itself makes every line end a line feed.
    assert texts == [headline, description, instruction]
    assert [one.text for one in document.iterfind("c:info/c:language", CAP)] == ["vi-VN", "en"]
    assert {one.text for one in document.iterfind("c:info/c:category", CAP)} == {"Health"}


def test_a_reader_that_looks_for_names_as_they_are_written_finds_them():
    """Readers in JavaScript and PHP often ask for `identifier`, and find nothing where a prefix stands before it."""
    sent = datetime.datetime(2020, 8, 7, 12, tzinfo=LOCAL)
    words = [Words("vi-VN", "Cảnh báo", "UBND", "a", "b", "c")]
    xml = alert_xml(Message("x-1", "bz", sent, "Actual", "Alert", "Expected", "Severe", "Likely", sent, words, []))

    assert [one.firstChild.data for one in minidom.parseString(xml).getElementsByTagName("identifier")] == ["x-1"]
    assert valid(xml).prefix is None


@pytest.fixture
def desks(client, db, server):
    """Sign in as one of two people: who writes, and who releases."""
    city()
    people = {"editor": person("editor", "editor"), "signer": person("signer", "issuer")}

    def sign_in(name):
        client.force_login(people[name])
        return prove_second_factor(client)

    return sign_in


def shown_units():
    """Two units that the form offers, with codes."""
    return list(AlertForm(by=User.objects.get(username="editor")).fields["units"].queryset.exclude(code=None)[:2])


def written(client, **changes):
    units = [unit.pk for unit in shown_units()]
    until = (timezone.localtime() + datetime.timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M")
    return client.post("/alerts/new/", {**WORDS, "units": units, "expires_at": until, **changes})


@pytest.mark.long
@pytest.mark.django_db
def test_four_eyes_a_file_for_the_operator_an_update_and_a_cancellation(desks):
    written(desks("editor"))
    draft = Alert.objects.get()
    assert desks("editor").post(f"/alerts/{draft.pk}/release/").status_code == 403, "a role of its own"
    assert written(desks("signer"), headline_vi="Của chính người ký").status_code == 302
    own = Alert.objects.exclude(pk=draft.pk).get()
    refused = desks("signer").post(f"/alerts/{own.pk}/release/")
    assert (refused.status_code, own.sent_at) == (409, None)
    assert "Người ký khác" in refused.content.decode()

    assert desks("signer").post(f"/alerts/{draft.pk}/release/").status_code == 302
    assert desks("signer").post(f"/alerts/{draft.pk}/release/").status_code == 409
    sent = valid(desks("editor").get(f"/alerts/{draft.pk}/file.xml").content)
    assert [sent.findtext(f"c:{name}", namespaces=CAP) for name in ("msgType", "status", "scope")] == [
        "Alert", "Actual", "Public",
    ]  # fmt: skip
    codes = [one.findtext("c:value", namespaces=CAP) for one in sent.iterfind("c:info[1]/c:area/c:geocode", CAP)]
    assert sorted(codes) == sorted(unit.code for unit in shown_units())

    until = (timezone.localtime() + datetime.timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    units = list(draft.units.values_list("pk", flat=True))
    desks("editor").post(f"/alerts/{draft.pk}/update/", {**WORDS, "units": units, "expires_at": until})
    update = Alert.objects.get(kind="Update")
    desks("signer").post(f"/alerts/{update.pk}/release/")
    assert desks("editor").post(f"/alerts/{draft.pk}/cancel/").status_code == 409, "the update is what is in force"
    waits = desks("editor").post(f"/alerts/{update.pk}/cancel/").url
    assert not Alert.objects.filter(kind="Cancel").exists(), "a false all-clear does as much harm as a false alarm"
    assert desks("signer").post(waits).status_code == 302
    last = valid(desks("editor").get(f"/alerts/{Alert.objects.get(kind='Cancel').pk}/file.xml").content)
    named = last.findtext("c:references", namespaces=CAP).split(" ")
    assert [one.split(",")[1] for one in named] == [update.identifier, draft.identifier]
    assert named[1].split(",")[2] == sent.findtext("c:sent", namespaces=CAP)


@pytest.mark.django_db
def test_a_draft_waits_for_who_may_release_it_and_not_for_who_wrote_it(desks):
    written(desks("editor"))
    draft = Alert.objects.get()
    written(desks("signer"))
    signer, editor = (User.objects.get(username=name) for name in ("signer", "editor"))
    now = timezone.now()

    assert [(waiting.what, waiting.url) for waiting in matters_of(signer, now)] == [
        (WORDS["headline_vi"], f"/alerts/{draft.pk}/")
    ]
    assert matters_of(editor, now) == []
    assert matters_of(signer, draft.expires_at) == []


@pytest.mark.django_db
def test_a_sent_alert_carries_outlines_and_sender_as_they_were_whatever_changes_later(desks, settings, data_folder):
    written(desks("editor"))
    draft, (first, second) = Alert.objects.get(), shown_units()
    outlines.put(data_folder, outlines.grid([first.key], property_name="key"))
    desks("signer").post(f"/alerts/{draft.pk}/release/")
    outlines.put(data_folder, outlines.grid([second.key, first.key], property_name="key"))
    settings.CITY = dataclasses.replace(settings.CITY, public_host="another.example")
    sent = valid(desks("editor").get(f"/alerts/{draft.pk}/file.xml").content)
    areas = {one.findtext("c:areaDesc", namespaces=CAP): one for one in sent.iterfind("c:info[1]/c:area", CAP)}
    polygon = areas[first.name].findtext("c:polygon", namespaces=CAP)
    points = [tuple(map(float, point.split(","))) for point in polygon.split(" ")]

    assert areas[second.name].find("c:polygon", CAP) is None
    assert points[0] == points[-1] == (outlines.SOUTH, outlines.WEST), "latitude first"
    assert 4 <= len(points) <= 100
    assert sent.findtext("c:sender", namespaces=CAP) == "localhost"


@pytest.mark.django_db
def test_an_outline_of_thousands_of_points_is_thinned_for_relays(desks, data_folder):
    written(desks("editor"))
    draft, unit = Alert.objects.get(), shown_units()[0]
    circle = [[105.8 + 0.05 * math.cos(n / 800), 22.1 + 0.05 * math.sin(n / 800)] for n in range(5000)]
    speck = [[105.8 + 1e-9 * n, 22.1 + 1e-9 * (n % 7)] for n in range(200)]
    rings = [outlines.feature(unit.key, [[*ring, ring[0]]], "key") for ring in (circle, speck)]
    outlines.put(data_folder, {"type": "FeatureCollection", "features": rings})
    shown = valid(desks("editor").get(f"/alerts/{draft.pk}/file.xml").content)
    found = [one.text.split(" ") for one in shown.iterfind("c:info[1]/c:area/c:polygon", CAP)]

    assert [4 <= len(points) <= 100 and points[0] == points[-1] for points in found] == [True, True]


@pytest.mark.django_db
def test_the_public_feed_names_what_was_sent_and_its_files_are_valid(desks, settings):
    from django.test import Client

    from bluezone.web import settings_public

    written(desks("editor"))
    draft = Alert.objects.get()
    Alert.objects.filter(pk=draft.pk).update(sent_at=timezone.now(), released_by="signer")
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES"):
        setattr(settings, name, getattr(settings_public, name))
    everybody = Client()
    feed = everybody.get("/cap/feed.xml")
    link, title, identifier = (
        etree.fromstring(feed.content).xpath(f"//a:entry/a:{what}", namespaces={"a": "http://www.w3.org/2005/Atom"})
        for what in ("link/@href", "title/text()", "id/text()")
    )
    assert link == identifier == [f"http://localhost:8000/cap/{draft.identifier}.xml"]
    assert title == [draft.headline_vi]
    assert feed["Content-Type"] == "application/atom+xml"
    valid(everybody.get(f"/cap/{draft.identifier}.xml").content)
    Alert.objects.filter(pk=draft.pk).update(sent_at=None, released_by="")
    assert everybody.get(f"/cap/{draft.identifier}.xml").status_code == 404, "a draft is nobody's"
    assert everybody.get("/cap/none.xml").status_code == 404
    Alert.objects.filter(pk=draft.pk).update(sent_at=timezone.now() - datetime.timedelta(days=31), released_by="a")

    assert b"entry" not in everybody.get("/cap/feed.xml").content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"instruction_vi": "x" * 400, "headline_vi": "y" * 160, "description_vi": "z"}, None),
        ({"instruction_en": "x" * 401}, "401"),
        ({"expires_at": "2020-08-07T12:00"}, "đã qua"),
        ({"units": []}, "bắt buộc"),
    ],
)
def test_what_no_phone_could_show_is_refused(desks, changes, sentence):
    answer = written(desks("editor"), **changes)

    assert answer.status_code == (302 if sentence is None else 422)
    assert Alert.objects.exists() == (sentence is None)
    if sentence:
        assert sentence in answer.content.decode()


@pytest.mark.long
@pytest.mark.django_db
def test_an_alert_is_in_force_until_it_ends_or_what_follows_it_is_sent(desks):
    written(desks("editor"))
    alert, now = Alert.objects.get(), timezone.now()
    page = f"/alerts/{alert.pk}/"

    def in_force():
        return desks("editor").get(page).context["in_force"]

    assert not in_force(), "a draft"
    Alert.objects.filter(pk=alert.pk).update(sent_at=now, released_by="signer")
    assert in_force()
    until = (timezone.localtime() + datetime.timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    units = list(alert.units.values_list("pk", flat=True))
    desks("editor").post(f"{page}update/", {**WORDS, "units": units, "expires_at": until})
    assert in_force(), "what follows it is a draft"
    Alert.objects.filter(kind="Update").update(sent_at=now, released_by="signer")
    assert not in_force()
    Alert.objects.filter(kind="Update").delete()
    Alert.objects.filter(pk=alert.pk).update(expires_at=now)
    assert not in_force()


def test_a_time_has_whole_seconds_and_the_offset_of_its_zone():
    moment = datetime.datetime(2020, 8, 7, 12, 0, 1, 999_999, datetime.timezone(datetime.timedelta(hours=7)))

    assert format_time(moment) == "2020-08-07T12:00:01+07:00"
    assert format_time(moment.astimezone(datetime.UTC)) == "2020-08-07T05:00:01+00:00"


@pytest.mark.django_db
def test_a_sent_alert_is_signed_once_and_a_draft_never(desks, settings):
    settings.CITY = dataclasses.replace(settings.CITY, cap_signed=1)
    written(desks("editor"))
    draft = Alert.objects.get()
    assert b"Signature" not in desks("editor").get(f"/alerts/{draft.pk}/file.xml").content

    desks("signer").post(f"/alerts/{draft.pk}/release/")
    sent = desks("editor").get(f"/alerts/{draft.pk}/file.xml").content
    valid(sent)
    assert b"SignatureValue" in sent
    settings.CITY = dataclasses.replace(settings.CITY, hotline="115", cap_signed=0)
    assert desks("editor").get(f"/alerts/{draft.pk}/file.xml").content == sent


@pytest.mark.django_db
def test_with_a_key_that_cannot_be_used_nothing_is_sent(desks, settings, data_folder):
    settings.CITY = dataclasses.replace(settings.CITY, cap_signed=1)
    (data_folder / "keys").mkdir(exist_ok=True)
    (data_folder / "keys" / "office-cap.pem").write_bytes(b"no key")
    written(desks("editor"))
    draft = Alert.objects.get()
    answer = desks("signer").post(f"/alerts/{draft.pk}/release/")

    draft.refresh_from_db()
    assert (answer.status_code, draft.sent_at) == (409, None)
    assert desks("signer").get("/alerts/").status_code == 200


KOREAN = {
    "headline_ko": "시장에서 확진자 발생",
    "description_ko": "8월 7일 시장 방문자",
    "instruction_ko": "1900 9095로 전화하십시오.",
}


@pytest.mark.django_db
def test_another_language_is_written_whole_or_not_at_all_and_stays_through_update_and_cancellation(desks):
    assert written(desks("editor"), headline_ko="확진자").status_code == 422
    assert written(desks("editor"), **KOREAN, instruction_zh="x" * 401).status_code == 422
    assert written(desks("editor"), **KOREAN).status_code == 302
    draft = Alert.objects.get()
    assert list(draft.other) == ["ko"]
    assert KOREAN["headline_ko"] in desks("editor").get(f"/alerts/{draft.pk}/edit/").content.decode()

    desks("signer").post(f"/alerts/{draft.pk}/release/")
    sent = valid(desks("editor").get(f"/alerts/{draft.pk}/file.xml").content)
    assert [one.text for one in sent.iterfind("c:info/c:language", CAP)] == ["vi-VN", "en", "ko-KR"]
    assert KOREAN["headline_ko"] in desks("editor").get(f"/alerts/{draft.pk}/update/").content.decode()

    waits = desks("editor").post(f"/alerts/{draft.pk}/cancel/").url
    assert KOREAN["headline_ko"] in desks("signer").get(waits).content.decode(), "the second person sees every word"
    desks("signer").post(waits)
    last = valid(desks("editor").get(f"/alerts/{Alert.objects.get(kind='Cancel').pk}/file.xml").content)
    instructions = [one.text for one in last.iterfind("c:info/c:instruction", CAP)]
    assert instructions[2] == "이 경보는 취소되었습니다. 더 하실 일은 없습니다."


@pytest.mark.django_db
def test_the_committee_of_the_city_is_the_sender_in_each_language(desks):
    written(desks("editor"), **KOREAN)
    shown = valid(desks("editor").get(f"/alerts/{Alert.objects.get().pk}/file.xml").content)

    assert [name.text for name in shown.iterfind("c:info/c:senderName", CAP)] == [
        "Ủy ban nhân dân thành phố Bắc Kạn", "People’s Committee of Bac Kan", "Bac Kan 인민위원회",
    ]  # fmt: skip
