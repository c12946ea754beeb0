# SPDX-License-Identifier: Apache-2.0
"""A city behind real HTTP and phones in it, at a time that only tests move."""

import pytest
from tests.builders.handset import city_with_phones
from tests.radio.androiddouble import installed


@pytest.fixture
def city(tmp_path):
    """(server, phones, world)."""
    with city_with_phones(tmp_path) as made:
        yield made


@pytest.fixture
def server(city):
    return city[0]


@pytest.fixture
def phones(city):
    return city[1]


@pytest.fixture
def world(city):
    return city[2]


@pytest.fixture
def android_double():
    """Within this, bluezone.radio.android finds the double instead of Java."""
    with installed():
        yield
