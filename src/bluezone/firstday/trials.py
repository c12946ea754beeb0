# SPDX-License-Identifier: Apache-2.0
"""Prove that something works by using it: a person enters a code sent to themselves, a phone opens a one-time link, the
last group of the recovery key is read off its paper, or someone has practised.
"""

import contextlib
import datetime
import secrets

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F, ProtectedError, RestrictedError
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bluezone import training
from bluezone.audit import hash_chain
from bluezone.desk import notices
from bluezone.directory.kinds import AgencyKind
from bluezone.directory.kinds import Purpose as Why
from bluezone.directory.models import Agency, RecipientGroup
from bluezone.firstday.city_setup import (
    DEMO_KEYS,
    DEMO_PLACE,
    is_demo_city_there,
    remove_demo_city,
    set_up,
    usual_offices,
)
from bluezone.firstday.models import Trial
from bluezone.identity.demo_account import DEMO_NAME
from bluezone.identity.models import User
from bluezone.keyserver.configs.recoverykey import matches_recovery_key, read_recovery_key
from bluezone.messaging.announcer import Provider
from bluezone.messaging.email import outbox as email_outbox
from bluezone.messaging.present_city import present_city
from bluezone.messaging.sms import outbox as sms_outbox
from bluezone.messaging.sms.models import Purpose
from bluezone.networks import origin_of
from bluezone.office_secrets import keyed_digest
from bluezone.refusal import Refused
from bluezone.rollout.directives.api import Directive, plant_for_practice

TRY_LIFE = datetime.timedelta(hours=24)
MOST_TRIES = 5
_PHONE_SALT = "first day phone"
Kind = Trial.Kind


class TrialRefused(Refused):
    """The answer is wrong, too late, or one of too many; the message does not tell which."""

    code = "trial_refused"


class MailNotSet(Refused):
    """The city has no mail server; nothing was sent."""

    code = "mail_not_set"


def passed_trials() -> dict[str, Trial]:
    """The passed trials by kind; that of a recovery key only while the city has this key."""
    by_kind = {trial.kind: trial for trial in Trial.objects.exclude(passed_at=None)}
    key = by_kind.get(Kind.KEY)
    if key is not None and key.about != (read_recovery_key(settings.DATA_FOLDER) or ""):
        del by_kind[Kind.KEY]
    return by_kind


def send_mail(to: str, now: datetime.datetime) -> None:
    """Send a code to an address. Raises MailNotSet, EmailAddressInvalid; only the outbox stores the address."""
    if settings.SMTP is None:
        raise MailNotSet("BLUEZONE_SMTP_URL names no mail server; nothing was sent")
    code = _store_code(Kind.MAIL, now)
    text = _("This e-mail shows that the office can send e-mail. Type this code in the first day’s list: %(code)s")
    email_outbox.queue_mail(to, _("Bluezone: e-mail test"), text % {"code": code}, now=now)


def send_sms(number: str, now: datetime.datetime) -> None:
    """Send a code to a telephone number. Raises what `sms.outbox.queue` does; only the outbox stores the number."""
    code = _store_code(Kind.SMS, now)
    text = _("Bluezone: code to test text messages: %(code)s") % {"code": code}
    sms_outbox.queue_sms(number, text, get_language() or "vi", Purpose.CODE, now=now)


def send_notice(user: User, now: datetime.datetime, provider: Provider | None = None) -> None:
    """Send a code as a notice to a person's own browsers. Raises NoticeNotSent; no trial waits then."""
    text = _("Bluezone: code to test notices: %(code)s")
    code = f"{secrets.randbelow(1_000_000):06}"
    notices.send_notice(user, text % {"code": code}, provider)
    _store(Kind.PUSH, code, now)


def make_phone_link() -> str:
    """An address of the public site for any phone, valid for a day or until a phone has opened a later one."""
    token = signing.dumps(secrets.token_hex(4), salt=_PHONE_SALT)
    return f"{origin_of(present_city().public_host, tls=settings.TLS)}/try/{token}/"


def record_phone_visit(token: str, now: datetime.datetime) -> bool:
    """Pass the trial if this is the token of such an address; whether it is. Nothing about the phone is stored."""
    try:
        signing.loads(token, salt=_PHONE_SALT, max_age=TRY_LIFE)
    except signing.BadSignature:
        return False
    digest = keyed_digest("trial phone", token)
    if Trial.objects.filter(kind=Kind.PHONE, about=digest).exists():
        return False
    values = {"about": digest, "begun_at": now, "expires_at": now, "passed_at": now}
    Trial.objects.update_or_create(kind=Kind.PHONE, defaults=values)
    return True


def submit_code(kind: Trial.Kind, code: str, actor: str, now: datetime.datetime) -> None:
    """Pass a trial by the code of a mail, text message or notice, as typed. Raises TrialRefused."""
    if not _pass(kind, "".join(code.split()), now, actor):
        raise TrialRefused(f"the code of the {kind} trial is another one, or its time is over")


