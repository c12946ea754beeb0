# SPDX-License-Identifier: Apache-2.0
"""The key server's published functions, opened once per process on the office's own data folder."""

import datetime
import functools
from pathlib import Path

from django.conf import settings

from bluezone.audit import hash_chain
from bluezone.keyserver.parts import open_server
from bluezone.keyserver.service import KeyServer
from bluezone.transparency.leaves import audit_leaf


def key_server() -> KeyServer:
    """The key server of this data folder."""
    return _opened(settings.DATA_FOLDER)


@functools.cache
def _opened(data_dir: Path) -> KeyServer:
    return open_server(data_dir)


def note_audit_head(now: datetime.datetime) -> None:
    """Have the head of the audit at the end of yesterday put in the public log, once. now: aware."""
    midnight = now.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = (midnight - datetime.timedelta(days=1)).date()
    leaf = audit_leaf(day.isoformat(), hash_chain.head_before(midnight))
    key_server().public_log.ask_once("audit", day.toordinal(), leaf)
