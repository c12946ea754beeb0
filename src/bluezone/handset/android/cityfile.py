# SPDX-License-Identifier: Apache-2.0
"""The city for which the app was built: its server, and the public key for its signed files.

Android's network security configuration does not apply to Python's sockets, so this module refuses servers without TLS.
Source: docs/protocol.md section 5, "pinned in the build".
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bluezone.handset.city.config import parse_trust
from bluezone.refusal import Refused


class CityNotSet(Refused):
    """The app was built without a city: `city.toml` names no server, or no key to trust."""

    code = "city_not_set"


class ServerInClear(Refused):
    """The city's server is not an https address; the app uses only https."""

    code = "server_in_clear"


@dataclass(frozen=True, slots=True)
class CityFile:
    """server: `https://host[:port]`. trust: the city's Ed25519 public key, hex, base64 or PEM."""

    server: str
    trust: str

    @classmethod
    def read(cls, path: Path) -> "CityFile":
        """Read `city.toml`. Raises CityNotSet, ServerInClear, InvalidTrust."""
        try:
            document = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise CityNotSet(f"{path.name} cannot be read: {type(error).__name__}") from error
        server = document.get("server")
        trust = document.get("trust")
        if not (isinstance(server, str) and server and isinstance(trust, str) and trust):
            raise CityNotSet(f"{path.name} needs server and trust: see docs/android.md, building")
        if urlsplit(server).scheme != "https":
            raise ServerInClear(f"server is {server!r}, expected https://…")
        parse_trust(trust)
        return cls(server, trust)
