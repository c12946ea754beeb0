# SPDX-License-Identifier: Apache-2.0
"""Acts that one person may not do alone: one person asks for the act, and a second one confirms it.

The second person must be allowed to do the act too, and must really be another person: no one may have access to
both accounts (recent_access.people_with_access). If there is no such person, the one who asked may confirm after 24
hours, and until then every office page shows a notice. Acts on accounts are an exception: the operator confirms them at
the server.

An act that speaks to the public can also be done at once behind a broken glass: for one hour, announced to everybody,
and not from an account that somebody else made or reset within a week.
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
from bluezone.authority import recent_access
from bluezone.authority.models import ActState, WaitingAct
from bluezone.authority.recent_access import people_with_access
from bluezone.duties.catalogue import shared_acts
from bluezone.duties.duty import Text, load
from bluezone.identity.factors.second_factors import is_missing
from bluezone.identity.models import RoleGrant, User
from bluezone.refusal import Refused

# Long enough for a second person to come in on the next working day, even after a long weekend.
WAITING_LIFE = datetime.timedelta(days=4)
ALONE_AFTER = datetime.timedelta(hours=24)
GLASS_LIFE = datetime.timedelta(hours=1)
RETENTION = datetime.timedelta(days=30)
Lines = Sequence[tuple[Text, Text]]


class SecondPersonRefused(Refused):
    """This person cannot confirm: they asked for the act, may not do it, or are behind the account that asked."""

    code = "second_person_refused"


class ActGone(Refused):
    """The act is done, withdrawn or expired, or its subject has changed since it was asked for."""

    code = "act_gone"


class GlassRefused(Refused):
    """The person holds no role that speaks to the public, or another person made or reset the account within a week.

    by: the sign-in name of that other person, "" if there is none.
    """

    code = "glass_refused"

    def __init__(self, message: str, by: str = "") -> None:
        super().__init__(message)
        self.by = by


class SharedAct:
    """One kind of act that takes two people; a duty declares it by a dotted name (Duty.shared_acts).

    title: what is done. speaks_to_public: whether it speaks to the public, so that a broken glass allows it.
    by_operator: if no one in the office could confirm, the operator's shell does, and not the person who asked.
    roles: only people with one of these roles can do it, so that `may_perform` is called for few.
    """

    title: ClassVar[Text]
    speaks_to_public: ClassVar[bool] = False
    by_operator: ClassVar[bool] = False
    roles: ClassVar[frozenset[str]]

    def may_perform(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person may do this act, by role and reach."""
        raise NotImplementedError

    def may_confirm(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person qualifies as the second one; by default, whether they may do the act themselves."""
        return self.may_perform(user, values)

    def describe(self, values: dict[str, Any]) -> Lines:
        """What both people read: label and text. Raises Refused if the subject of the act no longer exists."""
        raise NotImplementedError

    def perform(self, asker: User, second: Any, values: dict[str, Any], now: datetime.datetime) -> Any:
        """Do it; raises Refused. The result goes to the page of the person who confirms.

        second: the account that confirms; for an act `by_operator` also None, the operator's shell.
        """
        raise NotImplementedError


def kind_by_name(name: str) -> SharedAct:
    """The kind of act with this name."""
    kind: SharedAct = load(shared_acts()[name])()
    return kind


def request_act(name: str, user: User, values: dict[str, Any], now: datetime.datetime) -> WaitingAct:
    """Store an act for a second person. If this person has already asked for the same act, return that one."""
    kind = kind_by_name(name)
    mine = WaitingAct.objects.filter(kind=name, state=ActState.WAITING, expires_at__gt=now, asked_by=user)
    for act in mine:
        if act.values == values:
            return act
    with transaction.atomic():
        act = WaitingAct.objects.create(
            kind=name, values=values, lines=_vietnamese_lines(kind, values), asked_by=user, asked_at=now,
            expires_at=now + WAITING_LIFE,
        )  # fmt: skip
        hash_chain.record(user.username, "act_asked", f"act {act.pk}", now=now, kind=name)
    return act


def perform_or_request(
    name: str, user: User, values: dict[str, Any], now: datetime.datetime
) -> tuple[WaitingAct | None, Any]:
    """Do the act at once behind a glass that this person has broken: (None, its result). Else ask: (act, None)."""
    kind = kind_by_name(name)
    if kind.speaks_to_public and broken_glass(user, now) is not None:
        with transaction.atomic():
            record_break_glass_use(name, user, now)
            return None, kind.perform(user, user, values, now)
    return request_act(name, user, values, now), None


def record_break_glass_use(kind: str, user: User, now: datetime.datetime) -> None:
    """Record in the audit what was done behind a broken glass."""
    hash_chain.record(user.username, "glass_used", user.username, now=now, kind=kind)


def confirm_act(act: WaitingAct, second: User, now: datetime.datetime) -> Any:
    """Do the act, once. Raises SecondPersonRefused, ActGone, or a refusal of the act itself.

    second: who confirms; after 24 hours this may be the person who asked, if no one else could.
    """
    _check_unchanged(act, now)
    is_alone = second.pk == act.asked_by_id
    if is_alone:
        if now < act.asked_at + ALONE_AFTER or not may_confirm_alone(act, now):
            raise SecondPersonRefused("another person has to confirm")
    elif not may_confirm(act, second, now):
        raise SecondPersonRefused("this person may not do the act, or is behind the account that asked")
    return _perform(act, second, now, alone=is_alone)


def confirm_on_server(act: WaitingAct, now: datetime.datetime) -> Any:
    """Do the act, with the operator's shell as the second person in the audit.

    Raises SecondPersonRefused if somebody in the office could confirm or the operator may not confirm this kind,
    ActGone, or a refusal of the act itself.
    """
    _check_unchanged(act, now)
    if not kind_by_name(act.kind).by_operator:
        raise SecondPersonRefused("this act can only be confirmed in the office")
    possible = _possible_seconds(act, now)
    if possible:
        raise SecondPersonRefused(f"{possible[0].username} could confirm this in the office")
    return _perform(act, None, now)


def _check_unchanged(act: WaitingAct, now: datetime.datetime) -> None:
    """Raise ActGone unless the act still waits, as it was asked for, by a person who may still do it."""
    kind = kind_by_name(act.kind)
    if act.state != ActState.WAITING or act.expires_at <= now or not kind.may_perform(act.asked_by, act.values):
        raise ActGone("the act is done, withdrawn or expired, or the person who asked may no longer do it")
    if _vietnamese_lines(kind, act.values) != act.lines:
        raise ActGone("the subject of the act has changed since it was asked for")


def _perform(act: WaitingAct, second: User | None, now: datetime.datetime, *, alone: bool = False) -> Any:
    actor = second.username if second else COMMAND_LINE
    with transaction.atomic():
        waiting = WaitingAct.objects.filter(pk=act.pk, state=ActState.WAITING)
        # The operator's shell has no account; the audit names it.
        answered_by = second or act.asked_by
        if not waiting.update(state=ActState.DONE, answered_by=answered_by, answered_at=now):
            raise ActGone("someone else confirmed or withdrew the act first")
        hash_chain.record(actor, "act_confirmed", f"act {act.pk}", now=now, kind=act.kind, alone=alone)
        return kind_by_name(act.kind).perform(act.asked_by, second, act.values, now)


def withdraw_act(act: WaitingAct, user: User, now: datetime.datetime) -> None:
    """Refuse an act, or withdraw one's own. Raises ActGone."""
    with transaction.atomic():
        waiting = WaitingAct.objects.filter(pk=act.pk, state=ActState.WAITING)
        if not waiting.update(state=ActState.WITHDRAWN, answered_by=user, answered_at=now):
            raise ActGone("the act is done or withdrawn")
        hash_chain.record(user.username, "act_withdrawn", f"act {act.pk}", now=now, kind=act.kind)


def waiting_acts(now: datetime.datetime) -> list[WaitingAct]:
    """Waiting acts and glasses that are broken now, newest first; one query, on every page of the office."""
    open_now = WaitingAct.objects.filter(state__in=(ActState.WAITING, ActState.GLASS), expires_at__gt=now)
    return list(open_now.select_related("asked_by"))


def may_see(act: WaitingAct, user: User) -> bool:
    """Whether this person may open the page of an act: they asked for it, or may do or confirm it."""
    if not act.kind:
        return False
    kind = kind_by_name(act.kind)
    return act.asked_by_id == user.pk or kind.may_perform(user, act.values) or kind.may_confirm(user, act.values)


def may_confirm(act: WaitingAct, user: User, now: datetime.datetime) -> bool:
    """Whether this person may be the second person for this act."""
    return _qualifies_as_second(act, user, people_with_access(act.asked_by, now), now)


def may_confirm_alone(act: WaitingAct, now: datetime.datetime) -> bool:
    """Whether no one could confirm, so that the person who asked may do so after 24 hours.

    False if people behind the asking account ended the role or the sign-in of a possible second person within a week.
    """
    kind = kind_by_name(act.kind)
    if kind.by_operator:
        return False
    since = now - recent_access.IN_HAND
    removals = AuditEntry.objects.filter(actor__in=people_with_access(act.asked_by, now), at__gt=since).filter(
        Q(action="role_ended") | Q(action="account_changed", details__active=False)
    )
    if RoleGrant.objects.filter(role__in=kind.roles, user__username__in=removals.values("subject")).exists():
        return False
    return not _possible_seconds(act, now)


def _possible_seconds(act: WaitingAct, now: datetime.datetime) -> list[User]:
    """Everybody who could confirm an act as the second person."""
    behind = people_with_access(act.asked_by, now)
    holders = User.objects.with_roles(kind_by_name(act.kind).roles).exclude(pk=act.asked_by_id)
    return [user for user in holders if user.has_usable_password() and _qualifies_as_second(act, user, behind, now)]


def _qualifies_as_second(act: WaitingAct, user: User, behind: frozenset[str], now: datetime.datetime) -> bool:
    """Whether the user may confirm, and no one is behind both accounts. behind: people behind the asking account."""
    if not kind_by_name(act.kind).may_confirm(user, act.values) or is_missing(user):
        return False
    return behind.isdisjoint(people_with_access(user, now))


def break_glass(user: User, reason: str, now: datetime.datetime) -> WaitingAct:
    """Let this person speak to the public alone for one hour, announced on every page. Raises GlassRefused."""
    if not may_break_glass(user):
        raise GlassRefused("the person has no role that may speak to the public")
    others = sorted(people_with_access(user, now) - {user.username})
    if others:
        raise GlassRefused(f"{others[0]} made or reset the account within a week", others[0])
    with transaction.atomic():
        act = WaitingAct.objects.create(
            state=ActState.GLASS, reason=reason, asked_by=user, asked_at=now, expires_at=now + GLASS_LIFE
        )
        hash_chain.record(user.username, "glass_broken", user.username, now=now, reason=reason)
    return act


def broken_glass(user: User, now: datetime.datetime) -> WaitingAct | None:
    """The act by which this person has broken the glass within the last hour; None if there is none."""
    return WaitingAct.objects.filter(state=ActState.GLASS, asked_by=user, expires_at__gt=now).first()


def may_break_glass(user: User) -> bool:
    """Whether this person could do anything behind a broken glass."""
    kinds = [kind_by_name(name) for name in shared_acts()]
    roles = frozenset().union(*(kind.roles for kind in kinds if kind.speaks_to_public))
    return User.objects.with_roles(roles).filter(pk=user.pk).exists()


def purge(now: datetime.datetime) -> None:
    """Delete acts that were done, were withdrawn or expired 30 days ago."""
    past = Q(answered_at__lte=now - RETENTION) | Q(answered_at=None, expires_at__lte=now - RETENTION)
    WaitingAct.objects.filter(past).delete()


def _vietnamese_lines(kind: SharedAct, values: dict[str, Any]) -> list[list[str]]:
    """The lines that both people read, in Vietnamese for every reader, so that they can be compared."""
    with override("vi"):
        return [[str(label), str(text)] for label, text in kind.describe(values)]
