# SPDX-License-Identifier: Apache-2.0
"""Printed matter of a gate: badges, the sign at the gate, a tally sheet, the blank visitor book.

Vietnamese whatever language the office page has, since they hang and are worn in the agency; the sign is in both.

Setting gates up: opening them, their tablets, their gatekeepers, and what is printed for them.
"""

from django.template.loader import render_to_string

from bluezone.paper.city_facts import facts
from bluezone.paper.pdf import write_pdf
from bluezone.paper.qr_codes import qr
from bluezone.rollout.gates.models import Gate
from bluezone.rollout.gates.registry import Badge

PAPERS = ("a6", "a4")
SIGN_PAPERS = {"a4": 1.0, "a3": 1.414}
BOOK_PAGES, BOOK_LINES = 4, 18
# Boxes to cross out, in rows of ten so that they are quickly added up: enough for half a day at most gates.
TALLY_LINES = {
    "Đã xem màn hình (người trực thấy Bluezone mở trên máy)": 6,
    "Cài rồi, chưa bật (đã nhắc bật)": 3,
    "Chưa cài, đã hỗ trợ": 2,
    "Chưa cài, đã nhắc": 3,
    "Không có điện thoại thông minh": 3,
    "LƯỢT RA": 6,
}
TENS_A_LINE = 3


def badge_pdf(badge: Badge, paper: str) -> bytes:
    """A badge with its QR code and PIN, alone on A6 or on A4 with a line to cut along. Raises PdfUnavailable."""
    context = {"badge": badge, "one": badge.gatekeeper, "qr": qr(badge.text), "paper": paper, "city": facts("vi")}
    return write_pdf(render_to_string("gates/print/badge.html", context))


def sign_pdf(gate: Gate, paper: str) -> bytes:
    """The sign at a gate, Vietnamese over English. paper: of SIGN_PAPERS. Raises PdfUnavailable."""
    city, scale = facts("vi"), SIGN_PAPERS[paper]
    sizes = {
        name: f"{points * scale:.1f}" for name, points in {"text": 15.5, "title": 44, "pad": 17, "code": 44}.items()
    }
    context = {"gate": gate, "city": city, "qr": qr(city.short_link), "paper": paper.upper(), **sizes}
    return write_pdf(render_to_string("gates/print/sign.html", context))


def book_pdf(gate: Gate) -> bytes:
    """Blank pages of a visitor book, A4 across. Raises PdfUnavailable."""
    context = {"gate": gate, "city": facts("vi"), "pages": range(BOOK_PAGES), "lines": range(1, BOOK_LINES + 1)}
    return write_pdf(render_to_string("gates/print/book.html", context))


def tally_pdf(gate: Gate) -> bytes:
    """A sheet on which passages are crossed out, A4. Raises PdfUnavailable."""
    kinds = [(name, range(lines)) for name, lines in TALLY_LINES.items()]
    context = {"gate": gate, "city": facts("vi"), "kinds": kinds, "tens": range(TENS_A_LINE), "ten": range(10)}
    return write_pdf(render_to_string("gates/print/tally.html", context))
