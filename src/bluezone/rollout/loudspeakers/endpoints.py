# SPDX-License-Identifier: Apache-2.0
"""What loudspeakers tell the office (what they played, and how they are), and the addresses for it on the public
origin.
"""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from bluezone.devices.audience import DeviceRequest, device_audience, read_json_body
from bluezone.devices.models import DeviceKind
from bluezone.devices.refusals import NoSuchAddress, refusal_response
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.rollout.loudspeakers.health import note_status
from bluezone.rollout.loudspeakers.live import pieces_for
from bluezone.rollout.loudspeakers.playback import PlayedInvalid, store_playings

MOST_BYTES = 256 * 1024


@device_audience(DeviceKind.SPEAKER, method="POST")
def submit_playings(request: DeviceRequest) -> dict[str, Any]:
    """Store reports and status; 409 `speaker_clock_wrong`, 422 `speaker_report_invalid` with nothing taken."""
    said = read_json_body(request, MOST_BYTES)
    rows, now = said.get("played", []), timezone.now()
    if not isinstance(rows, list):
        raise PlayedInvalid("played is a list")
    with transaction.atomic():
        if "status" in said:
            note_status(request.device, said["status"], now)
        taken = store_playings(request.device, rows, now)
    return {"server_time": now.timestamp(), "accepted": taken.accepted, "unknown": taken.unknown}


@device_audience(DeviceKind.SPEAKER)
def live_pieces(request: DeviceRequest, pk: int, first: int) -> dict[str, Any]:
    """Pieces of a live address from `first` on, in base64; 404 for another zone's."""
    found = pieces_for(request.device, pk, first, timezone.now())
    if found is None:
        raise NoSuchAddress("no one speaks here under this number")
    return found


@audience(EVERYONE)
def unknown_address(request: HttpRequest, rest: str) -> HttpResponse:
    """404 in the API's error shape for any other address of loudspeakers."""
    return refusal_response(NoSuchAddress("nothing is served at this address"), timezone.now())


urlpatterns = [
    path("v1/speakers/played", submit_playings, name="speaker-played"),
    path("v1/speakers/live/<int:pk>/<int:first>", live_pieces, name="speaker-live"),
    path("v1/speakers/<path:rest>", unknown_address, name="speaker-nothing"),
]
