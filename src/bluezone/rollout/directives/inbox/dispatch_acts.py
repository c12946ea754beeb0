# SPDX-License-Identifier: Apache-2.0
"""What an agency does with a directive it got: receive, send back, assign, begin, finish, pass on, take a tap back."""

import datetime
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency, Purpose
from bluezone.identity.models import User
from bluezone.identity.undo_offers import GRACE_SECONDS, UNDO_SECONDS, UndoTooLate
from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import Dispatch, DispatchEvent, DispatchState, Happening

S = DispatchState
ALLOWED = {
    S.RECEIVED: {S.ARRIVED, S.SENT_BACK},
    S.SENT_BACK: {S.ARRIVED, S.RECEIVED},
    S.ASSIGNED: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS},
    S.IN_PROGRESS: {S.RECEIVED, S.ASSIGNED},
    S.DONE: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS},
}
_ONE_TAP = frozenset({Happening.RECEIVED, Happening.IN_PROGRESS, Happening.DONE})


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
        DispatchEvent.objects.create(dispatch=dispatch, what=Happening.OPENED, at=now, actor=user)


def move(
    dispatch: Dispatch, to: DispatchState, user: User, now: datetime.datetime, *, note: str = "", assigned_to: str = ""
) -> None:
    """Bring a dispatch to a state; `note` is the reason where it is sent back.

    Raises ActOutOfOrder or DirectiveNotInForce.
    """
    with transaction.atomic():
        held = _held(dispatch)
        if held.state not in ALLOWED[to]:
            raise ActOutOfOrder(f"the dispatch is {held.state}; {to} follows {', '.join(sorted(ALLOWED[to]))}")
        before = held.state
        held.state, held.changed_at = to, now
        if to == S.RECEIVED and held.incoming_number is None:
            _number(held, now)
        if to == S.SENT_BACK:
            held.reason = note[:300]
        if to == S.ASSIGNED:
            held.assigned_to = note = assigned_to[:120]
        held.save()
        DispatchEvent.objects.create(
            dispatch=held, what=Happening(to.value), at=now, actor=user, before=before, note=note[:300]
        )
        if to == S.SENT_BACK:
            subject = f"directive {held.directive_id}"
            hash_chain.record(user.username, "document_sent_back", subject, now=now, agency=held.agency.key)
    dispatch.refresh_from_db()


def answer_recall(dispatch: Dispatch, agrees: bool, user: User, now: datetime.datetime) -> None:
    """Agree or not to a recall or update that came from another office (15, 16); once for each.

    Raises ActOutOfOrder where nothing waits for an answer.
    """
    with transaction.atomic():
        held = Dispatch.objects.select_for_update(of=("self",)).select_related("directive").get(pk=dispatch.pk)
        if not waits_for_answer(held):
            raise ActOutOfOrder("no recall or update waits for an answer")
        what = Happening.AGREED if agrees else Happening.DECLINED
        DispatchEvent.objects.create(dispatch=held, what=what, at=now, actor=user, before=held.state)


def waits_for_answer(dispatch: Dispatch) -> bool:
    """Whether a recall or update of another office is the last such thing, with no answer after it."""
    if not dispatch.directive.from_file or dispatch.parent_id:
        return False
    whats = (Happening.REVOKED, Happening.UPDATED, Happening.AGREED, Happening.DECLINED)
    last = dispatch.events.filter(what__in=whats).order_by("-pk").first()
    return last is not None and last.what in (Happening.REVOKED, Happening.UPDATED)


def undo(dispatch: Dispatch, user: User, now: datetime.datetime) -> None:
    """Take back one's own last tap within ten seconds. The running number stays, so that the register has no gap."""
    with transaction.atomic():
        held = _held(dispatch)
        last = held.events.order_by("-pk").first()
        late = last is None or (now - last.at).total_seconds() > UNDO_SECONDS + GRACE_SECONDS
        if last is None or late or last.actor_id != user.pk or last.what not in _ONE_TAP:
            raise UndoTooLate("the last act is not one that can still be taken back")
        held.state, held.changed_at = last.before, now
        held.save(update_fields=["state", "changed_at"])
        DispatchEvent.objects.create(
            dispatch=held, what=Happening.UNDONE, at=now, actor=user, before=last.what, note=last.what
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
        held = _held(dispatch)
        if held.state in (S.ARRIVED, S.SENT_BACK):
            raise ActOutOfOrder("the directive must be received before it is passed on")
        chosen = list(agencies)
        if any(not is_below(agency, held.agency) for agency in chosen):
            raise NotBelow("an agency is not below this one")
        purpose = Purpose(held.purpose)
        made = approval.dispatch(held.directive, [(agency, purpose) for agency in chosen], user, now, parent=held)
        names = ", ".join(one.agency.name for one in made)
        DispatchEvent.objects.create(dispatch=held, what=Happening.PASSED_ON, at=now, actor=user, note=names[:300])
    return made


def is_below(agency: Agency, top: Agency) -> bool:
    """Whether an agency answers to `top`, or serves a part of its territory."""
    inside = agency.unit.path.startswith(top.unit.path) and agency.unit_id != top.unit_id
    return agency.pk != top.pk and (agency.is_under(top) or inside or _same_ward(agency, top))


def _same_ward(agency: Agency, top: Agency) -> bool:
    """A People's Committee of a ward directs the schools and health station of its territory."""
    return top.kind == "committee" and agency.kind != "committee" and agency.unit_id == top.unit_id


def _held(dispatch: Dispatch) -> Dispatch:
    held = (
        Dispatch.objects.select_for_update(of=("self",)).select_related("directive", "agency__unit").get(pk=dispatch.pk)
    )
    if not held.directive.in_force:
        raise DirectiveNotInForce(f"the directive is {held.directive.state}")
    return held


def _number(dispatch: Dispatch, now: datetime.datetime) -> None:
    year = timezone.localtime(now).year
    # Two clerks of one agency at the same moment: the agency's row is the queue.
    Agency.objects.select_for_update().get(pk=dispatch.agency_id)
    last = Dispatch.objects.filter(agency=dispatch.agency_id, incoming_year=year).aggregate(
        last=Max("incoming_number")
    )["last"]
    dispatch.received_at, dispatch.incoming_year, dispatch.incoming_number = now, year, (last or 0) + 1
