# SPDX-License-Identifier: Apache-2.0
"""Pictures of posters as a phone camera takes them."""

import io

import segno
from PIL import Image


def photograph(link: str, *, turned: int = 0, kind: str = "PNG") -> bytes:
    """A picture file of a poster's code on a page, smaller than the frame. turned: degrees. kind: of the file."""
    out = io.BytesIO()
    segno.make(link, error="m").save(out, kind="png", scale=6, border=4)
    code = Image.open(out).convert("L")
    page = Image.new("L", (1280, 960), 200)
    page.paste(code.rotate(turned, expand=True, fillcolor=255), (240, 60))
    written = io.BytesIO()
    page.convert("RGB").save(written, kind)
    return written.getvalue()
