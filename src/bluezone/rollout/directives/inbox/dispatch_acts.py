# SPDX-License-Identifier: Apache-2.0
"""What an agency does with a directive it got: receive, send back, assign, begin, finish, pass on, take a tap back."""

import datetime
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.kinds import Purpose
from bluezone.directory.models import Agency
from bluezone.identity.acts import GRACE_SECONDS, UNDO_SECONDS, UndoTooLate
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import Dispatch, DispatchEvent, DispatchState, EventKind

S = DispatchState
ALLOWED = {
    S.RECEIVED: {S.ARRIVED, S.SENT_BACK},
    S.SENT_BACK: {S.ARRIVED, S.RECEIVED},
    S.ASSIGNED: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS},
    S.IN_PROGRESS: {S.RECEIVED, S.ASSIGNED},
    S.DONE: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS},
}
_ONE_TAP = frozenset({EventKind.RECEIVED, EventKind.IN_PROGRESS, EventKind.DONE})


class ActOutOfOrder(Refused):
    """The act does not follow from the state of the dispatch."""

    code = "act_out_of_order"


class DirectiveNotInForce(Refused):
    """The directive was recalled or replaced; nothing is done on it any more."""

    code = "directive_not_in_force"


class NotBelow(Refused):
    """A directive is passed on only to agencies that answer to this one or serve its territory."""

    code = "agency_not_below"


def open_it(dispatch: Dispatch, user: User, now: datetime.datetime) -> None:
    """Note that the agency has opened it, the first time only."""
    if Dispatch.objects.filter(pk=dispatch.pk, opened_at=None).update(opened_at=now):
        DispatchEvent.objects.create(dispatch=dispatch, what=EventKind.OPENED, at=now, actor=user)


def move(
    dispatch: Dispatch, to: DispatchState, user: User, now: datetime.datetime, *, note: str = "", assigned_to: str = ""
) -> None:
    """Bring a dispatch to a state; `note` is the reason where it is sent back.

    Raises ActOutOfOrder or DirectiveNotInForce.
    """
    with transaction.atomic():
        locked = _locked(dispatch)
        if locked.state not in ALLOWED[to]:
            raise ActOutOfOrder(f"the dispatch is {locked.state}; {to} follows {', '.join(sorted(ALLOWED[to]))}")
        before = locked.state
        locked.state, locked.changed_at = to, now
        if to == S.RECEIVED and locked.incoming_number is None:
            _number(locked, now)
        if to == S.SENT_BACK:
            locked.reason = note[:300]
        if to == S.ASSIGNED:
            locked.assigned_to = note = assigned_to[:120]
        locked.save()
        DispatchEvent.objects.create(
            dispatch=locked, what=EventKind(to.value), at=now, actor=user, before=before, note=note[:300]
        )
        if to == S.SENT_BACK:
            subject = f"directive {locked.directive_id}"
            hash_chain.record(user.username, "document_sent_back", subject, now=now, agency=locked.agency.key)
    dispatch.refresh_from_db()


def answer_recall(dispatch: Dispatch, agrees: bool, user: User, now: datetime.datetime) -> None:
    """Agree or not to a recall or update that came from another office (15, 16); once for each.

    Raises ActOutOfOrder where nothing waits for an answer.
    """
    with transaction.atomic():
        locked = Dispatch.objects.select_for_update(of=("self",)).select_related("directive").get(pk=dispatch.pk)
        if not waits_for_answer(locked):
            raise ActOutOfOrder("no recall or update waits for an answer")
        what = EventKind.AGREED if agrees else EventKind.DECLINED
        DispatchEvent.objects.create(dispatch=locked, what=what, at=now, actor=user, before=locked.state)


