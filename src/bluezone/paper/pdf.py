# SPDX-License-Identifier: Apache-2.0
"""Pages of HTML drawn as PDF by WeasyPrint, and sheets for the printer with bleed and crop marks."""

import functools
import io
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import override

from bluezone.media_types import PDF
from bluezone.paper import phrases
from bluezone.paper.phrases import Facts
from bluezone.paper.qr_codes import qr
from bluezone.refusal import Refused

FONTS = Path(__file__).with_name("fonts")
# Be Vietnam Pro for sheets and public pages; Tinos, which has the widths of Times New Roman, for documents.
PUBLIC_FONTS = ("be-vietnam-pro-400.woff2", "be-vietnam-pro-600.woff2")
DOCUMENT_FONTS = tuple(f"tinos-{weight}-{style}.woff2" for weight in (400, 700) for style in ("normal", "italic"))
FONT_ADDRESS = "font:"


class PdfUnavailable(Refused):
    """WeasyPrint, or a library it draws with, is not installed on this server; DOCX and HTML need neither."""

    code = "pdf_unavailable"


def write_pdf(html: str) -> bytes:
    """The page as PDF; a font is named `font:NAME` in it. Raises PdfUnavailable."""
    try:
        from weasyprint import HTML
        from weasyprint.text.fonts import FontConfiguration
    except (ImportError, OSError):
        raise PdfUnavailable(
            "WeasyPrint is not installed on this server (docs/portal.md says what it needs); "
            "a document can be taken as DOCX, or its page printed"
        ) from None
    page = HTML(string=html, url_fetcher=_fonts_only, base_url=FONT_ADDRESS)
    return bytes(page.write_pdf(font_config=FontConfiguration(), uncompressed_pdf=False))


def font_file(name: str) -> Path:
    """Where a font of the package lies; raises KeyError for any other name."""
    if name not in (*PUBLIC_FONTS, *DOCUMENT_FONTS):
        raise KeyError(name)
    return FONTS / name


def _fonts_only(url: str, *_: object, **__: object) -> Any:
    """Answer for `font:NAME`; refuse everything else."""
    from weasyprint.urls import URLFetcherResponse

    if not url.startswith(FONT_ADDRESS):
        raise ValueError("a page fetches nothing but its fonts")
    try:
        font = _unpacked(url.removeprefix(FONT_ADDRESS))
    except KeyError:
        raise ValueError("a page fetches nothing but its fonts") from None
    return URLFetcherResponse(url, font, {"Content-Type": "font/ttf"})


@functools.cache
def _unpacked(name: str) -> bytes:
    """A font of the package as TrueType; raises KeyError for any other name.

    WeasyPrint unpacks WOFF2 too, but in Python and for each page anew, which is most of the work of a short sheet.
    """
    from fontTools.ttLib import woff2

    font = io.BytesIO()
    woff2.decompress(io.BytesIO(font_file(name).read_bytes()), font)
    return font.getvalue()


def sheet_html(template: str, city: Facts, **more: Any) -> str:
    """The sheet as HTML in the city's language; the same words as the portal's pages."""
    with override(city.language):
        context = {
            "city": city,
            "headline": phrases.headline(city),
            "under": phrases.under(city),
            "steps": phrases.steps(city),
            "sick": phrases.sick(city),
            "fakes": phrases.fakes(city),
            "imprint": phrases.imprint(city),
            "qr": qr(city.short_link),
            **more,
        }
        return render_to_string(f"portal/print/{template}", context)


def pdf_response(content: bytes, name: str) -> HttpResponse:
    """A PDF to be shown in the browser and kept by no cache. name: of the file, without its ending."""
    response = HttpResponse(content, content_type=PDF)
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response
