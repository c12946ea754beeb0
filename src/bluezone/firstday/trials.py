# SPDX-License-Identifier: Apache-2.0
"""Prove that something works by using it: a code sent to oneself comes back, a phone opens a one-time link, the last
group of the backup key is read off its paper, somebody has practised.
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
    offices_of,
    remove_demo_city,
    set_up,
)
from bluezone.firstday.models import Trial
from bluezone.identity.models import User
from bluezone.identity.signin import DEMO_NAME
from bluezone.keyserver.configuration import read_recovery_key, tells_recovery_key
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
    """What came back is not what was sent, too late, or tried too often; it is not said which."""

    code = "trial_refused"


class MailNotSet(Refused):
    """The city has no mail server; nothing was sent."""

    code = "mail_not_set"


def passed() -> dict[str, Trial]:
    """The trials that were passed, by kind; that of a backup key only while the city has this key."""
    found = {trial.kind: trial for trial in Trial.objects.exclude(passed_at=None)}
    key = found.get(Kind.KEY)
    if key is not None and key.about != (read_recovery_key(settings.DATA_FOLDER) or ""):
        del found[Kind.KEY]
    return found


def send_mail(to: str, now: datetime.datetime) -> None:
    """Send a code to an address. Raises MailNotSet, EmailAddressInvalid; the address is not kept beyond the outbox."""
    if settings.SMTP is None:
        raise MailNotSet("BLUEZONE_SMTP_URL names no mail server; nothing was sent")
    code = _begin(Kind.MAIL, now)
    text = _("This mail proves that the office can send mail. Type this code on the first day’s list: %(code)s")
    email_outbox.send(to, _("Bluezone: a trial of the mail"), text % {"code": code}, now=now)


def send_sms(number: str, now: datetime.datetime) -> None:
    """Send a code to a telephone number. Raises what `sms.outbox.queue` does; the number is not kept."""
    code = _begin(Kind.SMS, now)
    text = _("Bluezone: code for the trial of text messages: %(code)s") % {"code": code}
    sms_outbox.queue(number, text, get_language() or "vi", Purpose.CODE, now=now)


def send_notice(user: User, now: datetime.datetime, provider: Provider | None = None) -> None:
    """Send a code as a notice to a person's own browsers. Raises NoticeNotSent; nothing waits then."""
    text = _("Bluezone: code for the trial of notices: %(code)s")
    code = f"{secrets.randbelow(1_000_000):06}"
    notices.send_notice(user, text % {"code": code}, provider)
    _store(Kind.PUSH, code, now)


def offer_to_phone() -> str:
    """An address of the public site for some phone: good for a day, and until a phone has come by a later one."""
    token = signing.dumps(secrets.token_hex(4), salt=_PHONE_SALT)
    return f"{origin_of(present_city().public_host, tls=settings.TLS)}/try/{token}/"


def is_reached(token: str, now: datetime.datetime) -> bool:
    """Whether this is such an address; then the trial is passed, and nothing of the phone is kept."""
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


def give_back(kind: Trial.Kind, code: str, actor: str, now: datetime.datetime) -> None:
    """The code of a mail or a text message, as somebody typed it. Raises TrialRefused."""
    if not _pass(kind, "".join(code.split()), now, actor):
        raise TrialRefused(f"the code of the {kind} trial is another one, or its time is over")


def prove_key(last_group: str, actor: str, now: datetime.datetime) -> None:
    """The last four characters of the backup key, read off the paper. Raises TrialRefused."""
    trial = _store(Kind.KEY, "", now, keep_tries=True)
    public = read_recovery_key(settings.DATA_FOLDER)
    if public is None or trial.tries >= MOST_TRIES or not tells_recovery_key(settings.DATA_FOLDER, last_group):
        Trial.objects.filter(pk=trial.pk).update(tries=trial.tries + 1)
        raise TrialRefused("these are not the last four characters of the backup key")
    Trial.objects.filter(pk=trial.pk).update(passed_at=now, about=public)
    hash_chain.record(actor, "trial_passed", Kind.KEY.value)


