# SPDX-License-Identifier: Apache-2.0
"""Photographs of visits: small, without metadata, of one's own visits."""

import datetime
import io
import uuid

import pytest
from PIL import Image
from tests.builders.canvass import NOW, Phone, street
from tests.builders.devices import bearer_header

from bluezone.rollout.canvass.models import Aside, Household, Photo
from bluezone.rollout.canvass.visits import endpoints


def jpeg(exif=b"", size=(64, 48)):
    out = io.BytesIO()
    Image.new("RGB", size, "green").save(out, "JPEG", exif=exif, comment=b"taken at home")
    return out.getvalue()


def place():
    exif = Image.Exif()
    exif[0x010F] = "A maker of telephones"
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()


def send(public, phone, key, content, **more):
    return public.post(
        f"/v1/canvass/photos/{key}", content, content_type="image/jpeg", **bearer_header(phone.token), **more
    )


@pytest.fixture
def visited(public, phone):
    entry = phone.entry(Household.objects.order_by("address").first())
    phone.call(public, entry)
    return entry["id"]


def test_a_photograph_is_stored_once_without_its_place_and_opens(public, phone, visited):
    content = jpeg(place())
    assert b"maker of telephones" in content
    assert send(public, phone, visited, content + b"hidden after the end").json() == {"stored": True}
    assert send(public, phone, visited, content).json() == {"stored": False}
    kept = bytes(Photo.objects.get().jpeg)
    assert not any(words in kept for words in (b"maker of telephones", b"taken at home", b"hidden", b"Exif"))
    assert Image.open(io.BytesIO(kept)).size == (64, 48)


def test_forty_megabytes_are_refused_unread_with_a_sentence_and_the_ward_sees_it(public, phone, visited):
    answer = send(public, phone, visited, b"", CONTENT_LENGTH=str(40 * 2**20))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "canvass_photo_too_large")
    assert "the visit is kept" in answer.json()["error"]["message"]
    assert Aside.objects.get().reason == "photo_too_large"
    send(public, phone, visited, b"", CONTENT_LENGTH=str(40 * 2**20))
    assert Aside.objects.count() == 1


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8", jpeg()[:200], b"\xff\xd8\xff\xe0\x00\x01"])
def test_what_is_no_whole_jpeg_is_refused(public, phone, visited, content):
    answer = send(public, phone, visited, content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "canvass_photo_invalid")


def test_only_ones_own_visits_take_a_photograph(public, phone, visited, committee, ward):
    other = Phone.leasing(street(ward, group="Tổ 6"), committee, "Máy 2")
    assert send(public, phone, uuid.uuid4(), jpeg()).status_code == 409
    answer = send(public, other, visited, jpeg())
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "canvass_photo_visit_unknown")


def test_photographs_go_after_thirty_days(public, phone, visited):
    from bluezone.rollout.canvass.retention import purge

    send(public, phone, visited, jpeg())
    purge(NOW + endpoints.KEPT - datetime.timedelta(minutes=1))
    assert Photo.objects.exists()
    purge(NOW + endpoints.KEPT)
    assert not Photo.objects.exists()
