# SPDX-License-Identifier: Apache-2.0
"""The picture for Zalo groups: 1080 x 1080, the headline, the code and the address."""

from io import BytesIO

import segno
from django.utils.translation import override
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from bluezone.portal import wording
from bluezone.portal.facts import Facts
from bluezone.portal.folders import ASSETS

SIDE = 1080
_MARGIN = 72
_HEAD = 452
_CODE = 440
_BLUE, _INK, _SOFT, _WHITE = "#0a4fbf", "#0f2238", "#46586e", "#ffffff"


def zalo_picture(city: Facts) -> bytes:
    """PNG; its code is the short link, the same for everybody."""
    with override(city.language):
        head, below = wording.headline(city), wording.under(city)
        first = wording.steps(city)[0]
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
        return wording.imprint(city)


def _fitting(text: str) -> str:
    return text if len(text) < 90 else text[:88] + "…"


def _mark(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    """The house's sign, white on blue, 76 pixels."""
    draw.ellipse((x, y, x + 76, y + 76), fill=_WHITE)
    for inset in (18, 28):
        draw.arc((x + inset, y + inset, x + 76 - inset, y + 76 - inset), 180, 360, fill=_BLUE, width=5)
    draw.ellipse((x + 33, y + 44, x + 43, y + 54), fill=_BLUE)


def _code(picture: Image.Image, text: str) -> None:
    drawn = segno.make(text, error="q", micro=False)
    scale = _CODE // drawn.symbol_size(border=0)[0]
    buffer = BytesIO()
    drawn.save(buffer, kind="png", scale=scale, border=0)
    code = Image.open(buffer).convert("RGB")
    room = _CODE - code.width
    picture.paste(code, (_MARGIN + room // 2, _HEAD + 64 + room // 2))


def _words(
    draw: ImageDraw.ImageDraw, text: str, at: tuple[int, int], font: ImageFont.FreeTypeFont, step: int, colour: str,
    room: int,
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


def _font(weight: int, size: int) -> ImageFont.FreeTypeFont:
    """The package's font at a size; FreeType may have been built without Brotli, so it is unpacked here."""
    unpacked = TTFont(BytesIO(ASSETS.assets[f"fonts/be-vietnam-pro-{weight}.woff2"].content))
    unpacked.flavor = None
    out = BytesIO()
    unpacked.save(out)
    out.seek(0)
    return ImageFont.truetype(out, size, layout_engine=ImageFont.Layout.BASIC)
