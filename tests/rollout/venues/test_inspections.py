# SPDX-License-Identifier: Apache-2.0
"""Inspections: pictures drawn anew, kept 90 days and shown to the ward alone; what they bring into coverage."""

import datetime
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.builders import venues as build
from tests.builders.office import user

from bluezone.identity.models import AuditEntry, Role
from bluezone.rollout.report_week import Week
from bluezone.rollout.venues import inspections, retention
from bluezone.rollout.venues.models import Inspection, InspectionPhoto
from bluezone.rollout.venues.queries import VenuesRegistered, VenuesWithPoster

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def upload(content, name="anh.jpg"):
    return SimpleUploadedFile(name, content, "image/jpeg")


@pytest.mark.long
def test_a_picture_is_stored_upright_small_and_without_place_or_camera(client, officer, server, wards):
    venue = build.approved_venue(wards[0], timezone.now())
    assert b"Camera of somebody" in build.photo()
    form = {
        "day": str(timezone.localdate()),
        "poster_seen": "on",
        "findings": "Treo ở quầy",
        "photo": upload(build.photo()),
    }
    answer = client.post(f"/venues/{venue.pk}/inspect/", form)
    assert answer.status_code == 302
    inspection = Inspection.objects.get()
    stored = bytes(inspection.photo.jpeg)
    with Image.open(io.BytesIO(stored)) as picture:
        assert picture.size == (1200, 1600), "2400 x 1800 on its side, turned and made smaller"
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for hidden in (b"Camera", b"secret comment", b"Exif"):
        assert hidden not in stored
    address = f"/venues/{venue.pk}/inspections/{inspection.pk}/photo.jpg"
    assert client.get(address).content == stored
    client.force_login(user("x.y", Role.OFFICER, within=wards[1]))
    assert client.get(address).status_code == 404

    retention.purge(timezone.now() + 91 * DAY)
    assert not InspectionPhoto.objects.exists()
    assert Inspection.objects.get().findings
    retention.purge(timezone.now() + 366 * DAY)
    assert Inspection.objects.get().findings == ""


def test_an_inspection_is_in_the_audit_with_what_was_seen_and_without_the_findings(client, officer, server, wards):
    venue = build.approved_venue(wards[0], timezone.now())
    form = {"day": str(timezone.localdate()), "poster_seen": "on", "findings": "Treo ở quầy"}
    assert client.post(f"/venues/{venue.pk}/inspect/", form).status_code == 302
    entry = AuditEntry.objects.get(action="venue_inspected")

    assert (entry.actor, entry.subject) == ("mai", str(venue.pk))
    assert entry.details == {"poster": True, "picture": False}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 no picture", "not a readable picture"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, "not a readable picture"),
        (b"\xff\xd8" + b"x" * (inspections.MOST_BYTES + 1), "too large"),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused_with_a_sentence(client, officer, server, wards, content, told):
    venue = build.approved_venue(wards[0], timezone.now())
    form = {"day": str(timezone.localdate()), "findings": "x", "photo": upload(content)}
    answer = client.post(f"/venues/{venue.pk}/inspect/", form)
    assert answer.status_code == 422
    assert told in answer.text
    assert not Inspection.objects.exists()


@pytest.mark.long
def test_a_picture_of_40_mb_is_refused_before_it_is_read(client, officer, server, wards):
    venue = build.approved_venue(wards[0], timezone.now())
    form = {"day": str(timezone.localdate()), "photo": upload(b"\xff\xd8" + b"x" * 40 * 1024 * 1024)}
    answer = client.post(f"/venues/{venue.pk}/inspect/", form)
    assert answer.status_code == 413
    assert not Inspection.objects.exists()


def test_a_small_file_that_unfolds_into_a_huge_picture_is_refused():
    packed = io.BytesIO()
    Image.new("1", (8_000, 8_000)).save(packed, "PNG", optimize=True)
    assert len(packed.getvalue()) < 200_000
    with pytest.raises(inspections.PhotoTooLarge):
        inspections.strip_metadata(upload(packed.getvalue()))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"]))
def test_no_bytes_bring_the_reader_down(content, head):
    with pytest.raises(inspections.PhotoUnreadable):
        inspections.strip_metadata(upload(head + content))


@pytest.mark.parametrize("days", [-1, 31])
def test_an_inspection_of_tomorrow_or_of_long_ago_is_refused(client, officer, server, wards, days):
    venue = build.approved_venue(wards[0], timezone.now())
    day = timezone.localdate() - days * DAY
    assert client.post(f"/venues/{venue.pk}/inspect/", {"day": str(day)}).status_code == 422


def test_coverage_sees_registered_of_known_and_posters_of_registered_apart_from_phones(server, wards):
    now, today = timezone.now(), timezone.localdate()
    wards[0].denominators.create(kind="venues", value=120, source="UBND phường", as_of=today - 9 * DAY)
    wards[1].denominators.create(kind="venues", value=1, source="UBND phường", as_of=today - 9 * DAY)
    first, second = build.approved_venue(wards[0], now), build.approved_venue(wards[0], now, name="Quán B")
    for name in ("Quán C", "Quán D"):
        build.approved_venue(wards[1], now, name=name)
    inspections.store_inspection("mai", first, today - DAY, True, "", None, now)
    inspections.store_inspection("mai", second, today - DAY, True, "", None, now)
    inspections.store_inspection("mai", second, today, False, "Tờ đã rách", None, now)

    week = Week.of(today)
    registered = {one.unit_path: one for one in VenuesRegistered().figures(week)}
    assert (registered[wards[0].path].count, registered[wards[0].path].base) == (2, 120)
    assert registered[wards[0].path].source == "UBND phường"
    assert (registered[wards[1].path].count, registered[wards[1].path].base) == (2, 2), "never more than all"
    seen = {one.unit_path: (one.count, one.base) for one in VenuesWithPoster().figures(week)}
    assert seen == {wards[0].path: (1, 2), wards[1].path: (0, 2)}
    assert not VenuesRegistered.of_phones
    assert not VenuesWithPoster.of_phones
