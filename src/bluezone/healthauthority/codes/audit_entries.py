# SPDX-License-Identifier: Apache-2.0
"""The audit entries of issued codes, written when their day is over."""

import datetime
import hashlib
import hmac
import secrets

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.healthauthority import quotas
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import User


def audit_past_days(now: datetime.datetime) -> None:
    """Write the codes of past days into the audit: who issued which, on which day, in random order.

    An entry written at the time of issue would reveal the minute, since its neighbours have known times. Until then
    the list of codes shows who issued what; an entry notes if its row was changed in the meantime.
    """
    with transaction.atomic():
        past = list(
            IssuedCode.objects.filter(audited=False, issued_at__lt=quotas.start_of_day(now)).select_related("worker")
        )
        secrets.SystemRandom().shuffle(past)
        for code in past:
            details = {} if hmac.compare_digest(code.proof, proof_of(code)) else {"changed": True}
            if code.messaged:
                details["messaged"] = True
            hash_chain.record(actor_of(code.worker), "code_issued", code.handle, now=code.issued_at, **details)
        IssuedCode.objects.filter(pk__in=[code.pk for code in past]).update(audited=True)


def proof_of(issued: IssuedCode) -> str:
    sealed = [hashlib.sha256(bytes(issued.sealed_minute)).hexdigest()] if issued.sealed_minute else []
    return hash_chain.content_proof(issued.handle, actor_of(issued.worker), str(issued.day), *sealed)


def actor_of(worker: User | None) -> str:
    return worker.username if worker else COMMAND_LINE
