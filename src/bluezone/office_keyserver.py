# SPDX-License-Identifier: Apache-2.0
"""The key server's public functions, opened once for each process on the office's own data folder."""

import functools
from pathlib import Path

from django.conf import settings

from bluezone.keyserver.parts import open_server
from bluezone.keyserver.service import KeyServer


def key_server() -> KeyServer:
    """The key server of this data folder."""
    return _opened(settings.DATA_FOLDER)


def public_key() -> str:
    """The city's Ed25519 key in 64 hex digits, for `bluezone handset --trust`."""
    return key_server().secrets.signing_key.public_key().public_bytes_raw().hex()


@functools.cache
def _opened(data_dir: Path) -> KeyServer:
    return open_server(data_dir)