def submit_key_ending(last_group: str, actor: str, now: datetime.datetime) -> None:
    """Pass the trial of the recovery key by its last four characters, read off the paper. Raises TrialRefused."""
    trial = _store(Kind.KEY, "", now, keep_tries=True)
    public = read_recovery_key(settings.DATA_FOLDER)
    if public is None or trial.tries >= MOST_TRIES or not matches_recovery_key(settings.DATA_FOLDER, last_group):
        Trial.objects.filter(pk=trial.pk).update(tries=trial.tries + 1)
        raise TrialRefused("these are not the last four characters of the backup key")
    Trial.objects.filter(pk=trial.pk).update(passed_at=now, about=public)
    hash_chain.record(actor, "trial_passed", Kind.KEY.value)


def note_practice(now: datetime.datetime) -> None:
    """Record that someone has practised letters, because practice letters are purged after seven days."""
    if Trial.objects.filter(kind=Kind.PRACTICE).exists() or not is_practised():
        return
    _store(Kind.PRACTICE, "", now)
    Trial.objects.filter(kind=Kind.PRACTICE).update(passed_at=now)


def is_practised() -> bool:
    """Whether there is a practice letter now, apart from the demo letter."""
    return Directive.everything.filter(training=True).exclude(made_by__username=DEMO_NAME).exists()


def is_demo_planted() -> bool:
    """Whether the demo letter exists."""
    return Directive.everything.filter(training=True, made_by__username=DEMO_NAME).exists()


def plant_demo(actor: str, now: datetime.datetime) -> bool:
    """Plant a practice letter that every member of a recipient group is working on; False if no group has members.

    Nothing real is touched: the letter exists only in training mode. Raises what `plant_for_practice` does.
    """
    today = timezone.localdate(now)
    for group in RecipientGroup.objects.filter(purpose=Why.ACTION):
        first = Agency.objects.valid_on(today).filter(recipient_groups=group).order_by("path").first()
        issuer = first and Agency.objects.valid_on(today).filter(kind=AgencyKind.COMMITTEE, unit=first.unit_id).first()
        if issuer and not is_demo_planted():
            plant_for_practice(issuer, group.name, now)
            hash_chain.record(actor, "demo_planted", issuer.key)
            return True
    return False


def plant_demo_city(actor: str, now: datetime.datetime) -> None:
    """Enter an invented ward with its usual offices, and plant a practice letter under way there. Safe to repeat.

    Raises a DirectoryRefused, ImportUnderWay, and what `plant_for_practice` does.
    """
    result = set_up(actor, DEMO_PLACE, usual_offices(DEMO_PLACE))
    group = RecipientGroup.objects.filter(agencies__key__startswith=DEMO_KEYS).first()
    if group and not is_demo_planted():
        plant_for_practice(result.issuer, group.name, now)
        hash_chain.record(actor, "demo_planted", result.issuer.key)


def remove_demo(actor: str, now: datetime.datetime) -> int:
    """Erase all practice data, the demo letter too, and the demo city; returns how many rows.

    Raises DemoCityInUse and ImportUnderWay; the practice data is erased all the same.
    """
    count = training.purge(now + training.RETENTION)
    with contextlib.suppress(ProtectedError, RestrictedError), transaction.atomic():
        # The account that made the demo letter; it stays if the audit log or another letter refers to it.
        User.objects.filter(username=DEMO_NAME).delete()
    if is_demo_city_there():
        count += remove_demo_city(actor)
    hash_chain.record(actor, "demo_removed", rows=count)
    return count


def purge(now: datetime.datetime) -> None:
    """Delete trials that can no longer be passed."""
    Trial.objects.filter(passed_at=None, expires_at__lte=now).delete()


def _store_code(kind: Trial.Kind, now: datetime.datetime) -> str:
    code = f"{secrets.randbelow(1_000_000):06}"
    _store(kind, code, now)
    return code


def _store(kind: Trial.Kind, secret: str, now: datetime.datetime, keep_tries: bool = False) -> Trial:
    values = {
        "digest": keyed_digest(f"trial {kind}", secret) if secret else "",
        "begun_at": now, "expires_at": now + TRY_LIFE, "passed_at": None,
    }  # fmt: skip
    previous = Trial.objects.filter(kind=kind).first()
    if not keep_tries or previous is None or previous.expires_at <= now:
        values["tries"] = 0
    else:
        values["expires_at"] = previous.expires_at
    return Trial.objects.update_or_create(kind=kind, defaults=values)[0]


def _pass(kind: Trial.Kind, secret: str, now: datetime.datetime, actor: str) -> bool:
    """Pass a waiting trial if the secret is right; in one statement, so that it counts once."""
    waiting = Trial.objects.filter(kind=kind, passed_at=None, expires_at__gt=now, tries__lt=MOST_TRIES)
    digest = keyed_digest(f"trial {kind}", secret)
    if not waiting.filter(digest=digest).update(passed_at=now, digest=""):
        waiting.update(tries=F("tries") + 1)
        return False
    hash_chain.record(actor, "trial_passed", kind.value)
    return True
