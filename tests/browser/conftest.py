# SPDX-License-Identifier: Apache-2.0
"""A real Chromium and a real server for the tests of pages."""

import shutil

import pytest
from tests.builders import peopling
from tests.builders.serving import serving

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium; without it the tests marked `browser` say so and skip.

    Not for the session: playwright keeps an event loop running, and no other test of the process could run its own.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("needs chromium: sudo apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server nobody has signed in to yet."""
    with serving(tmp_path_factory.mktemp("served") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def peopled(tmp_path_factory):
    """A server of an office at work: somebody in every role, letters at every stage."""
    with serving(tmp_path_factory.mktemp("peopled") / "data") as running:
        peopling.people(running.data)
        yield running
