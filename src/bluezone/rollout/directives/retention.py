# SPDX-License-Identifier: Apache-2.0
"""What the directives forget, and when; and erasing what was practised, a letter as a whole with every inbox, report
and file of it.
"""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from bluezone.rollout.directives.models import (
    Campaign,
    ChangeRequest,
    Delivery,
    Directive,
    Dispatch,
    DispatchEvent,
    ExchangeImport,
    PeriodRequest,
    RefusedMessage,
    Report,
    StoredFile,
    Task,
    TaskParty,
)
from bluezone.training import RETENTION

FILE_LIFE = datetime.timedelta(days=1)
REFUSED_LIFE = datetime.timedelta(days=30)


def purge(now: datetime.datetime) -> None:
    """Delete exchange files that nobody read in or discarded within a day, and after a month what was refused.

    Of a message of ours that another office refused, the copy goes; what it was and why it was refused stays.
    """
    ExchangeImport.objects.filter(made_at__lte=now - FILE_LIFE).delete()
    RefusedMessage.objects.filter(at__lte=now - REFUSED_LIFE).delete()
    refused = Delivery.objects.filter(state=Delivery.State.REFUSED, settled_at__lte=now - REFUSED_LIFE)
    refused.exclude(content=None).update(content=None)


def purge_practice(now: datetime.datetime) -> int:
    """Delete letters that were taken in for practice seven days ago or more, with all that hangs on them."""
    with transaction.atomic():
        old = list(
            Directive.everything.filter(training=True, made_at__lte=now - RETENTION).values_list("pk", flat=True)
        )
        # Younger practice may name an older letter or campaign, and stays.
        Directive.everything.filter(replaces__in=old).update(replaces=None)
        Campaign.everything.filter(rests_on__in=old).update(rests_on=None)
        past = Campaign.everything.filter(training=True, made_at__lte=now - RETENTION)
        Directive.everything.filter(campaign__in=past).update(campaign=None)
        Dispatch.everything.filter(directive__in=old).update(parent=None, taken_over_from=None)
        parts: list[QuerySet[Any]] = [
            Report.everything.filter(task__directive__in=old),
            PeriodRequest.everything.filter(task__directive__in=old),
            ChangeRequest.everything.filter(task__directive__in=old),
            TaskParty.everything.filter(task__directive__in=old),
            DispatchEvent.everything.filter(dispatch__directive__in=old),
            Dispatch.everything.filter(directive__in=old),
            Task.everything.filter(directive__in=old),
            Directive.everything.filter(pk__in=old),
        ]
        return sum(int(part.delete()[0]) for part in parts)


def purge_practice_files(now: datetime.datetime) -> int:
    """Delete files of practice older than seven days that nothing refers to any more."""
    past = StoredFile.everything.filter(training=True, stored_at__lte=now - RETENTION)
    for field in StoredFile._meta.get_fields(include_hidden=True):
        if field.auto_created and not field.concrete and (field.one_to_many or field.one_to_one):
            relation: Any = field
            holders = relation.related_model._base_manager.exclude(**{relation.field.name: None})
            past = past.exclude(pk__in=holders.values(relation.field.attname))
    return int(past.delete()[0])
