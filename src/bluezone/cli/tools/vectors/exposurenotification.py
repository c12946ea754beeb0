# SPDX-License-Identifier: Apache-2.0
"""The Exposure Notification vectors: derived keys, identifiers and encrypted metadata."""

from collections.abc import Iterator
from typing import Any

from bluezone.cli.tools.vectors.case import Case
from bluezone.protocol.identifiers import crypt_metadata, identifier_key, metadata_key, rolling_proximity_identifier
from bluezone.protocol.intervals import INTERVALS_PER_DAY, day_at, first_interval

FAMILY = "exposure_notification"


def exposure_notification_cases(document: dict[str, Any]) -> Iterator[Case]:
    """Yield the header as one case, and each pair of identifier and encrypted metadata."""
    yield Case(FAMILY, "header", _check_header, document)
    for pair in document.get("rpi_aem", ()):
        content = {"tek": document.get("tek"), "metadata": document.get("metadata"), **pair}
        yield Case(FAMILY, f"interval {pair.get('interval')}", _check_pair, content)


def _check_header(document: dict[str, Any]) -> tuple[Any, Any]:
    key = bytes.fromhex(document["tek"])
    got = {
        "rpik": identifier_key(key).hex(),
        "aemk": metadata_key(key).hex(),
        "rolling_start_interval": first_interval(day_at(document["key_generation_unix"])),
        "rolling_period": INTERVALS_PER_DAY,
    }
    return got, {name: document[name] for name in got}


def _check_pair(pair: dict[str, Any]) -> tuple[Any, Any]:
    key = bytes.fromhex(pair["tek"])
    identifier = rolling_proximity_identifier(key, pair["interval"])
    encrypted = crypt_metadata(key, identifier, bytes.fromhex(pair["metadata"]))
    return {"rpi": identifier.hex(), "aem": encrypted.hex()}, {"rpi": pair["rpi"], "aem": pair["aem"]}
