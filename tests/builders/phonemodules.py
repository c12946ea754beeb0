# SPDX-License-Identifier: Apache-2.0
"""The modules that a phone loads, and the packages that it lacks."""

import pkgutil
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
# Not published for Android, or for servers and desktops only.
MISSING = {"numpy", "cryptography", "django", "bumble", "msgspec", "click"}
ENGINE = (
    "bluezone.face",
    "bluezone.handset",
    "bluezone.localpage",
    "bluezone.protocol",
    "bluezone.radio",
    "bluezone.transparency",
)
# Modules in these packages that only servers, offices and desktops load.
ELSEWHERE = (
    "bluezone.protocol.declarationkey",
    "bluezone.protocol.exports.writer",
    "bluezone.protocol.primitives.pyca",
    "bluezone.radio.adapters",
    "bluezone.radio.air",
    "bluezone.radio.bumbleradio",
    "bluezone.radio.comparison",
)
# Phones load it; its `generate`, which makes week keys, is never called on a phone.
MAKES_KEYS = "bluezone.protocol.blindrsa"
# Java's classes exist only inside an app.
_NEEDS_JAVA = "bluezone.radio.android.platform"


def _is_of(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def is_engine(name: str) -> bool:
    """Whether phones load a module."""
    return _is_of(name, ENGINE) and not _is_of(name, ELSEWHERE)


def modules() -> list[str]:
    """Every module that phones load and that needs no Java."""
    names = (
        module.name
        for module in pkgutil.walk_packages([str(SRC / "bluezone")], "bluezone.", onerror=lambda name: None)
        if is_engine(module.name) and module.name != _NEEDS_JAVA
    )
    return sorted(names)
