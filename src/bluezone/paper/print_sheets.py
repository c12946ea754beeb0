# SPDX-License-Identifier: Apache-2.0
"""Sheets for the printer: an HTML template to PDF by WeasyPrint, with bleed, crop marks and embedded fonts.

WeasyPrint may fetch the two fonts of the package and nothing else.
"""

from typing import Any

import segno
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import override

from bluezone.paper import phrases
from bluezone.paper.city_facts import Facts
from bluezone.portal.web_edition_files import ASSETS
from bluezone.refusal import Refused

_FONTS = "font:"


class SheetUnavailable(Refused):
    """WeasyPrint, or a library it draws with, is not installed on this server."""

    code = "sheet_unavailable"


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


def write_pdf(html: str) -> bytes:
    """The PDF of a sheet. Raises SheetUnavailable."""
    try:
        from weasyprint import HTML
        from weasyprint.text.fonts import FontConfiguration
    except (ImportError, OSError):
        raise SheetUnavailable(
            "WeasyPrint is not installed on this server; docs/portal.md says what it needs"
        ) from None
    document = HTML(string=html, url_fetcher=_fonts_only, base_url=_FONTS)
    return bytes(document.write_pdf(font_config=FontConfiguration(), uncompressed_pdf=False))


def qr(text: str) -> SafeString:
    """A QR code as inline SVG without quiet zone, which the sheet's own white frame gives; a quarter may be damaged."""
    drawn = segno.make(text, error="q", micro=False).svg_inline(border=0, dark="#000", omitsize=True, svgclass="qr")
    return mark_safe(drawn)  # noqa: S308 - drawn by segno, without any text in it


def _fonts_only(url: str, *_: object, **__: object) -> Any:
    """Answer for `font:NAME` with a font of the package; refuse everything else."""
    from weasyprint.urls import URLFetcherResponse

    asset = ASSETS.assets.get("fonts/" + url.removeprefix(_FONTS)) if url.startswith(_FONTS) else None
    if asset is None:
        raise ValueError("a sheet fetches nothing but its fonts")
    return URLFetcherResponse(url, asset.content, {"Content-Type": asset.media_type})


def pdf_response(content: bytes, name: str) -> HttpResponse:
    """A PDF to be shown in the browser and kept by no cache. name: of the file, without its ending."""
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response


def screen_qr(text: str, more: str = "") -> SafeString:
    """A QR code for a page, dark on white in every colour scheme, with its quiet zone. more: a class of the drawing."""
    drawn = segno.make(text, error="m").svg_inline(
        omitsize=True, light="#fff", svgclass=f"qr {more}".strip(), lineclass=None, border=4
    )
    return mark_safe(drawn)  # noqa: S308 - squares drawn by segno; the text itself is not in it