def note_practice(now: datetime.datetime) -> None:
    """Remember that somebody has practised letters; what was practised is forgotten after seven days."""
    if Trial.objects.filter(kind=Kind.PRACTICE).exists() or not is_practised():
        return
    _store(Kind.PRACTICE, "", now)
    Trial.objects.filter(kind=Kind.PRACTICE).update(passed_at=now)


def is_practised() -> bool:
    """Whether somebody has a letter of practice now; the one that was planted to look at does not count."""
    return Directive.everything.filter(training=True).exclude(made_by__username=DEMO_NAME).exists()


def is_demo_planted() -> bool:
    """Whether the letter to look at is there."""
    return Directive.everything.filter(training=True, made_by__username=DEMO_NAME).exists()


def plant_demo(actor: str, now: datetime.datetime) -> bool:
    """Plant a letter of practice under way at every member of a recipient group; False where no group has any.

    Nothing real is touched: it lives in training mode alone. Raises what `plant_for_practice` does.
    """
    today = timezone.localdate(now)
    for group in RecipientGroup.objects.filter(purpose=Why.ACTION):
        first = Agency.objects.in_force(today).filter(recipient_groups=group).order_by("path").first()
        issuer = first and Agency.objects.in_force(today).filter(kind=AgencyKind.COMMITTEE, unit=first.unit_id).first()
        if issuer and not is_demo_planted():
            plant_for_practice(issuer, group.name, now)
            hash_chain.record(actor, "demo_planted", issuer.key)
            return True
    return False


def plant_demo_city(actor: str, now: datetime.datetime) -> None:
    """Enter an invented ward with its usual offices, and plant a letter of practice under way there. Safe to repeat.

    Raises a DirectoryRefused, ImportUnderWay, and what `plant_for_practice` does.
    """
    made = set_up(actor, DEMO_PLACE, offices_of(DEMO_PLACE))
    group = RecipientGroup.objects.filter(agencies__key__startswith=DEMO_KEYS).first()
    if group and not is_demo_planted():
        plant_for_practice(made.issuer, group.name, now)
        hash_chain.record(actor, "demo_planted", made.issuer.key)


def remove_demo(actor: str, now: datetime.datetime) -> int:
    """Erase all that was practised, this letter too, and the demo city; how many rows went.

    Raises DemoCityInUse and ImportUnderWay; what was practised is gone all the same.
    """
    gone = training.erase(now + training.KEPT)
    with contextlib.suppress(ProtectedError, RestrictedError), transaction.atomic():
        # The office that the letter was made by; it stays where the log or another letter needs it.
        User.objects.filter(username=DEMO_NAME).delete()
    if is_demo_city_there():
        gone += remove_demo_city(actor)
    hash_chain.record(actor, "demo_removed", rows=gone)
    return gone


def purge(now: datetime.datetime) -> None:
    """Forget what was sent once it can no longer come back."""
    Trial.objects.filter(passed_at=None, expires_at__lte=now).delete()


def _begin(kind: Trial.Kind, now: datetime.datetime) -> str:
    code = f"{secrets.randbelow(1_000_000):06}"
    _store(kind, code, now)
    return code


def _store(kind: Trial.Kind, secret: str, now: datetime.datetime, keep_tries: bool = False) -> Trial:
    values = {
        "digest": keyed_digest(f"trial {kind}", secret) if secret else "",
        "begun_at": now, "expires_at": now + TRY_LIFE, "passed_at": None,
    }  # fmt: skip
    past = Trial.objects.filter(kind=kind).first()
    if not keep_tries or past is None or past.expires_at <= now:
        values["tries"] = 0
    elif past is not None:
        values["expires_at"] = past.expires_at
    return Trial.objects.update_or_create(kind=kind, defaults=values)[0]


def _pass(kind: Trial.Kind, secret: str, now: datetime.datetime, actor: str) -> bool:
    """Whether the secret is the one that waits; in one statement, so that it counts once."""
    waiting = Trial.objects.filter(kind=kind, passed_at=None, expires_at__gt=now, tries__lt=MOST_TRIES)
    digest = keyed_digest(f"trial {kind}", secret)
    if not waiting.filter(digest=digest).update(passed_at=now, digest=""):
        waiting.update(tries=F("tries") + 1)
        return False
    hash_chain.record(actor, "trial_passed", kind.value)
    return True
