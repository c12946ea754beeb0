# SPDX-License-Identifier: Apache-2.0
"""The phone's page on this machine: the face (bluezone.face) and the phone's JSON API beside it."""

from collections.abc import Callable
from typing import Any

from bluezone import localpage
from bluezone.face.files import SERVICE_WORKERS, page, static_files
from bluezone.handset.overview import overview
from bluezone.handset.page.api import Api
from bluezone.handset.phone import Handset


class LocalPage(localpage.LocalPage):
    """Serves one phone's page.

    port: 0 takes a free one. next_check: gives Unix seconds of the next planned check, or None.
    on_erased: called once after the owner erased everything and was told so.
    """

    def __init__(
        self, handset: Handset, port: int = 0, next_check: Callable[[], float | None] = lambda: None,
        on_erased: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.handset = handset
        self.api = api = Api(handset, next_check)
        files = {name: file for name, file in static_files().items() if name not in SERVICE_WORKERS}
        reading = {f"api/{name}": call for name, call in api.reading.items()}
        changing = {f"api/{name}": call for name, call in api.changing.items()}
        super().__init__(
            {**files, "": page("handset")},
            {**reading, "status.json": lambda: _status(handset)},
            changing,
            port,
            lambda: on_erased() if api.erased else None,
        )


def _status(handset: Handset) -> dict[str, Any]:
    """The same as `bluezone handset status --json`, with the warnings' days."""
    days = [{"day": str(w.day), "level": w.level, "minutes": w.band, "near": w.near, "certainty": w.certainty}
            for w in handset.risk.warnings()]  # fmt: skip
    return {**overview(handset).to_json(), "days": days}
