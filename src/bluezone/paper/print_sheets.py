# SPDX-License-Identifier: Apache-2.0
"""Sheets for the printer, with bleed and crop marks: the words of the portal set in an HTML template."""

from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import override

from bluezone.media_types import PDF
from bluezone.paper import phrases
from bluezone.paper.city_facts import Facts
from bluezone.paper.qr_codes import qr


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
