# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium, headless, for tests and for the bench of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Filming a file instead of what a camera sees.
FILMING = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def executable() -> str | None:
    """Where it is, None where it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def needed() -> str:
    """Where it is; without it a test says so by name and skips."""
    path = executable()
    if path is None:
        pytest.skip("needs chromium: sudo apt-get install chromium")
    return path


@contextmanager
def launched(*more: str) -> Iterator[Any]:
    """A browser with more flags, for a test that needs it."""
    path = needed()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *more])
        yield browser
        browser.close()
