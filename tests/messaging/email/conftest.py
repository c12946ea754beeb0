# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server in this process for every test of mail."""

import datetime

import pytest
from tests.builders.mailserver import MailServer, use

from bluezone.tls import ensure_identity


@pytest.fixture
def mailserver(settings):
    """A plain server on this machine, in the settings."""
    with MailServer() as server:
        use(settings, f"smtp://127.0.0.1:{server.port}")
        yield server


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost, and the authority that vouches for it."""
    return ensure_identity(tmp_path / "tls", [], datetime.datetime.now(datetime.UTC))
