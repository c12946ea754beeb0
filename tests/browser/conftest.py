# SPDX-License-Identifier: Apache-2.0
"""A real Chromium and a real server for the tests of pages."""

import pytest
from tests.builders import peopling
from tests.builders.chromium import launched
from tests.builders.serving import serving


@pytest.fixture(scope="module")
def chromium():
    """Not for the session: playwright keeps an event loop running, and no other test could run its own then."""
    with launched() as browser:
        yield browser


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
