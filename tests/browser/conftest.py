# SPDX-License-Identifier: Apache-2.0
"""Real servers for the tests of pages."""

import pytest
from tests.builders import peopling
from tests.builders.chromium import FLAGS, needed
from tests.builders.serving import serving


@pytest.fixture
def whole_chromium(chromium):
    """A browser with windows beside the one that all share, for what is shown outside a page: notifications."""
    browser = chromium.browser_type.launch(executable_path=needed(whole=True), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def standing(tmp_path_factory):
    """One server for each process of tests, for modules that only read or plant gates of their own."""
    with serving(tmp_path_factory.mktemp("standing") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server nobody has signed in to yet."""
    with serving(tmp_path_factory.mktemp("served") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def peopled(tmp_path_factory):
    """A server of an office at work: somebody in every role, letters at every stage."""
    data = tmp_path_factory.mktemp("peopled") / "data"
    peopling.peopled_office(data)
    with serving(data) as running:
        yield running
