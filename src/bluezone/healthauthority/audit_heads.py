# SPDX-License-Identifier: Apache-2.0
"""The hourly job that puts the head of the audit into the public log."""

import datetime

from bluezone.audit import hash_chain
from bluezone.office_keyserver import key_server
from bluezone.transparency.leaves import audit_leaf


def publish_audit_head(now: datetime.datetime) -> None:
    """Put the head of the audit at the end of yesterday into the public log, once. now: aware."""
    midnight = now.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = (midnight - datetime.timedelta(days=1)).date()
    leaf = audit_leaf(day.isoformat(), hash_chain.head_before(midnight))
    key_server().public_log.request_leaf_once("audit", day.toordinal(), leaf)
