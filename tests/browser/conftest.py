# SPDX-License-Identifier: Apache-2.0
"""Real servers for the tests of pages."""

import pytest
from tests.builders import peopling
from tests.builders.serving import serving


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
