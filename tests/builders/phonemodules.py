# SPDX-License-Identifier: Apache-2.0
"""Which modules a phone loads, and what it lacks."""

import pkgutil
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
# Not published for Android, or of servers and desktops only.
MISSING = {"numpy", "cryptography", "django", "bumble", "msgspec", "click"}
ENGINE = (
    "bluezone.face",
    "bluezone.handset",
    "bluezone.localpage",
    "bluezone.protocol",
    "bluezone.radio",
    "bluezone.transparency",
)
# What only servers, offices and desktops load of these.
ELSEWHERE = (
    "bluezone.protocol.declarationkey",
    "bluezone.protocol.exports.writer",
    "bluezone.protocol.primitives.pyca",
    "bluezone.radio.adapters",
    "bluezone.radio.air",
    "bluezone.radio.bumbleradio",
    "bluezone.radio.comparison",
)
# Phones load it; its `generate`, which they never call, is the maker of the week's keys.
MAKES_KEYS = "bluezone.protocol.blindrsa"
# Java's classes are there inside an app only.
_NEEDS_JAVA = "bluezone.radio.android.platform"


def _is_of(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def is_engine(name: str) -> bool:
    """Whether a module is one that phones load."""
    return _is_of(name, ENGINE) and not _is_of(name, ELSEWHERE)


def modules() -> list[str]:
    """Every module that phones load and that needs no Java."""
    found = (
        one.name
        for one in pkgutil.walk_packages([str(SRC / "bluezone")], "bluezone.", onerror=lambda name: None)
        if is_engine(one.name) and one.name != _NEEDS_JAVA
    )
    return sorted(found)
