# SPDX-License-Identifier: Apache-2.0
"""What can be downloaded to print and pass on, each made once per city and version and kept in the data folder."""

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from bluezone.portal import picturing, sheets, speaking, wording
from bluezone.portal.facts import Facts
from bluezone.portal.folders import ASSETS

_PACKAGE = Path(__file__).parent
# Two readers who ask for the same sheet at once get one drawing of it.
_making = threading.Lock()


def _zalo_text(city: Facts) -> bytes:
    with override(city.language):
        return (wording.zalo(city) + "\n").encode()


@dataclass(frozen=True)
class Material:
    """One thing to download. name, ending: of its file, `leaflet-a5.vi.pdf`."""

    name: str
    ending: str
    media_type: str
    title: str | Promise
    purpose: str | Promise
    make: Callable[[Facts], bytes]

    @property
    def file(self) -> str:
        """Name without the language."""
        return f"{self.name}.{self.ending}"


_PDF = "application/pdf"
MATERIALS = [
    Material(
        "leaflet-a5", "pdf", _PDF, _("Leaflet A5"), _("For house-to-house visits and counters."), sheets.leaflet
    ),
    Material(
        "poster-a4", "pdf", _PDF, _("Poster A4"), _("For doors and counters. The code is 150 mm wide."),
        sheets.poster_a4,
    ),
    Material(
        "poster-a3", "pdf", _PDF, _("Poster A3"), _("For notice boards and gates. The code is 200 mm wide."),
        sheets.poster_a3,
    ),
    Material("letter-parents", "pdf", _PDF, _("Letter to parents"), _("For schools, to be signed."), sheets.letter),
    Material(
        "zalo", "png", "image/png", _("Picture for Zalo"), _("For groups, with the text below."), picturing.zalo_picture
    ),
    Material(
        "bulletin", "mp3", "audio/mpeg", _("Bulletin as sound"), _("A machine’s voice, 30 seconds; a draft."),
        speaking.bulletin_sound,
    ),
    Material("zalo", "txt", "text/plain; charset=utf-8", _("Text for Zalo"), _("As a file."), _zalo_text),
]  # fmt: skip
BY_FILE = {material.file: material for material in MATERIALS}


def content(material: Material, city: Facts) -> bytes:
    """The file in the city's language, from the data folder or made now. Raises SheetUnavailable, SoundUnavailable."""
    folder = settings.DATA_FOLDER / "materials"
    stem = f"{material.name}.{city.language}"
    path = folder / f"{stem}.{_version(city)}.{material.ending}"
    with _making:
        if path.exists():
            return path.read_bytes()
        made = material.make(city)
        folder.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        aside.write_bytes(made)
        aside.replace(path)
        for older in folder.glob(f"{stem}.*.{material.ending}"):
            if older != path:
                older.unlink(missing_ok=True)
        return made


def _version(city: Facts) -> str:
    """12 hex digits that change with the city's settings and with this program's words and templates."""
    return hashlib.sha256(f"{city!r}\0{_program()}".encode()).hexdigest()[:12]


@cache
def _program() -> str:
    digest = hashlib.sha256(ASSETS.digest.encode())
    catalogue = [path for folder in settings.LOCALE_PATHS for path in sorted(Path(folder).rglob("*.mo"))]
    for path in [*sorted(_PACKAGE.glob("*.py")), *sorted(_PACKAGE.glob("templates/portal/print/*")), *catalogue]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
