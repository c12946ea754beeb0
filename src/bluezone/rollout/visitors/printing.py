# SPDX-License-Identifier: Apache-2.0
"""Cards with the code: A6 for a desk, A4 for a station or a bus; Vietnamese over English, since guests read either."""

from django.template.loader import render_to_string
from django.utils.translation import override

from bluezone.portal import wording
from bluezone.portal.facts import facts
from bluezone.portal.printing import qr, write_pdf

CARDS = {"desk": ("105mm 148mm", 1.0), "station": ("210mm 297mm", 2.0)}


def card_pdf(kind: str) -> bytes:
    """One card. kind: of CARDS. Raises SheetUnavailable."""
    paper, scale = CARDS[kind]
    city, english = facts("vi"), facts("en")
    with override("en"):
        headline_en = str(wording.headline(english))
    with override("vi"):
        headline, imprint = str(wording.headline(city)), str(wording.imprint(city))
    context = {
        "city": city,
        "paper": paper,
        "qr": qr(city.short_link),
        "headline": headline,
        "headline_en": headline_en,
        "imprint": imprint,
        "text": f"{10.5 * scale:.1f}",
        "title": f"{15 * scale:.1f}",
        "pad": f"{8 * scale:.1f}",
        "code": f"{40 * scale:.1f}",
    }
    return write_pdf(render_to_string("visitors/print/card.html", context))
