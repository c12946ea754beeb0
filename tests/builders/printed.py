# SPDX-License-Identifier: Apache-2.0
"""What is printed, as a program that had no part in making it draws it."""

import pypdfium2
from PIL import Image

POINTS_AN_INCH = 72


def first_page(pdf: bytes, dots_an_inch: float) -> Image.Image:
    """Draw a PDF's first page with PDFium, the renderer of Chromium."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[0].render(scale=dots_an_inch / POINTS_AN_INCH).to_pil()
    finally:
        document.close()
