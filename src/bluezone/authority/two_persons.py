# SPDX-License-Identifier: Apache-2.0
"""What one person may not do alone: asked for by one, confirmed by another, who is really another.

The second person may do the act too, and no third person is behind both accounts: within a week neither was made, given
a link or freed of its second factor by the other, or both by the same (role_grants.hands). Where there is nobody who
could confirm, whoever asked may confirm after 24 hours, and every office page says so until then; what is about
accounts is confirmed by the operator at the server instead. What speaks to the public can also be done at once behind a
broken glass: for one hour, told to everybody, by an account that no second hand has touched within a week. Nothing else
can.
"""

import datetime
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Q
from django.utils.translation import override

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.audit.models import AuditEntry
from bluezone.authority import role_grants
from bluezone.authority.models import ActState, WaitingAct
from bluezone.authority.role_grants import hands
from bluezone.duties.catalogue import shared_acts
from bluezone.duties.duty import Text, load
from bluezone.identity.models import RoleGrant, User
from bluezone.identity.second_factors import is_missing
from bluezone.refusal import Refused

# A second person comes by on the next working day, or after a long weekend.
WAITS = datetime.timedelta(days=4)
ALONE_AFTER = datetime.timedelta(hours=24)
GLASS_HOLDS = datetime.timedelta(hours=1)
KEPT = datetime.timedelta(days=30)
Said = Sequence[tuple[Text, Text]]


class SecondPersonRefused(Refused):
    """This person cannot confirm: asked for it, may not do it, or is behind the account that asked."""

    code = "second_person_refused"


class ActGone(Refused):
    """The act is done, withdrawn or over, or what it is about has changed since it was asked for."""

    code = "act_gone"


class GlassRefused(Refused):
    """The person holds no role that speaks to the public, or another person made or reset the account within a week.

    by: the sign-in name of that other person, "" where there is none.
    """

    code = "glass_refused"

    def __init__(self, message: str, by: str = "") -> None:
        super().__init__(message)
        self.by = by


