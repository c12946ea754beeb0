# SPDX-License-Identifier: Apache-2.0
"""Who is meant by the lines of a letter: agencies in force by their exact names, and groups as their members of the
day; and how each of them is reached.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from bluezone.directory.kinds import Purpose
from bluezone.directory.models import Agency, RecipientGroup
from bluezone.directory.queries import add_successors, successors_by
from bluezone.identity.models import RoleGrant
from bluezone.refusal import Refused
from bluezone.rollout.directives.models import Channel, Directive, PartnerCertificate, Task, TaskParty
from bluezone.rollout.directives.permissions import HANDLERS
from bluezone.vietnamese.spelling import fold, spell_alike

# Levels at the end of an agency's name, as `spell_alike` writes them; a letter may leave out that of its own issuer.
_LEVELS = tuple(
    spell_alike(level) for level in ("thành phố", "tỉnh", "huyện", "thị xã", "quận", "phường", "xã", "đặc khu")
)


class RecipientUnsettled(Refused):
    """Lines of a letter do not each name somebody in force. names: those lines."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(names))
        super().__init__(f"{len(self.names)} names do not each mean one current agency")


class RecipientUnknown(RecipientUnsettled):
    """A line names neither an agency nor a recipient group."""

    code = "recipient_unknown"


class RecipientUnsure(RecipientUnsettled):
    """A line fits several agencies, or fits one only without its level or its diacritics; the clerk chooses."""

    code = "recipient_unsure"


class RecipientEnded(RecipientUnsettled):
    """A line names an agency that has ended, or a group of which nobody is left."""

    code = "recipient_ended"


@dataclass(frozen=True)
class Meaning:
    """What one name of a letter stands for.

    agencies:   whom it means; () while it is not settled. candidates: whom the clerk may choose then.
    ended:      agencies it meant that have ended: the one named, or members of a group whom nobody followed.
    """

    name: str
    agencies: tuple[Agency, ...] = ()
    candidates: tuple[Agency, ...] = ()
    ended: tuple[Agency, ...] = ()

    @property
    def refusal(self) -> type[RecipientUnsettled] | None:
        """Why it is not settled, None where it is."""
        if self.agencies:
            return None
        if self.ended:
            return RecipientEnded
        return RecipientUnsure if self.candidates else RecipientUnknown


