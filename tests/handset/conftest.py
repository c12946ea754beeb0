# SPDX-License-Identifier: Apache-2.0
"""A city behind real HTTP and phones in it, at a time that only tests move."""

import pytest
from tests.builders.handset import Phones, World, copied_keys, served
from tests.builders.keyserver import NOON

from bluezone.keyserver.secrets import open_secrets


@pytest.fixture
def world():
    return World()


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory):
    """A folder of secrets for NOON, made once: RSA keys take longer than most tests."""
    folder = tmp_path_factory.mktemp("secrets")
    open_secrets(folder).week_keys.rotate(NOON)
    return folder


@pytest.fixture
def server(tmp_path, made_keys, world):
    (tmp_path / "city").mkdir()
    with served(copied_keys(made_keys, tmp_path / "city"), world) as running:
        yield running


@pytest.fixture
def phones(tmp_path, server, world):
    made = Phones(tmp_path / "phones", server, world)
    yield made
    made.close()
