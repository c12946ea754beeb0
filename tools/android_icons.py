# SPDX-License-Identifier: Apache-2.0
"""Draw the Android app's icons from the face's mark, in the sizes and under the names tools/apk looks for.

.venv/bin/python tools/android_icons.py     writes android/icons/bluezone-VARIANT-SIZE.png
"""

import io
import re
from pathlib import Path

import pypdfium2
import weasyprint

REPOSITORY = Path(__file__).parents[1]
MARK = REPOSITORY / "src/bluezone/face/static/icon.svg"
TARGET = REPOSITORY / "android/icons"
# Launcher icons, and the foregrounds of adaptive ones.
SIZES = {
    "round": (48, 72, 96, 144, 192),
    "adaptive": (108, 162, 216, 324, 432),
}
# Share of the picture that the mark fills: an adaptive icon is cut to a circle of two thirds.
SHARES = {"round": 1.0, "adaptive": 0.66}
PAGE_POINTS = 72.0


def drawn(variant: str, size: int) -> bytes:
    """One icon as PNG; transparent round about the mark."""
    share = SHARES[variant]
    side = 32 / share
    edge = (side - 32) / 2
    svg = re.sub(r'viewBox="[^"]+"', f'viewBox="{-edge} {-edge} {side} {side}"', MARK.read_text())
    style = f"@page {{ size: {PAGE_POINTS}pt; margin: 0 }} svg {{ display: block; width: 100%; height: 100% }}"
    pdf = weasyprint.HTML(string=f"<style>{style}</style>{svg}").write_pdf()
    page = pypdfium2.PdfDocument(pdf)[0]
    bitmap = page.render(scale=size / PAGE_POINTS, fill_color=(0, 0, 0, 0), maybe_alpha=True)
    picture = bitmap.to_pil().resize((size, size))
    written = io.BytesIO()
    picture.quantize(64).save(written, "PNG", optimize=True)
    return written.getvalue()


def main() -> None:
    """Write them all."""
    TARGET.mkdir(exist_ok=True)
    for variant, sizes in SIZES.items():
        for size in sizes:
            (TARGET / f"bluezone-{variant}-{size}.png").write_bytes(drawn(variant, size))


if __name__ == "__main__":
    main()
