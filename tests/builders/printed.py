# SPDX-License-Identifier: Apache-2.0
"""Render printed documents with a program that has no part in making them."""

import pypdfium2
from PIL import Image

POINTS_AN_INCH = 72


def first_page(pdf: bytes, dots_an_inch: float) -> Image.Image:
    """Render the first page of a PDF with PDFium, the renderer of Chromium."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[0].render(scale=dots_an_inch / POINTS_AN_INCH).to_pil()
    finally:
        document.close()