@dataclass(frozen=True)
class Directory:
    """Names of the day; read once for all lines of a letter, in a constant number of queries whatever their number.

    issuer: whose letter it is: a name that leaves the level out means an agency of the issuer's own territory.
    choices: primary keys that a clerk chose for names, by `key_of` the name.
    """

    issuer: Agency | None
    choices: Mapping[str, int]
    in_force: dict[int, Agency]
    exact: dict[str, list[Agency]] = field(default_factory=dict)
    without_level: dict[str, list[Agency]] = field(default_factory=dict)
    alike: dict[str, list[Agency]] = field(default_factory=dict)
    past: dict[str, list[Agency]] = field(default_factory=dict)
    groups: dict[str, tuple[Agency, ...]] = field(default_factory=dict)
    heirs: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, today: datetime.date, issuer: Agency | None = None, choices: Mapping[str, int] | None = None
    ) -> "Directory":
        """Read it as of today: an agency that has ended is known as ended, and means nobody."""
        every = list(Agency.objects.exclude(valid_from__gt=today).select_related("unit").order_by("pk"))
        in_force = {one.pk: one for one in every if one.valid_to is None or one.valid_to > today}
        made = cls(issuer, choices or {}, in_force, heirs=successors_by(today))
        for agency in every:
            keys = {key_of(name) for name in (agency.name, agency.short_name, agency.code or "") if name}
            for key in keys:
                (made.exact if agency.pk in in_force else made.past).setdefault(key, []).append(agency)
            if agency.pk in in_force:
                for key in {_without_level(key) for key in keys} - keys:
                    made.without_level.setdefault(key, []).append(agency)
                for key in {_loose(agency.name), _loose(agency.short_name)} - {""}:
                    made.alike.setdefault(key, []).append(agency)
        _read_groups(made, {one.pk: one for one in every})
        return made

    @classmethod
    def for_letter(cls, directive: Directive, today: datetime.date) -> "Directory":
        """The names of a letter, with what its clerk has chosen."""
        return cls.of(today, directive.issuer, directive.choices)

    def meant_by(self, name: str) -> Meaning:
        """Whom a name stands for: what was chosen, else a group, else the one agency that is called exactly so."""
        key = key_of(name)
        if chosen := self.in_force.get(self.choices.get(key, 0)):
            return Meaning(name, (chosen,))
        for group in (key, key_of(f"Lưu: {name}")):
            if group in self.groups:
                return self._group(name, self.groups[group])
        if fitting := self.exact.get(key, []):
            return Meaning(name, tuple(fitting)) if len(fitting) == 1 else Meaning(name, candidates=tuple(fitting))
        own = [
            one for one in self.without_level.get(key, []) if self.issuer is None or one.unit_id == self.issuer.unit_id
        ]
        if len(own) == 1:
            return Meaning(name, tuple(own))
        near = {one.pk: one for one in [*self.without_level.get(key, []), *self.alike.get(_loose(name), [])]}
        if ended := self.past.get(key, []):
            return Meaning(name, candidates=self._heirs(ended) or tuple(near.values()), ended=tuple(ended))
        return Meaning(name, candidates=tuple(near.values()))

    def _group(self, name: str, members: tuple[Agency, ...]) -> Meaning:
        standing = {pk: self.in_force[pk] for pk in self._standing([one.pk for one in members])}
        ended = tuple(one for one in members if not self._standing([one.pk]))
        return Meaning(name, tuple(standing.values()), ended=ended)

    def _heirs(self, ended: Iterable[Agency]) -> tuple[Agency, ...]:
        return tuple(self.in_force[pk] for pk in self._standing([one.pk for one in ended]))

    def _standing(self, pks: Iterable[int]) -> list[int]:
        """Those in force that some agencies, ended ones among them, lead to."""
        return sorted(pk for pk in add_successors(pks, self.heirs) if pk in self.in_force)

    def expand(self, lines: str) -> list[Agency]:
        """The agencies of several lines, each once, in order.

        Raises RecipientUnknown, RecipientUnsure or RecipientEnded, naming every line of the first of these kinds.
        """
        for unsettled in self.unsettled(lines):
            raise unsettled
        meant = (agency for name in names_in(lines) for agency in self.meant_by(name).agencies)
        return list({agency.pk: agency for agency in meant}.values())

    def unsettled(self, lines: str) -> list[RecipientUnsettled]:
        """Why the lines do not each stand for somebody in force: at most one refusal of each kind."""
        found: dict[type[RecipientUnsettled], list[str]] = {}
        for name in names_in(lines):
            if kind := self.meant_by(name).refusal:
                found.setdefault(kind, []).append(name)
        return [kind(found[kind]) for kind in (RecipientUnknown, RecipientUnsure, RecipientEnded) if kind in found]

    def known(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """The names that stand for somebody or may be chosen among some, and those that stand for nobody at all."""
        split: tuple[list[str], list[str]] = ([], [])
        for name in dict.fromkeys(names):
            split[1 if self.meant_by(name).refusal is RecipientUnknown else 0].append(name)
        return split


def _read_groups(directory: Directory, every: Mapping[int, Agency]) -> None:
    members: dict[int, list[Agency]] = {}
    through = RecipientGroup.agencies.through._default_manager.order_by("agency_id")
    for group, agency in through.values_list("recipientgroup_id", "agency_id"):
        if agency in every:
            members.setdefault(group, []).append(every[agency])
    for row in RecipientGroup.objects.order_by("pk"):
        directory.groups[key_of(row.name)] = tuple(members.get(row.pk, ()))


def names_in(lines: str) -> list[str]:
    """The names of a text with one a line, or several with semicolons between."""
    return [name.strip(" \t.-–•") for name in re.split(r"[\n;]", lines) if name.strip(" \t.-–•")]


_COMMITTEE = spell_alike("Ủy ban nhân dân")


def key_of(name: str) -> str:
    """By what a name is found: exactly as written but for case, spacing and the short form of a People's Committee."""
    key = spell_alike(name).strip(" .;,:")
    return f"ubnd{key.removeprefix(_COMMITTEE)}" if key.startswith(f"{_COMMITTEE} ") else key


def _without_level(key: str) -> str:
    return next((key.removesuffix(f" {level}") for level in _LEVELS if key.endswith(f" {level}")), key)


def _loose(name: str) -> str:
    """A name without diacritics and level: what it may have been meant as, and never what it means."""
    folded = re.sub(r"^uy ban nhan dan ", "ubnd ", fold(name)).rstrip(" .;,:")
    for level in ("thanh pho", "tinh", "huyen", "thi xa", "quan", "phuong", "xa", "dac khu"):
        folded = folded.removesuffix(f" {level}").removesuffix(" cua")
    return folded


@dataclass(frozen=True)
class Receiver:
    """An agency that a letter goes to: why (a Purpose), and how it is reached."""

    agency: Agency
    purpose: str
    channel: Channel


def receivers_of(directive: Directive, tasks: Iterable[Task], directory: Directory) -> list[Receiver]:
    """Every agency that a letter goes to, each once, with its strongest purpose: action, information, file.

    Agencies of a task receive it for action even where Nơi nhận leaves them out. Raises what `Directory.expand` does.
    """
    found: dict[int, tuple[Agency, str]] = {}
    for agency in directory.expand(directive.recipients_action):
        found.setdefault(agency.pk, (agency, Purpose.ACTION))
    for task in tasks:
        for agency in directory.expand(f"{task.lead_names}\n{task.cooperating_names}"):
            found.setdefault(agency.pk, (agency, Purpose.ACTION))
    for agency in directory.expand(directive.recipients_information):
        found.setdefault(agency.pk, (agency, Purpose.INFORMATION))
    # "Lưu: VT" is the issuer's own registry; who keeps it need not be an agency.
    for name in names_in(directive.recipients_file):
        for agency in directory.meant_by(name).agencies:
            found.setdefault(agency.pk, (agency, Purpose.FILE))
    ways = channels([agency for agency, _purpose in found.values()], directive.issuer)
    return [Receiver(agency, purpose, ways[agency.pk]) for agency, purpose in found.values()]


def channels(agencies: Iterable[Agency], issuer: Agency | None = None) -> dict[int, Channel]:
    """How each agency is reached today, by primary key.

    An account counts where its role was given for just this agency or for the unit that it serves; one for the whole
    city works at the agency that issues the letter.
    """
    wanted = list(agencies)
    grants = RoleGrant.objects.valid_on(timezone.localdate()).filter(role__in=HANDLERS, user__is_active=True)
    near = grants.filter(
        Q(agency__in=wanted) | Q(unit__in=[one.unit_id for one in wanted]) | Q(agency=None, unit=None)
    ).values_list("agency_id", "unit_id")
    places: set[tuple[int | None, int | None]] = set(near)
    at, serving = {agency for agency, _unit in places}, {unit for _agency, unit in places if unit}
    others = set(
        PartnerCertificate.objects.filter(
            removed_at=None, use=PartnerCertificate.Use.EXCHANGE, agency__in=wanted
        ).values_list("agency_id", flat=True)
    )
    found: dict[int, Channel] = {}
    for one in wanted:
        whole_city = issuer is not None and one.pk == issuer.pk and (None, None) in places
        if one.pk in others:
            found[one.pk] = Channel.AXIS
        elif one.pk in at or one.unit_id in serving or whole_city:
            found[one.pk] = Channel.ACCOUNT
        else:
            found[one.pk] = Channel.MAIL if one.email and settings.SMTP is not None else Channel.NOBODY
    return found


def parties_of(tasks: Iterable[Task], directory: Directory) -> list[TaskParty]:
    """The agencies of each task; one that leads does not cooperate too. Raises what `Directory.expand` does."""
    parties: list[TaskParty] = []
    for task in tasks:
        leads = directory.expand(task.lead_names)
        named = {agency.pk for agency in leads}
        parties += [TaskParty(task=task, agency=agency, role=TaskParty.Role.LEAD) for agency in leads]
        parties += [
            TaskParty(task=task, agency=agency, role=TaskParty.Role.COOPERATING)
            for agency in directory.expand(task.cooperating_names)
            if agency.pk not in named
        ]
    return parties
