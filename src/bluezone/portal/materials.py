# SPDX-License-Identifier: Apache-2.0
"""Leaflets, posters, letters, texts and pictures to download, print and pass on: how each is made once per city and
version, and their page.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from bluezone import paper
from bluezone.duties.catalogue import print_sheets
from bluezone.duties.duty import load
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.media_types import PDF
from bluezone.paper import phrases
from bluezone.paper.pdf import font_file, sheet_html, write_pdf
from bluezone.paper.phrases import Facts, facts
from bluezone.publicpages.page_frame import ASSETS, KEPT_AN_HOUR, Asset, answer, show
from bluezone.refusal import Refused
from bluezone.speech.voice import can_speak, spoken_mp3

# Drawing is imported by what draws: a picture is made once, and every process would load it at its start.
if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

SIDE = 1080
_MARGIN = 72
_HEAD = 452
_CODE = 440
_BLUE, _INK, _SOFT, _WHITE = "#0a4fbf", "#0f2238", "#46586e", "#ffffff"


def zalo_picture(city: Facts) -> bytes:
    """PNG; its code is the short link, the same for everybody."""
    from PIL import Image, ImageDraw

    with override(city.language):
        head, below = phrases.headline(city), phrases.under(city)
        first = phrases.steps(city)[0]
    picture = Image.new("RGB", (SIDE, SIDE), _WHITE)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, SIDE, _HEAD), fill=_BLUE)
    _mark(draw, _MARGIN, 56)
    draw.text((_MARGIN + 92, 62), "Bluezone", font=_font(600, 40), fill=_WHITE)
    draw.text((_MARGIN + 92, 112), city.city, font=_font(400, 26), fill=_WHITE)
    y = _words(draw, head, (_MARGIN, 176), _font(600, 62), 72, _WHITE, SIDE - 2 * _MARGIN)
    _words(draw, below, (_MARGIN, y + 16), _font(400, 33), 44, _WHITE, SIDE - 2 * _MARGIN)
    _code(picture, city.short_link)
    left, room = _MARGIN + _CODE + 56, SIDE - 2 * _MARGIN - _CODE - 56
    y = _words(draw, first.do, (left, _HEAD + 76), _font(600, 44), 54, _INK, room)
    y = _words(draw, first.more, (left, y + 8), _font(400, 33), 44, _INK, room)
    _words(draw, city.host, (left, y + 24), _font(600, 38), 48, _BLUE, room)
    draw.text((_MARGIN, SIDE - 62), _fitting(wording_imprint(city)), font=_font(400, 24), fill=_SOFT)
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def wording_imprint(city: Facts) -> str:
    """The imprint in the city's language."""
    with override(city.language):
        return phrases.imprint(city)


def _fitting(text: str) -> str:
    return text if len(text) < 90 else text[:88] + "…"


def _mark(draw: "ImageDraw.ImageDraw", x: int, y: int) -> None:
    """The house's sign, white on blue, 76 pixels."""
    draw.ellipse((x, y, x + 76, y + 76), fill=_WHITE)
    for inset in (18, 28):
        draw.arc((x + inset, y + inset, x + 76 - inset, y + 76 - inset), 180, 360, fill=_BLUE, width=5)
    draw.ellipse((x + 33, y + 44, x + 43, y + 54), fill=_BLUE)


