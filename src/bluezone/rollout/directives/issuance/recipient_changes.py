# SPDX-License-Identifier: Apache-2.0
"""Who has a letter after it was sent: one agency more, one less, one on paper, or the successor of one that ended."""

import datetime

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.directory.queries import add_successors, successors_by
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.issuance.addressees import Receiver, channels
from bluezone.rollout.directives.models import (
    Directive,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    DispatchState,
    EventKind,
    TaskParty,
)
from bluezone.rollout.directives.queries import unaware


class RecipientRepeated(Refused):
    """The agency has the letter already."""

    code = "recipient_repeated"


def add_recipient(
    directive: Directive, agency: Agency, purpose: str, user: User, now: datetime.datetime, *, on_paper: bool = False
) -> Dispatch:
    """Send an issued letter to one more agency. Raises DirectiveStateWrong, RecipientRepeated, RecipientUnreached."""
    with transaction.atomic():
        locked = approval.lock(directive, DirectiveState.ISSUED)
        way = channels([agency], locked.issuer)[agency.pk]
        (receiver,) = approval.on_their_way([Receiver(agency, purpose, way)], on_paper=on_paper)
        made = approval.dispatch(locked, [(agency, purpose)], user, now, ways={agency.pk: receiver.channel})
        if not made:
            raise RecipientRepeated("the agency has the letter already")
        approval.audit(user, "recipient_added", locked, now, agency=agency.key, channel=str(receiver.channel))
    return made[0]


def recall_from(sent: Dispatch, reason: str, user: User, now: datetime.datetime) -> None:
    """Recall an issued letter from one agency; the others keep it.

    Raises DirectiveStateWrong, also where it was recalled or went to a successor before.
    """
    with transaction.atomic():
        locked = Dispatch.objects.select_for_update(of=("self",)).select_related("agency").get(pk=sent.pk)
        directive = approval.lock(locked.directive, DirectiveState.ISSUED)
        if locked.state in (DispatchState.RECALLED, DispatchState.HANDED_ON):
            raise approval.DirectiveStateWrong(f"the dispatch is {locked.state}")
        before, locked.state, locked.changed_at, locked.reason = locked.state, DispatchState.RECALLED, now, reason[:300]
        locked.save(update_fields=["state", "changed_at", "reason"])
        DispatchEvent.objects.create(
            dispatch=locked, what=EventKind.RECALLED, at=now, actor=user, before=before, note=reason[:300]
        )
        TaskParty.objects.filter(task__directive=directive, agency=locked.agency).delete()
        approval.audit(user, "recipient_recalled", directive, now, agency=locked.agency.key)
    sent.refresh_from_db()


def hand_over(sent: Dispatch, note: str, user: User, now: datetime.datetime) -> None:
    """Note that the issuer has handed a letter over on paper, which is no receipt; or, once it has ended, its recall.

    Raises DirectiveStateWrong.
    """
    with transaction.atomic():
        locked = Dispatch.objects.select_for_update(of=("self",)).select_related("agency").get(pk=sent.pk)
        directive = approval.lock(
            locked.directive, DirectiveState.ISSUED, DirectiveState.REVOKED, DirectiveState.REPLACED
        )
        before = locked.state
        if not unaware(Dispatch.objects.filter(pk=locked.pk)).exists():
            if before != DispatchState.ARRIVED or not directive.in_force:
                raise approval.DirectiveStateWrong(f"the dispatch is {before}")
            locked.state, locked.changed_at = DispatchState.HANDED_OVER, now
            locked.save(update_fields=["state", "changed_at"])
        DispatchEvent.objects.create(
            dispatch=locked,
            what=EventKind.HANDED_OVER,
            at=now,
            actor=user,
            before=before,
            note=note[:300],
            seal=directive.seal,
        )
        approval.audit(user, "document_handed_over", directive, now, agency=locked.agency.key)
    sent.refresh_from_db()


# What an agency has nothing more to do with.
SETTLED = (DispatchState.DONE, DispatchState.RECALLED, DispatchState.HANDED_ON)


def follow_successors(now: datetime.datetime) -> int:
    """Give the open letters of agencies that have ended to those that took over; how many went on.

    The successor gets the tasks with the days that the ended agency had. Both logs say so. Safe to repeat.
    """
    today = timezone.localdate(now)
    heirs = successors_by(today)
    if not heirs:
        return 0
    open_ones = Dispatch.objects.filter(
        agency__valid_to__lte=today, agency__in=heirs, directive__state=DirectiveState.ISSUED
    ).exclude(state__in=SETTLED)
    moved = 0
    for pk in list(open_ones.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            old = Dispatch.objects.select_for_update(of=("self",)).select_related("agency", "directive").get(pk=pk)
            if old.state in SETTLED:
                continue
            found = Agency.objects.valid_on(today).filter(
                pk__in=add_successors([old.agency_id], heirs) - {old.agency_id}
            )
            if successors := list(found.select_related("unit").order_by("pk")):
                _hand_on(old, successors, now)
                moved += 1
    return moved


def _hand_on(old: Dispatch, successors: list[Agency], now: datetime.datetime) -> None:
    have = {one.agency_id: one for one in old.directive.dispatches.filter(agency__in=successors)}
    ways = channels(successors, old.directive.issuer)
    for agency in successors:
        if agency.pk in have:
            note_of, what = have[agency.pk], EventKind.UPDATED
        else:
            what = EventKind.ARRIVED
            note_of = Dispatch.objects.create(
                directive=old.directive,
                agency=agency,
                purpose=old.purpose,
                parent=old.parent,
                taken_over_from=old,
                arrived_at=now,
                changed_at=now,
                channel=ways[agency.pk],
            )
        DispatchEvent.objects.create(dispatch=note_of, what=what, at=now, note=old.agency.name[:300])
    names = ", ".join(one.name for one in successors)[:300]
    DispatchEvent.objects.create(dispatch=old, what=EventKind.HANDED_ON, at=now, before=old.state, note=names)
    Dispatch.objects.filter(pk=old.pk).update(state=DispatchState.HANDED_ON, changed_at=now)
    for party in TaskParty.objects.filter(task__directive=old.directive_id, agency=old.agency_id):
        there = set(TaskParty.objects.filter(task=party.task_id).values_list("agency_id", flat=True))
        TaskParty.objects.bulk_create(
            TaskParty(task_id=party.task_id, agency=one, role=party.role, due=party.due)
            for one in successors
            if one.pk not in there
        )
        party.delete()
    hash_chain.record(
        hash_chain.COMMAND_LINE,
        "document_handed_on",
        f"directive {old.directive_id}",
        now=now,
        agency=old.agency.key,
        to=[one.key for one in successors],
    )
