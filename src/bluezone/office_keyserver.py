# SPDX-License-Identifier: Apache-2.0
"""The key server of the office's data folder, opened once in each process; in the process of pages, its pages alone."""

import functools
import os
from pathlib import Path

from django.conf import settings

from bluezone.keyserver.parts.pages import Pages, open_pages
from bluezone.keyserver.parts.process import VARIABLE, Parts
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import StoreRefused


def key_server() -> KeyServer:
    """The key server of this data folder. Raises StoreRefused in the process of pages, which has no store."""
    if _has_pages_alone():
        raise StoreRefused("the stores are another process's")
    return _open_server(settings.DATA_FOLDER)


def city_pages() -> Pages:
    """What everybody may read of this city's key server."""
    return _open_pages(settings.DATA_FOLDER) if _has_pages_alone() else key_server().pages


def public_parts() -> Parts:
    """What the public origin answers calls of the anonymous API with."""
    if not _has_pages_alone():
        return key_server().parts
    pages = city_pages()
    return Parts(pages.city, pages=pages)


def public_key() -> str:
    """The city's Ed25519 key in 64 hex digits, for `bluezone handset --trust`."""
    return city_pages().city_key.hex()


def _has_pages_alone() -> bool:
    return bool(os.environ.get(VARIABLE))


@functools.cache
def _open_server(data_dir: Path) -> KeyServer:
    return KeyServer.open(data_dir)


@functools.cache
def _open_pages(data_dir: Path) -> Pages:
    return open_pages(data_dir)