def _code(picture: "Image.Image", text: str) -> None:
    import segno
    from PIL import Image

    drawn = segno.make(text, error="q", micro=False)
    scale = _CODE // drawn.symbol_size(border=0)[0]
    buffer = BytesIO()
    drawn.save(buffer, kind="png", scale=scale, border=0)
    code = Image.open(buffer).convert("RGB")
    room = _CODE - code.width
    picture.paste(code, (_MARGIN + room // 2, _HEAD + 64 + room // 2))


def _words(
    draw: "ImageDraw.ImageDraw", text: str, at: tuple[int, int], font: "ImageFont.FreeTypeFont", step: int,
    colour: str, room: int,
) -> int:  # fmt: skip
    """Write a text in lines that fit `room` pixels; returns the height below the last."""
    x, y = at
    line = ""
    for word in [*text.split(), ""]:
        longer = f"{line} {word}".strip()
        if word and draw.textlength(longer, font=font) <= room:
            line = longer
            continue
        draw.text((x, y), line, font=font, fill=colour)
        y += step
        line = word
    return y


def _font(weight: int, size: int) -> "ImageFont.FreeTypeFont":
    """The package's font at a size; FreeType may have been built without Brotli, so it is unpacked here."""
    from fontTools.ttLib import TTFont
    from PIL import ImageFont

    unpacked = TTFont(BytesIO(font_file(f"be-vietnam-pro-{weight}.woff2").read_bytes()))
    unpacked.flavor = None
    out = BytesIO()
    unpacked.save(out)
    out.seek(0)
    return ImageFont.truetype(out, size, layout_engine=ImageFont.Layout.BASIC)


LEAST_POSTER_CODE_MM = 150

# Measures of the poster's template as CSS writes them: type in points, everything else in millimetres. Four modules of
# white are left around the code, and nothing but white.
_A4: Mapping[str, str] = MappingProxyType({
    "width": "210", "height": "297", "side": "16", "pad": "10", "head": "46", "title": "23.5", "text": "10.6",
    "code_left": "30", "code_top": "58", "code": str(LEAST_POSTER_CODE_MM), "foot": "77", "foot_pad": "5",
})  # fmt: skip
_A3: Mapping[str, str] = MappingProxyType({
    "width": "297", "height": "420", "side": "23", "pad": "14", "head": "66", "title": "33", "text": "15",
    "code_left": "48.5", "code_top": "85", "code": "200", "foot": "111", "foot_pad": "8",
})  # fmt: skip


def leaflet(city: Facts) -> bytes:
    """A5, for hands and letter boxes. Raises PdfUnavailable, as the others do."""
    return write_pdf(sheet_html("leaflet.html", city))


def poster_a4(city: Facts) -> bytes:
    """A4, for doors."""
    return write_pdf(sheet_html("poster.html", city, **_A4))


def poster_a3(city: Facts) -> bytes:
    """A3, for notice boards."""
    return write_pdf(sheet_html("poster.html", city, **_A3))


def letter(city: Facts) -> bytes:
    """A4, from a school to the parents, to be signed by its head."""
    return write_pdf(sheet_html("letter.html", city))


def guide(city: Facts) -> bytes:
    """A4, the steps in pictures: for notice boards and for those who help others."""
    return write_pdf(sheet_html("guide.html", city))


Maker = Callable[[Facts], bytes]


# What a sheet is made from: this package and the paper under it.
_PACKAGES = (Path(__file__).parent, Path(paper.__file__).parent)
# Two readers who ask for the same sheet at once get one drawing of it.
_making = threading.Lock()


def _bulletin_sound(city: Facts) -> bytes:
    with override(city.language):
        return spoken_mp3(phrases.bulletin(city), city.language)


def _zalo_text(city: Facts) -> bytes:
    with override(city.language):
        return (phrases.zalo(city) + "\n").encode()


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


def _drawn(maker: str, city: Facts) -> bytes:
    """What a duty's sheet is, made by the callable of that dotted name."""
    made: bytes = load(maker)(city)
    return made


MATERIALS = [
    Material(
        "leaflet-a5", "pdf", PDF, _("Leaflet A5"), _("For house-to-house visits and counters."), leaflet
    ),
    Material(
        "poster-a4", "pdf", PDF, _("Poster A4"), _("For doors and counters. The code is 150 mm wide."),
        poster_a4,
    ),
    Material(
        "poster-a3", "pdf", PDF, _("Poster A3"), _("For notice boards and gates. The code is 200 mm wide."),
        poster_a3,
    ),
    Material("guide-a4", "pdf", PDF, _("Steps in pictures A4"), _("Few words; to hang up or to explain with."), guide),
    Material("letter-parents", "pdf", PDF, _("Letter to parents"), _("For schools, to be signed."), letter),
    Material(
        "zalo", "png", "image/png", _("Picture for Zalo"), _("For groups, with the text below."), zalo_picture
    ),
    Material(
        "bulletin", "mp3", "audio/mpeg", _("Bulletin as sound"), _("A machine’s voice, 30 seconds; a draft."),
        _bulletin_sound,
    ),
    Material("zalo", "txt", "text/plain; charset=utf-8", _("Text for Zalo"), _("As a file."), _zalo_text),
]  # fmt: skip
MATERIALS += [
    Material(sheet.name, sheet.ending, sheet.media_type, sheet.title, sheet.purpose, partial(_drawn, sheet.make))
    for sheet in print_sheets()
]
BY_FILE = {material.file: material for material in MATERIALS}


def content(material: Material, city: Facts) -> bytes:
    """The file in the city's language, from the data folder or made now. Raises PdfUnavailable, SoundUnavailable."""
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
    written = [path for folder in _PACKAGES for kind in ("*.py", "*.html") for path in sorted(folder.rglob(kind))]
    for path in [*written, *catalogue]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


@require_safe
@audience(EVERYONE)
def materials(request: HttpRequest) -> HttpResponse:
    """What there is, in both languages."""
    city = facts()
    context = {
        "kinds": [_row(material) for material in MATERIALS if material.ending != "txt"],
        "languages": settings.LANGUAGES,
        "zalo_text": phrases.zalo(city),
        "bulletin_text": phrases.bulletin(city),
    }
    return show(request, "public/materials.html", context)


@require_safe
@audience(EVERYONE)
def material(request: HttpRequest, file: str, language: str) -> HttpResponse:
    """One file: 200, 404 no such, 503 where this server lacks what makes it."""
    found = BY_FILE.get(file)
    if found is None or language not in dict(settings.LANGUAGES):
        raise Http404
    try:
        made = content(found, facts(language))
    except Refused as refused:
        context: dict[str, Any] = {
            "status": 503,
            "title": gettext("This server cannot make this file"),
            "text": gettext("A program that makes it is missing. Tell the operator: %(code)s.")
            % {"code": refused.code},
        }
        return show(request, "public/problem.html", context, status=503)
    response = answer(request, Asset("", made, found.media_type), KEPT_AN_HOUR)
    name = f"bluezone-{found.name}.{language}.{found.ending}"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _row(material: Material) -> dict[str, Any]:
    missing = ""
    if material.ending == "mp3" and not can_speak():
        missing = gettext(
            "Not on this server: espeak-ng and ffmpeg make it. The text is below; a person’s voice is better."
        )
    return {"title": material.title, "purpose": material.purpose, "file": material.file, "missing": missing}
