# SPDX-License-Identifier: Apache-2.0
"""The first day's checklist: each step with its reason, its state and its next act.

The state is read from what is stored, never ticked by hand. A required step that is not done would fail in use.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from bluezone.backup.creation import BACKUPS, SUFFIX
from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import Agency
from bluezone.duties.duty import Text
from bluezone.firstday import trials
from bluezone.firstday.city_setup import DEMO_KEYS, is_demo_city_there
from bluezone.firstday.invitations import Seats, seats_on
from bluezone.firstday.models import Trial
from bluezone.identity.models import Role, User
from bluezone.keyserver.configs.recoverykey import read_recovery_key
from bluezone.rollout.directives.api import Directive

BACKUP_AGE = datetime.timedelta(hours=48)


@dataclass(frozen=True)
class Step:
    """One step. must: without it something fails in use. state: in words.

    url, act: address and label of the next act; "" if it is done elsewhere, as `why` then says.
    """

    name: str
    title: Text
    why: Text
    is_done: bool
    state: Text = ""
    url: str = ""
    act: Text = ""
    must: bool = True


@dataclass(frozen=True)
class Checklist:
    """All steps, in the order of work."""

    steps: list[Step]

    @property
    def next(self) -> Step | None:
        """The first step that is not done and has an act here."""
        return next((step for step in self.steps if not step.is_done and step.url), None)

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(step.is_done for step in self.steps)

    @property
    def failing(self) -> list[Step]:
        """The steps that would fail if the city went live now."""
        return [step for step in self.steps if step.must and not step.is_done]


def build_checklist(now: datetime.datetime) -> Checklist:
    """The current checklist."""
    return Checklist(list(_steps(now)))


def _steps(now: datetime.datetime) -> Iterator[Step]:
    today = timezone.localdate(now)
    seats = seats_on(today)
    passed = trials.passed_trials()
    if is_demo_city_there():
        yield _demo_city()
    yield _directory(today)
    yield _accounts(seats)
    yield _desks(today)
    yield _letter()
    yield _second_administrator(today)
    yield _health_authority(today)
    yield _stations(today)
    yield _mail(passed)
    yield _text_messages(passed)
    yield _notices(passed)
    yield _phone(passed)
    yield _practice(passed)
    yield _paper_key(passed)
    yield _backup(now)
    yield _address()


def _demo_city() -> Step:
    return Step(
        "demo",
        _("The demo city is removed"),
        _("Its offices are listed with yours, and letters could be sent to them. One tap removes everything."),
        False,
        url=reverse("first-day-demo"),
        act=_("Remove it"),
    )


def _agencies(today: datetime.date) -> QuerySet[Agency]:
    """Valid agencies, without those of the demo city."""
    return Agency.objects.valid_on(today).exclude(key__startswith=DEMO_KEYS)


def _directory(today: datetime.date) -> Step:
    count = _agencies(today).count()
    if count:
        state = _("%(count)d current agencies") % {"count": count}
        act = _("Choose more")
    else:
        state = _("no agency is valid today")
        act = _("Choose your place")
    return Step(
        "directory",
        _("Units and offices of today"),
        _("Letters go to current agencies. Since 1 July 2025 there are no districts. Choose your province, ward, "
        "commune or special zone, and its usual offices are entered for you."),
        count > 0,
        state,
        reverse("first-day-places"),
        act,
    )  # fmt: skip


def _accounts(seats: Seats) -> Step:
    inside = seats.count - len(seats.empty)
    state = ""
    url = ""
    if seats.count:
        url = reverse("first-day-invitations")
        counts = {"inside": inside, "count": seats.count, "waiting": len(seats.waiting)}
        state = _("%(inside)d of %(count)d have an account; %(waiting)d have not signed in yet") % counts
    return Step(
        "accounts",
        _("An account for every agency"),
        _("An agency without an account gets its letters on paper. You can create all missing accounts at once and "
        "print a slip for each, with a link that works once."),
        seats.count > 0 and not seats.empty,
        state,
        url,
        _("Invitations"),
    )  # fmt: skip


def _still_to_come(missing: list[str]) -> str:
    """The people who are missing, as the state of a step; "" if there are none."""
    if not missing:
        return ""
    return _("still missing: %(names)s") % {"names": ", ".join(missing)}


def _desks(today: datetime.date) -> Step:
    """Clerk and signatory of the committees that issue letters."""
    leading = _agencies(today).filter(kind=AgencyKind.COMMITTEE, children__isnull=False).distinct()
    missing = []
    for role, label in ((Role.CLERK, _("clerk")), (Role.ISSUER, _("signatory"))):
        holders = User.objects.filter(
            is_active=True, grants__role=role, grants__agency__in=leading, grants__valid_to=None
        )
        if not any(user.has_usable_password() for user in holders):
            missing.append(label)
    url = ""
    if missing and leading:
        url = reverse("first-day-invitations")
    return Step(
        "desks",
        _("Clerk and signatory have signed in"),
        _("A letter needs two people: the clerk of the People’s Committee enters it and the signatory confirms it. "
        "The clerk opens the link on the slip. The signatory gets a link from the second person who confirms it."),
        not missing,
        _still_to_come(missing),
        url,
        _("Invitations"),
    )  # fmt: skip


def _letter() -> Step:
    sent = Directive.objects.filter(dispatches__isnull=False).exists()
    return Step(
        "letter",
        _("The first letter is sent"),
        _("The clerk does this under “Directives”: paste the letter, check what was read and submit it. The "
        "signatory confirms it. The clerk sends it."),
        sent,
        must=False,
    )  # fmt: skip


def _second_administrator(today: datetime.date) -> Step:
    administrators = (
        User.objects.with_roles([Role.ADMIN], today).filter(grants__agency=None, grants__unit=None).distinct()
    )
    count = sum(user.has_usable_password() for user in administrators)
    state = ""
    if count == 1:
        state = _("%(count)d administrator has signed in") % {"count": count}
    return Step(
        "administrator",
        _("A second administrator"),
        _("If you lose your telephone, another administrator can let you in again. Accounts that issue codes, sign "
        "or administer need two people. Until there is a second administrator, the operator confirms on the "
        "server: bluezone manage confirm_act."),
        count > 1,
        state,
        reverse("account-new") + "?role=admin",
        _("Create an account"),
    )  # fmt: skip


def _health_authority(today: datetime.date) -> Step:
    missing = []
    for role, label in ((Role.HEALTH_WORKER, _("health worker")), (Role.SUPERVISOR, _("health supervisor"))):
        if not User.objects.with_roles([role], today).exists():
            missing.append(label)
    return Step(
        "health",
        _("Health workers and a health supervisor"),
        _("Health workers issue the codes that patients use to warn others. The supervisor watches for misuse and "
        "opens what warned people have sent."),
        not missing,
        _still_to_come(missing),
        reverse("account-new"),
        _("Create an account"),
    )  # fmt: skip


def _stations(today: datetime.date) -> Step:
    stations = _agencies(today).filter(kind=AgencyKind.HEALTH)
    complete = stations.exclude(phone="").exclude(hours="").count()
    count = stations.count()
    if count:
        state = _("%(told)d of %(count)d") % {"told": complete, "count": count}
        url = reverse("first-day-stations")
    else:
        state = _("no health station is entered")
        url = ""
    return Step(
        "stations",
        _("Each health station’s telephone and hours"),
        _("A warned person asks where to go and when. Without this, only the hotline is shown."),
        count > 0 and complete == count,
        state,
        url,
        _("Enter them"),
    )  # fmt: skip


def _mail(passed: dict[str, Trial]) -> Step:
    url = ""
    if settings.SMTP is not None:
        url = reverse("first-day-trial", args=["mail"])
        why = _(
            "E-mail is used for the daily list of waiting work and for a broken glass. Send yourself a "
            "code and type it here."
        )
    else:
        why = _("There is no mail server. Set BLUEZONE_SMTP_URL and restart; see docs/operating.md.")
    return Step(
        "mail",
        _("E-mail arrives"),
        why,
        Trial.Kind.MAIL in passed,
        url=url,
        act=_("Send myself a code"),
    )


def _text_messages(passed: dict[str, Trial]) -> Step:
    url = ""
    if settings.SMS is not None:
        url = reverse("first-day-trial", args=["sms"])
        why = _("Visitors get a notice and venues get a code. Send a code to your own telephone and type it here.")
    else:
        why = _(
            "No operator is set, so nothing is sent. To send notices to visitors, set BLUEZONE_SMS_URL and restart."
        )
    return Step(
        "sms",
        _("Text messages arrive"),
        why,
        Trial.Kind.SMS in passed,
        url=url,
        act=_("Send myself a code"),
        must=False,
    )


def _notices(passed: dict[str, Trial]) -> Step:
    return Step(
        "push",
        _("Notices arrive in a browser"),
        _("A browser where you allow notices shows what is new, even without a mail server. Send a code to your own "
        "browser and type it here. The server must be able to reach the browser makers’ push services."),
        Trial.Kind.PUSH in passed,
        url=reverse("first-day-trial", args=["push"]),
        act=_("Send a code to my browser"),
        must=False,
    )  # fmt: skip


def _phone(passed: dict[str, Trial]) -> Step:
    return Step(
        "phone",
        _("A telephone reaches the city"),
        _("Scan a picture with any telephone. It opens the city’s public site, and this step turns green. The "
        "system does not record which telephone it was."),
        Trial.Kind.PHONE in passed,
        url=reverse("first-day-phone"),
        act=_("Show the picture"),
    )  # fmt: skip


def _practice(passed: dict[str, Trial]) -> Step:
    return Step(
        "practice",
        _("A training day"),
        _("In training mode everyone practises on the same pages with separate data. Let the clerks send one "
        "practice letter. It is erased after 7 days and is not counted."),
        Trial.Kind.PRACTICE in passed or trials.is_practised(),
        url=reverse("first-day-demo"),
        act=_("A demo city"),
        must=False,
    )  # fmt: skip


def _paper_key(passed: dict[str, Trial]) -> Step:
    state = ""
    url = ""
    if read_recovery_key(settings.DATA_FOLDER) is not None:
        url = reverse("first-day-trial", args=["key"])
        why = _(
            "After a loss of data, only this key lets telephones continue. The person who has the paper "
            "types its last four characters here."
        )
    else:
        state = _("there is none yet")
        why = _(
            "After a loss of data, only this key lets telephones continue. On the server, run bluezone recovery-key "
            "new before the first telephones connect; write it down twice."
        )
    return Step(
        "key",
        _("The recovery key is on paper"),
        why,
        Trial.Kind.KEY in passed,
        state,
        url=url,
        act=_("Read it off the paper"),
    )  # fmt: skip


def _backup(now: datetime.datetime) -> Step:
    files = (settings.DATA_FOLDER / BACKUPS).glob(f"*{SUFFIX}")
    newest = max((path.stat().st_mtime for path in files), default=None)
    is_fresh = newest is not None and now.timestamp() - newest < BACKUP_AGE.total_seconds()
    return Step(
        "backup",
        _("A backup of the last two days"),
        _("On the server, run bluezone backup every day, preferably with a timer, and copy the folder keys/days to "
        "another machine; see docs/operating.md."),
        is_fresh,
        "" if newest else _("there is none yet"),
    )  # fmt: skip


def _address() -> Step:
    hosts = []
    if settings.CITY:
        hosts = [settings.CITY.public_host, settings.CITY.office_host]
    local = [host for host in hosts if host.rsplit(":", 1)[0] in ("localhost", "127.0.0.1", "[::1]")]
    problems = [_("%(host)s is only this machine") % {"host": host} for host in local]
    if not settings.TLS:
        problems.append(_("there is no HTTPS"))
    return Step(
        "address",
        _("An address that telephones can reach, with HTTPS"),
        _("Telephones accept lists and codes only over HTTPS, under a name that does not change. Set public_host "
        "and office_host in city.toml, and TLS; see docs/operating.md."),
        not problems,
        "; ".join(problems),
    )  # fmt: skip
