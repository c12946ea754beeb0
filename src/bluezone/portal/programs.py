# SPDX-License-Identifier: Apache-2.0
"""The web edition with the city's key in it, as it is served to everybody."""

import functools

from bluezone.face import files as face
from bluezone.healthauthority.key_server import key_server
from bluezone.publicpages.page_frame import Asset

# Where the web edition is served; the page itself has the empty path.
APP = "/app/"


def web_edition() -> dict[str, Asset]:
    """Every file under /app/ by its path, as it is served to everybody."""
    return _web_edition(public_key())


def public_key() -> str:
    """The city's Ed25519 key in 64 hex digits, as `bluezone handset --trust` takes it."""
    return key_server().secrets.signing_key.public_key().public_bytes_raw().hex()


@functools.cache
def _web_edition(city_key: str) -> dict[str, Asset]:
    found = face.web_files(city_key) if (face.STATIC / face.INDEX).exists() else {}
    return {path: Asset(path, file.content, file.media_type) for path, file in found.items()}