class SharedAct:
    """One kind of act that takes two people; a duty declares it by a dotted name (Duty.shared_acts).

    words: what is done. voice: whether it speaks to the public, so that a broken glass opens it.
    by_operator: whether the operator's shell confirms it where nobody could, and not the person who asked, after a day.
    roles: those of whom some may do it, so that few are asked `may`.
    """

    words: ClassVar[Text]
    voice: ClassVar[bool] = False
    by_operator: ClassVar[bool] = False
    roles: ClassVar[frozenset[str]]

    def may(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person may do this act, by role and by reach."""
        raise NotImplementedError

    def may_confirm(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person is of the right kind to be the second one; who may do it, if nothing else is declared."""
        return self.may(user, values)

    def said(self, values: dict[str, Any]) -> Said:
        """What both people read: label and text. Raises Refused where what it is about is gone."""
        raise NotImplementedError

    def do(self, asker: User, second: Any, values: dict[str, Any], now: datetime.datetime) -> Any:
        """Do it; raises Refused. What it returns is handed to the page of whoever confirms.

        second: the account that confirms; for an act `by_operator` also None, the operator's shell.
        """
        raise NotImplementedError


def kind_of(name: str) -> SharedAct:
    """The kind of this name."""
    kind: SharedAct = load(shared_acts()[name])()
    return kind


def ask(name: str, user: User, values: dict[str, Any], now: datetime.datetime) -> WaitingAct:
    """Store an act for a second person; one that this person has asked for already is the same one."""
    kind = kind_of(name)
    mine = WaitingAct.objects.filter(kind=name, state=ActState.WAITING, expires_at__gt=now, asked_by=user)
    before = next((one for one in mine if one.values == values), None)
    if before is not None:
        return before
    with transaction.atomic():
        made = WaitingAct.objects.create(
            kind=name, values=values, shown=_frozen(kind, values), asked_by=user, asked_at=now,
            expires_at=now + WAITS,
        )  # fmt: skip
        hash_chain.record(user.username, "act_asked", f"act {made.pk}", now=now, kind=name)
    return made


def do_or_ask(name: str, user: User, values: dict[str, Any], now: datetime.datetime) -> tuple[WaitingAct | None, Any]:
    """Behind a glass that this person has broken: do it and return (None, what it returned); else ask: (act, None)."""
    kind = kind_of(name)
    if kind.voice and glass_of(user, now) is not None:
        with transaction.atomic():
            note_glass(name, user, now)
            return None, kind.do(user, user, values, now)
    return ask(name, user, values, now), None


def note_glass(kind: str, user: User, now: datetime.datetime) -> None:
    """Keep in the audit what was done behind a broken glass."""
    hash_chain.record(user.username, "glass_used", user.username, now=now, kind=kind)


def confirm(act: WaitingAct, second: User, now: datetime.datetime) -> Any:
    """Do what was asked for, once. Raises SecondPersonRefused, ActGone, or what the act itself refuses."""
    alone = second.pk == act.asked_by_id
    _check_unchanged(act, now)
    if alone and not (may_confirm_alone(act, now) and now >= act.asked_at + ALONE_AFTER):
        raise SecondPersonRefused("another person has to confirm")
    if not alone and not may_confirm(act, second, now):
        raise SecondPersonRefused("this person may not do the act, or is behind the account that asked")
    return _do(act, second, now, alone=alone)


def confirm_at_the_server(act: WaitingAct, now: datetime.datetime) -> Any:
    """Do what was asked for, with the operator's shell as the second hand, which the audit says.

    Raises SecondPersonRefused where somebody in the office could confirm or the act is none for the operator, ActGone,
    or what the act itself refuses.
    """
    _check_unchanged(act, now)
    if not kind_of(act.kind).by_operator:
        raise SecondPersonRefused("this act is confirmed in the office alone")
    seconds = _seconds(act, now)
    if seconds:
        raise SecondPersonRefused(f"{seconds[0].username} could confirm this in the office")
    return _do(act, None, now)


def _check_unchanged(act: WaitingAct, now: datetime.datetime) -> None:
    kind = kind_of(act.kind)
    if act.state != ActState.WAITING or act.expires_at <= now or not kind.may(act.asked_by, act.values):
        raise ActGone("the act is done, withdrawn or over, or who asked may not do it any more")
    if _frozen(kind, act.values) != act.shown:
        raise ActGone("what the act is about has changed since it was asked for")


def _do(act: WaitingAct, second: User | None, now: datetime.datetime, *, alone: bool = False) -> Any:
    actor = second.username if second else COMMAND_LINE
    with transaction.atomic():
        waiting = WaitingAct.objects.filter(pk=act.pk, state=ActState.WAITING)
        # The operator's shell is no account; the audit names it.
        answered_by = second or act.asked_by
        if not waiting.update(state=ActState.DONE, answered_by=answered_by, answered_at=now):
            raise ActGone("somebody was quicker")
        hash_chain.record(actor, "act_confirmed", f"act {act.pk}", now=now, kind=act.kind, alone=alone)
        return kind_of(act.kind).do(act.asked_by, second, act.values, now)


def withdraw(act: WaitingAct, user: User, now: datetime.datetime) -> None:
    """Say no to an act, or take one's own back. Raises ActGone."""
    with transaction.atomic():
        waiting = WaitingAct.objects.filter(pk=act.pk, state=ActState.WAITING)
        if not waiting.update(state=ActState.WITHDRAWN, answered_by=user, answered_at=now):
            raise ActGone("the act is done or withdrawn")
        hash_chain.record(user.username, "act_withdrawn", f"act {act.pk}", now=now, kind=act.kind)


def waiting(now: datetime.datetime) -> list[WaitingAct]:
    """What waits, and the glasses that are broken now, the newest first; one query, on every page of the office."""
    open_now = WaitingAct.objects.filter(state__in=(ActState.WAITING, ActState.GLASS), expires_at__gt=now)
    return list(open_now.select_related("asked_by"))


def may_see(act: WaitingAct, user: User) -> bool:
    """Whether the page of an act opens: for who asked, and for who may do the same."""
    if not act.kind:
        return False
    kind = kind_of(act.kind)
    return act.asked_by_id == user.pk or kind.may(user, act.values) or kind.may_confirm(user, act.values)


def may_confirm(act: WaitingAct, user: User, now: datetime.datetime) -> bool:
    """Whether this person is a second one for this act."""
    return _is_second(act, user, hands(act.asked_by, now), now)


def may_confirm_alone(act: WaitingAct, now: datetime.datetime) -> bool:
    """Whether nobody is there who could confirm, so that who asked may do so after 24 hours.

    Whoever has made it so within a week, by taking another's role or right to sign in, is not let alone, nor is an
    account that such a person may be behind.
    """
    kind = kind_of(act.kind)
    if kind.by_operator:
        return False
    since = now - role_grants.IN_HAND
    taken = AuditEntry.objects.filter(actor__in=hands(act.asked_by, now), at__gt=since).filter(
        Q(action="role_ended") | Q(action="account_changed", details__active=False)
    )
    if RoleGrant.objects.filter(role__in=kind.roles, user__username__in=taken.values("subject")).exists():
        return False
    return not _seconds(act, now)


def _seconds(act: WaitingAct, now: datetime.datetime) -> list[User]:
    """Everybody who could confirm an act."""
    behind = hands(act.asked_by, now)
    holders = User.objects.holding(kind_of(act.kind).roles).exclude(pk=act.asked_by_id)
    return [user for user in holders if user.has_usable_password() and _is_second(act, user, behind, now)]


def _is_second(act: WaitingAct, user: User, behind: frozenset[str], now: datetime.datetime) -> bool:
    if not kind_of(act.kind).may_confirm(user, act.values) or is_missing(user):
        return False
    return behind.isdisjoint(hands(user, now))


def break_glass(user: User, reason: str, now: datetime.datetime) -> WaitingAct:
    """For one hour this person speaks to the public without a second one; everybody is told. Raises GlassRefused."""
    if not speaks(user):
        raise GlassRefused("the person holds no role that speaks to the public")
    others = sorted(hands(user, now) - {user.username})
    if others:
        raise GlassRefused(f"{others[0]} made or reset the account within a week", others[0])
    with transaction.atomic():
        made = WaitingAct.objects.create(
            state=ActState.GLASS, reason=reason, asked_by=user, asked_at=now, expires_at=now + GLASS_HOLDS
        )
        hash_chain.record(user.username, "glass_broken", user.username, now=now, reason=reason)
    return made


def glass_of(user: User, now: datetime.datetime) -> WaitingAct | None:
    """The glass that this person has broken within the hour."""
    return WaitingAct.objects.filter(state=ActState.GLASS, asked_by=user, expires_at__gt=now).first()


def speaks(user: User) -> bool:
    """Whether a broken glass would open anything to this person."""
    kinds = [kind_of(name) for name in shared_acts()]
    roles = frozenset().union(*(kind.roles for kind in kinds if kind.voice))
    return User.objects.holding(roles).filter(pk=user.pk).exists()


def purge(now: datetime.datetime) -> None:
    """Delete what was done, withdrawn or over 30 days ago."""
    past = Q(answered_at__lte=now - KEPT) | Q(answered_at=None, expires_at__lte=now - KEPT)
    WaitingAct.objects.filter(past).delete()


def _frozen(kind: SharedAct, values: dict[str, Any]) -> list[list[str]]:
    """In Vietnamese, whoever reads: what was asked for and what is confirmed are compared."""
    with override("vi"):
        return [[str(label), str(text)] for label, text in kind.said(values)]
