# SPDX-License-Identifier: Apache-2.0
"""Updates for boxes without a screen, from files in the data folder, in pieces for slow networks.

The operator puts the files there. A box trusts only the signature in the file, so nothing is checked here
(edge/appliance/updates.py).
"""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.devices.refusals import NoSuchAddress, refusal_response
from bluezone.edge.appliance.bundle import file_name
from bluezone.edge.appliance.updates import PIECE_BYTES
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE

FOLDER = "appliance"
_PLATFORM = re.compile(r"[a-z0-9]{2,12}-3\.[0-9]{1,2}")


@require_safe
@audience(EVERYONE)
def update(request: HttpRequest, platform: str) -> HttpResponse:
    """A piece of an update for a kind of machine, from byte `from`: 200, empty after its end; 404 for none."""
    start = request.GET.get("from", "0")
    if _PLATFORM.fullmatch(platform) and start.isascii() and start.isdigit() and len(start) < 12:
        try:
            with (settings.DATA_FOLDER / FOLDER / file_name(platform)).open("rb") as file:
                file.seek(int(start))
                content = file.read(PIECE_BYTES)
        except OSError:
            pass
        else:
            return HttpResponse(content, content_type="application/octet-stream", headers={"Cache-Control": "no-store"})
    return refusal_response(NoSuchAddress("there is no update for this kind of machine"), timezone.now())
