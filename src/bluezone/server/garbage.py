# SPDX-License-Identifier: Apache-2.0
"""Python's search for garbage, kept off what a program loads: that stays until its end, and is most of all there is."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none_expected() -> Iterator[None]:
    """Look for no garbage meanwhile, nor later among what is there at the end: a fifth of a start, and of an end."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if looked:
            gc.enable()
