# SPDX-License-Identifier: Apache-2.0
"""Speaking live at loudspeakers: who may, for how long, what machines get of it, and what stays of it."""

import base64
import datetime
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.builders.bulletins import NOW, machine, zone
from tests.builders.devices import agency, bearer_header
from tests.builders.office import prove_second_factor, user
from tests.devices.conftest import public

from bluezone.audit.models import AuditEntry
from bluezone.directory.models import Agency
from bluezone.rollout.loudspeakers import live
from bluezone.rollout.loudspeakers.models import Address, Piece
from bluezone.rollout.loudspeakers.plan_server import plan_of

__all__ = ["public"]
pytestmark = pytest.mark.django_db


def later(seconds):
    return NOW + datetime.timedelta(seconds=seconds)


@pytest.fixture
def place():
    return zone()


@pytest.fixture
def head():
    return user("truong.thon", "speaker_operator", within=agency())


def plan(place):
    return plan_of(place.pk, int(NOW.timestamp()))["live"]


def test_pieces_reach_the_machines_of_the_zone_and_no_others(place, head):
    device, _token = machine(place)
    other, _other_token = machine(zone("Tổ 6"), "Loa 2")
    assert plan(place) is None
    address = live.accept_piece(head, place, 0, b"one", NOW, is_last=False)
    live.accept_piece(head, place, 1, b"two", later(1), is_last=False)

    assert plan(place) == {"id": address.pk, "until": NOW.timestamp() + live.MOST_SECONDS}
    encoded = [base64.b64encode(piece).decode() for piece in (b"one", b"two", b"three")]
    assert live.pieces_for(device, address.pk, 0, later(1)) == {"pieces": encoded[:2], "more": True}
    assert live.pieces_for(other, address.pk, 0, later(1)) is None
    live.accept_piece(head, place, 2, b"three", later(2), is_last=True)
    assert live.pieces_for(device, address.pk, 2, later(2)) == {"pieces": encoded[2:], "more": False}
    assert plan(place) is None


def test_an_address_is_bounded_in_time_and_size(place, head):
    live.accept_piece(head, place, 0, b"one", NOW, is_last=False)
    for number, content in ((1, b""), (2, b"three"), (1, b"x" * (live.MOST_PIECE_BYTES + 1)), (-1, b"x")):
        with pytest.raises(live.PieceInvalid):
            live.accept_piece(head, place, number, content, later(1), is_last=False)
    for number in range(1, live.MOST_SECONDS):
        live.accept_piece(head, place, number, b"more", later(number), is_last=False)
    with pytest.raises(live.AddressOver):
        live.accept_piece(head, place, live.MOST_SECONDS, b"more", later(live.MOST_SECONDS), is_last=False)


def test_a_microphone_that_fell_silent_has_ended(place, head):
    device, _token = machine(place)
    address = live.accept_piece(head, place, 0, b"one", NOW, is_last=False)
    assert live.pieces_for(device, address.pk, 1, later(live.SILENT_SECONDS + 1)) == {"pieces": [], "more": False}
    with pytest.raises(live.AddressOver):
        live.accept_piece(head, place, 1, b"two", later(live.SILENT_SECONDS + 1), is_last=False)


def test_two_do_not_speak_at_once_and_nobody_into_the_words_of_another(place, head):
    other = user("nguoi.khac", "speaker_operator", within=agency())
    live.accept_piece(head, place, 0, b"one", NOW, is_last=False)
    with pytest.raises(live.AddressOpen):
        live.accept_piece(other, place, 0, b"mine", later(1), is_last=False)
    with pytest.raises(live.AddressOver):
        live.accept_piece(other, place, 1, b"mine", later(1), is_last=False)
    # Whoever fell silent holds up nobody.
    assert live.accept_piece(other, place, 0, b"mine", later(1 + live.SILENT_SECONDS), is_last=True).spoken_by == other
    assert Address.objects.filter(ended_at=None).count() == 0


def test_the_log_has_who_spoke_for_how_long_and_what_was_played_and_the_voice_is_deleted(
    client, public, place, head, django_user_model
):
    device, token = machine(place)
    address = live.accept_piece(head, place, 0, b"one", NOW, is_last=False)
    live.accept_piece(head, place, 1, b"two", later(7), is_last=True)
    row = {"airing": f"live-{address.pk}", "outcome": "played", "began": NOW.timestamp(), "ended": later(7).timestamp(),
           "heard": 6.5, "sink": "aplay"}  # fmt: skip
    for heard in (6.5, 99.0):
        told = json.dumps({"played": [{**row, "heard": heard}, {**row, "airing": "live-99"}]})
        answer = client.post("/v1/speakers/played", told, content_type="application/json", **bearer_header(token))
        assert (answer.json()["accepted"], answer.json()["unknown"]) == (1, 1)

    address.refresh_from_db()
    assert address.heard == {str(device.pk): {"outcome": "played", "seconds": 6.5, "sink": "aplay", "reason": ""}}
    acts = AuditEntry.objects.filter(action__startswith="live_address").values_list("actor", "action")
    assert list(acts) == [("truong.thon", "live_address_begun"), ("truong.thon", "live_address_ended")]
    live.end_and_purge_addresses(later(8))
    assert Piece.objects.count() == 2
    live.end_and_purge_addresses(later(8) + live.VOICE_KEPT)
    assert Piece.objects.count() == 0


@pytest.mark.long
def test_the_page_of_the_zone_tells_what_was_spoken(client, place, head):
    device, _token = machine(place)
    address = live.accept_piece(head, place, 0, b"one", NOW, is_last=True)
    Address.objects.update(heard={device.pk: {"outcome": "played", "seconds": 6.5, "sink": "aplay", "reason": ""}})
    client.force_login(head)
    page = prove_second_factor(client).get(f"/loudspeakers/{place.pk}/?on={address.began_at:%Y-%m-%d}").text
    assert head.name in page
    assert f'href="/loudspeakers/{place.pk}/live/"' in page


def piece(number=0, **more):
    return {"number": number, "sound": SimpleUploadedFile("piece.webm", b"sound", "audio/webm"), **more}


@pytest.mark.long
def test_one_speaks_only_just_after_the_second_factor(client, place, head):
    page = f"/loudspeakers/{place.pk}/live/"
    client.force_login(head)
    for answer in (client.get(page), client.post(page, piece())):
        assert (answer.status_code, "/confirm/" in answer.url) == (302, True)
    assert not Address.objects.exists()
    assert prove_second_factor(client).get(page).status_code == 200
    assert client.post(page, piece()).json()["left"] == live.MOST_SECONDS
    assert client.post(page, piece(1, last="1")).status_code == 200
    assert client.post(page, piece(2)).status_code == 409
    session = client.session
    # What is proven must not end in the middle of an address.
    session["second_factor_at"] -= 300 - live.MOST_SECONDS + 5
    session.save()
    for answer in (client.get(page), client.post(page, piece())):
        assert (answer.status_code, "/confirm/" in answer.url) == (302, True)
    assert Address.objects.count() == 1


@pytest.mark.long
def test_one_speaks_at_the_loudspeakers_of_ones_own_unit_alone(client, place):
    above = user("tp", "speaker_operator")
    client.force_login(above)
    page = f"/loudspeakers/{place.pk}/live/"
    assert [prove_second_factor(client).get(page).status_code, client.post(page, piece()).status_code] == [403, 403]
    assert not Address.objects.exists()
    assert Agency.objects.exists()
