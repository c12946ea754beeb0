# SPDX-License-Identifier: Apache-2.0
"""Leaflets, posters, letters, texts and pictures to download, print and pass on, and their page.

Each file is made once for each city, language and version of the program.
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
from bluezone.publicpages.page_frame import ASSETS, render_page
from bluezone.publicpages.static_files import CACHED_AN_HOUR, Asset, serve_asset
from bluezone.refusal import Refused
from bluezone.speech.voice import can_speak, spoken_mp3

# The functions that draw import Pillow: a picture is made once, and every process would load it at start.
if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

SIDE = 1080
_MARGIN = 72
_HEAD = 452
_CODE = 440
_BLUE = "#0a4fbf"
_INK = "#0f2238"
_SOFT = "#46586e"
_WHITE = "#ffffff"

LEAST_POSTER_CODE_MM = 150

# Measures of the poster's template as CSS writes them: type in points, everything else in millimetres. They leave four
# modules of white around the code.
_A4: Mapping[str, str] = MappingProxyType({
    "width": "210", "height": "297", "side": "16", "pad": "10", "head": "46", "title": "23.5", "text": "10.6",
    "code_left": "30", "code_top": "58", "code": str(LEAST_POSTER_CODE_MM), "foot": "77", "foot_pad": "5",
})  # fmt: skip
_A3: Mapping[str, str] = MappingProxyType({
    "width": "297", "height": "420", "side": "23", "pad": "14", "head": "66", "title": "33", "text": "15",
    "code_left": "48.5", "code_top": "85", "code": "200", "foot": "111", "foot_pad": "8",
})  # fmt: skip

Maker = Callable[[Facts], bytes]

# The packages from which a sheet is made.
_PACKAGES = (Path(__file__).parent, Path(paper.__file__).parent)
# Prevents making the same sheet twice for simultaneous requests.
_making = threading.Lock()


def zalo_picture(city: Facts) -> bytes:
    """The picture for Zalo, a PNG with the short link as QR code, the same for everybody."""
    from PIL import Image, ImageDraw

    with override(city.language):
        head = phrases.headline(city)
        below = phrases.under(city)
        first = phrases.steps(city)[0]
    picture = Image.new("RGB", (SIDE, SIDE), _WHITE)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, SIDE, _HEAD), fill=_BLUE)
    _draw_mark(draw, _MARGIN, 56)
    draw.text((_MARGIN + 92, 62), "Bluezone", font=_font(600, 40), fill=_WHITE)
    draw.text((_MARGIN + 92, 112), city.city, font=_font(400, 26), fill=_WHITE)
    y = _write_lines(draw, head, (_MARGIN, 176), _font(600, 62), 72, _WHITE, SIDE - 2 * _MARGIN)
    _write_lines(draw, below, (_MARGIN, y + 16), _font(400, 33), 44, _WHITE, SIDE - 2 * _MARGIN)
    _paste_code(picture, city.short_link)
    left = _MARGIN + _CODE + 56
    room = SIDE - _MARGIN - left
    y = _write_lines(draw, first.do, (left, _HEAD + 76), _font(600, 44), 54, _INK, room)
    y = _write_lines(draw, first.more, (left, y + 8), _font(400, 33), 44, _INK, room)
    _write_lines(draw, city.host, (left, y + 24), _font(600, 38), 48, _BLUE, room)
    draw.text((_MARGIN, SIDE - 62), _shorten(city_imprint(city)), font=_font(400, 24), fill=_SOFT)
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def city_imprint(city: Facts) -> str:
    """The imprint in the city's language."""
    with override(city.language):
        return phrases.imprint(city)


def _shorten(text: str) -> str:
    return text if len(text) < 90 else text[:88] + "…"


def _draw_mark(draw: "ImageDraw.ImageDraw", x: int, y: int) -> None:
    """Draw the Bluezone logo, white on blue, 76 pixels wide."""
    draw.ellipse((x, y, x + 76, y + 76), fill=_WHITE)
    for inset in (18, 28):
        draw.arc((x + inset, y + inset, x + 76 - inset, y + 76 - inset), 180, 360, fill=_BLUE, width=5)
    draw.ellipse((x + 33, y + 44, x + 43, y + 54), fill=_BLUE)


