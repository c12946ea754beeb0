# SPDX-License-Identifier: Apache-2.0
"""The hourly work of the health authority: purge codes, limits and declarations; put the audit's head into the public
log.
"""

import datetime
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from bluezone.audit import hash_chain
from bluezone.healthauthority import declaration_access, quotas
from bluezone.healthauthority.codes import audit_entries
from bluezone.healthauthority.codes.batches import delete_past_batches
from bluezone.healthauthority.models import Batch, IssuedCode, QuotaRaise
from bluezone.keyserver.codes.issued_codes import LINK_LIFE_SECONDS
from bluezone.office_keyserver import key_server
from bluezone.transparency.leaves import audit_leaf

_Row = TypeVar("_Row", bound=Model)
# As long as the keys reported with a code are published.
RETENTION = datetime.timedelta(days=14)


def purge(now: datetime.datetime) -> None:
    """Write the codes of past days into the audit, and hide the order of the latest; delete old batches.

    Deletes codes and raised limits after 14 days, and the notes of declarations with the declarations, which the key
    server deletes after 30 days.
    """
    audit_entries.audit_past_days(now)
    reorder_rows(now)
    IssuedCode.objects.filter(issued_at__lt=now - RETENTION).delete()
    QuotaRaise.objects.filter(raised_at__lt=now - RETENTION).delete()
    delete_past_batches(now)
    declaration_access.delete_expired(now)


def reorder_rows(now: datetime.datetime) -> None:
    """Rewrite the codes and batches of yesterday and today in the order of their keys, if rows reveal their time.

    PostgreSQL numbers transactions. Next to rows with a known time, such a number reveals the hour of issue: of the
    code, and of the rows of worker and facility, to which it refers. SQLite stores rows in the order of their keys.
    """
    if connection.vendor != "postgresql":
        return
    yesterday = quotas.start_of_day(now) - datetime.timedelta(days=1)
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Transactions that issue codes wait, readers do not. `issue_batch` writes in the same order.
            for model in (IssuedCode, Batch):
                cursor.execute(f"LOCK TABLE {model._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        _rewrite(IssuedCode.objects.filter(issued_at__gte=yesterday))
        ends = yesterday + datetime.timedelta(days=1, seconds=LINK_LIFE_SECONDS)
        _rewrite(Batch.objects.filter(expires_at__gte=ends))


def _rewrite(rows: QuerySet[_Row]) -> None:
    copies = list(rows.order_by("pk"))
    rows.delete()
    rows.bulk_create(copies)


def publish_audit_head(now: datetime.datetime) -> None:
    """Put the head of the audit at the end of yesterday into the public log, once. now: aware."""
    midnight = now.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = (midnight - datetime.timedelta(days=1)).date()
    leaf = audit_leaf(day.isoformat(), hash_chain.chain_head_before(midnight))
    key_server().public_log.request_leaf_once("audit", day.toordinal(), leaf)