def waits_for_answer(dispatch: Dispatch) -> bool:
    """Whether a recall or update of another office is the last such thing, with no answer after it."""
    if not dispatch.directive.from_file or dispatch.parent_id:
        return False
    whats = (EventKind.REVOKED, EventKind.UPDATED, EventKind.AGREED, EventKind.DECLINED)
    last = dispatch.events.filter(what__in=whats).order_by("-pk").first()
    return last is not None and last.what in (EventKind.REVOKED, EventKind.UPDATED)


def undo(dispatch: Dispatch, user: User, now: datetime.datetime) -> None:
    """Take back one's own last tap within ten seconds. The running number stays, so that the register has no gap."""
    with transaction.atomic():
        locked = _locked(dispatch)
        last = locked.events.order_by("-pk").first()
        late = last is None or (now - last.at).total_seconds() > UNDO_SECONDS + GRACE_SECONDS
        if last is None or late or last.actor_id != user.pk or last.what not in _ONE_TAP:
            raise UndoTooLate("the last act is not one that can still be taken back")
        locked.state, locked.changed_at = last.before, now
        locked.save(update_fields=["state", "changed_at"])
        DispatchEvent.objects.create(
            dispatch=locked, what=EventKind.UNDONE, at=now, actor=user, before=last.what, note=last.what
        )
    dispatch.refresh_from_db()


def may_undo(dispatch: Dispatch, user: User, now: datetime.datetime) -> bool:
    """Whether the page offers to take the last tap back."""
    last = dispatch.events.order_by("-pk").first()
    fresh = last is not None and (now - last.at).total_seconds() <= UNDO_SECONDS
    return bool(last and fresh and last.actor_id == user.pk and last.what in _ONE_TAP)


def pass_on(dispatch: Dispatch, agencies: Iterable[Agency], user: User, now: datetime.datetime) -> list[Dispatch]:
    """Send a received directive on to agencies below this one. Raises NotBelow, ActOutOfOrder, DirectiveNotInForce."""
    with transaction.atomic():
        locked = _locked(dispatch)
        if locked.state in (S.ARRIVED, S.SENT_BACK):
            raise ActOutOfOrder("the directive must be received before it is passed on")
        chosen = list(agencies)
        if any(not is_below(agency, locked.agency) for agency in chosen):
            raise NotBelow("an agency is not below this one")
        purpose = Purpose(locked.purpose)
        made = approval.dispatch(locked.directive, [(agency, purpose) for agency in chosen], user, now, parent=locked)
        names = ", ".join(one.agency.name for one in made)
        DispatchEvent.objects.create(dispatch=locked, what=EventKind.PASSED_ON, at=now, actor=user, note=names[:300])
    return made


def is_below(agency: Agency, top: Agency) -> bool:
    """Whether an agency answers to `top`, or serves a part of its territory."""
    inside = agency.unit.path.startswith(top.unit.path) and agency.unit_id != top.unit_id
    return agency.pk != top.pk and (agency.is_under(top) or inside or _same_ward(agency, top))


def _same_ward(agency: Agency, top: Agency) -> bool:
    """A People's Committee of a ward directs the schools and health station of its territory."""
    return top.kind == "committee" and agency.kind != "committee" and agency.unit_id == top.unit_id


def _locked(dispatch: Dispatch) -> Dispatch:
    locked = (
        Dispatch.objects.select_for_update(of=("self",)).select_related("directive", "agency__unit").get(pk=dispatch.pk)
    )
    if not locked.directive.in_force:
        raise DirectiveNotInForce(f"the directive is {locked.directive.state}")
    return locked


def _number(dispatch: Dispatch, now: datetime.datetime) -> None:
    year = timezone.localtime(now).year
    # Two clerks of one agency at the same moment: the agency's row is the queue.
    Agency.objects.select_for_update().get(pk=dispatch.agency_id)
    last = Dispatch.objects.filter(agency=dispatch.agency_id, incoming_year=year).aggregate(
        last=Max("incoming_number")
    )["last"]
    dispatch.received_at, dispatch.incoming_year, dispatch.incoming_number = now, year, (last or 0) + 1