def _paste_code(picture: "Image.Image", text: str) -> None:
    import segno
    from PIL import Image

    qr = segno.make(text, error="q", micro=False)
    scale = _CODE // qr.symbol_size(border=0)[0]
    buffer = BytesIO()
    qr.save(buffer, kind="png", scale=scale, border=0)
    code = Image.open(buffer).convert("RGB")
    room = _CODE - code.width
    picture.paste(code, (_MARGIN + room // 2, _HEAD + 64 + room // 2))


def _write_lines(
    draw: "ImageDraw.ImageDraw", text: str, at: tuple[int, int], font: "ImageFont.FreeTypeFont", step: int,
    colour: str, room: int,
) -> int:  # fmt: skip
    """Write a text in lines that fit into `room` pixels; the y coordinate below the last line."""
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
    """The package's font, unpacked, since FreeType may have been built without Brotli."""
    from fontTools.ttLib import TTFont
    from PIL import ImageFont

    unpacked = TTFont(BytesIO(font_file(f"be-vietnam-pro-{weight}.woff2").read_bytes()))
    unpacked.flavor = None
    out = BytesIO()
    unpacked.save(out)
    out.seek(0)
    return ImageFont.truetype(out, size, layout_engine=ImageFont.Layout.BASIC)


def leaflet(city: Facts) -> bytes:
    """A5, to hand out and for letter boxes. Raises PdfUnavailable, like the other sheets."""
    return write_pdf(sheet_html("leaflet.html", city))


def poster_a4(city: Facts) -> bytes:
    """A4, for doors."""
    return write_pdf(sheet_html("poster.html", city, **_A4))


def poster_a3(city: Facts) -> bytes:
    """A3, for notice boards."""
    return write_pdf(sheet_html("poster.html", city, **_A3))


def letter(city: Facts) -> bytes:
    """A4, from a school to the parents, for the signature of its head."""
    return write_pdf(sheet_html("letter.html", city))


def guide(city: Facts) -> bytes:
    """A4, the steps in pictures: for notice boards and for people who help others."""
    return write_pdf(sheet_html("guide.html", city))


def _bulletin_sound(city: Facts) -> bytes:
    with override(city.language):
        return spoken_mp3(phrases.bulletin(city), city.language)


def _zalo_text(city: Facts) -> bytes:
    with override(city.language):
        return (phrases.zalo(city) + "\n").encode()


@dataclass(frozen=True)
class Material:
    """A file to download. name, ending: parts of its file name, as in `leaflet-a5.vi.pdf`."""

    name: str
    ending: str
    media_type: str
    title: str | Promise
    purpose: str | Promise
    make: Callable[[Facts], bytes]

    @property
    def file(self) -> str:
        """The file name without the language."""
        return f"{self.name}.{self.ending}"


def _sheet_of_duty(maker: str, city: Facts) -> bytes:
    """The sheet of a duty. maker: dotted name of the function that makes it."""
    content: bytes = load(maker)(city)
    return content


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
    Material("guide-a4", "pdf", PDF, _("Steps in pictures A4"), _(
        "With few words, to hang up or to explain things with."
), guide),
    Material("letter-parents", "pdf", PDF, _("Letter to parents"), _("For schools, to be signed."), letter),
    Material(
        "zalo", "png", "image/png", _("Picture for Zalo"), _("For groups, with the text below."), zalo_picture
    ),
    Material(
        "bulletin", "mp3", "audio/mpeg", _("Bulletin as sound"), _("A synthetic voice, 30 seconds; a draft."),
        _bulletin_sound,
    ),
    Material("zalo", "txt", "text/plain; charset=utf-8", _("Text for Zalo"), _("As a file."), _zalo_text),
]  # fmt: skip
MATERIALS += [
    Material(
        sheet.name, sheet.ending, sheet.media_type, sheet.title, sheet.purpose, partial(_sheet_of_duty, sheet.make)
    )
    for sheet in print_sheets()
]
BY_FILE = {material.file: material for material in MATERIALS}


def material_content(material: Material, city: Facts) -> bytes:
    """The file in the city's language, from the data folder or new. Raises PdfUnavailable, SoundUnavailable."""
    folder = settings.DATA_FOLDER / "materials"
    stem = f"{material.name}.{city.language}"
    path = folder / f"{stem}.{_version(city)}.{material.ending}"
    with _making:
        if path.exists():
            return path.read_bytes()
        body = material.make(city)
        folder.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        aside.write_bytes(body)
        aside.replace(path)
        for older in folder.glob(f"{stem}.*.{material.ending}"):
            if older != path:
                older.unlink(missing_ok=True)
        return body


def _version(city: Facts) -> str:
    """12 hex digits that change with the city's settings and with the program's texts and templates."""
    return hashlib.sha256(f"{city!r}\0{_program()}".encode()).hexdigest()[:12]


@cache
def _program() -> str:
    """The hash of everything in the program that goes into a sheet."""
    paths: list[Path] = []
    for package in _PACKAGES:
        paths += sorted(package.rglob("*.py"))
        paths += sorted(package.rglob("*.html"))
    for folder in settings.LOCALE_PATHS:
        paths += sorted(Path(folder).rglob("*.mo"))
    digest = hashlib.sha256(ASSETS.digest.encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


@require_safe
@audience(EVERYONE)
def materials(request: HttpRequest) -> HttpResponse:
    """The list of materials, in both languages."""
    city = facts()
    context = {
        "kinds": [_row(material) for material in MATERIALS if material.ending != "txt"],
        "languages": settings.LANGUAGES,
        "zalo_text": phrases.zalo(city),
        "bulletin_text": phrases.bulletin(city),
    }
    return render_page(request, "public/materials.html", context)


@require_safe
@audience(EVERYONE)
def material(request: HttpRequest, file: str, language: str) -> HttpResponse:
    """A file: 200; 404 for no such file; 503 if this server lacks a program to make it."""
    item = BY_FILE.get(file)
    if item is None or language not in dict(settings.LANGUAGES):
        raise Http404
    try:
        body = material_content(item, facts(language))
    except Refused as refusal:
        context: dict[str, Any] = {
            "status": 503,
            "title": gettext("This server cannot make this file"),
            "text": gettext("A program needed to make it is missing. Tell the operator: %(code)s.")
            % {"code": refusal.code},
        }
        return render_page(request, "public/problem.html", context, status=503)
    response = serve_asset(request, Asset("", body, item.media_type), CACHED_AN_HOUR)
    name = f"bluezone-{item.name}.{language}.{item.ending}"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _row(material: Material) -> dict[str, Any]:
    missing = ""
    if material.ending == "mp3" and not can_speak():
        missing = gettext(
            "Not on this server: it needs espeak-ng and ffmpeg. The text is below; a person’s voice is better."
        )
    return {"title": material.title, "purpose": material.purpose, "file": material.file, "missing": missing}
