# SPDX-License-Identifier: Apache-2.0
"""Notify people of new matters that wait for them, by their browsers and by text message.

A notice contains how many matters are new and how many are overdue, and no more: it is shown on locked screens.
"""

import datetime
import json
import logging
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import ngettext, override

from bluezone.desk.home import all_matters
from bluezone.desk.models import Choice, PushBrowser
from bluezone.desk.notice_views import MOST_BROWSERS
from bluezone.desk.phone_views import phone_of
from bluezone.duties.duty import Matter
from bluezone.identity.models import User
from bluezone.keyserver.push import Subscription
from bluezone.logs import event_fields
from bluezone.messaging.announcer import Outcome, Provider
from bluezone.messaging.sms import outbox
from bluezone.messaging.sms.models import Purpose
from bluezone.messaging.sms.segmentation import without_diacritics
from bluezone.office_keyserver import key_server
from bluezone.refusal import Refused

# A person is notified again after this time at the earliest; each text message costs the city money.
PAUSE = datetime.timedelta(minutes=5)
TEXT_PAUSE = datetime.timedelta(hours=1)
PEOPLE_A_ROUND = 20
# Urgent is what is due within this time.
URGENT = datetime.timedelta(hours=4)
_MOST_KNOWN = 400

log = logging.getLogger(__name__)


def is_quiet(choice: Choice, now: datetime.datetime) -> bool:
    """Whether `now` is in the person's quiet hours; equal times mean none."""
    clock = timezone.localtime(now).time()
    begin = choice.quiet_from
    end = choice.quiet_to
    if begin > end:  # overnight
        return clock >= begin or clock < end
    return begin <= clock < end


def new_matters(
    choice: Choice, matters: Sequence[Matter], now: datetime.datetime, known_keys: Sequence[str]
) -> list[Matter]:
    """The matters of which this person wants a notice and has had none. known_keys: of those that had one."""
    known = set(known_keys)
    unknown = [matter for matter in matters if matter.key not in known]
    if not choice.only_urgent:
        return unknown
    return [matter for matter in unknown if matter.by <= now + URGENT]


def notify(now: datetime.datetime) -> None:
    """One round: notify some people of new matters, those first who have waited longest. Safe to repeat."""
    if settings.SMS is not None:
        notify_phones(now)
    if not PushBrowser.objects.exists():
        return
    notify_browsers(_city_provider(), now)


def _city_provider() -> Provider:
    # The library that signs and seals takes a fifth of the start to load, and most offices never need it.
    from bluezone.messaging.webpush import WebPushProvider

    server = key_server()
    contact = f"https://{server.city.public_host.rsplit(':', 1)[0]}"
    return WebPushProvider(server.secrets.push_key, contact)


class NoticeNotSent(Refused):
    """No browser of this person gets notices, or no push service accepted the notice."""

    code = "notice_not_sent"


def send_notice(user: User, text: str, provider: Provider | None = None) -> None:
    """Show a text in the browsers of a person now, also in quiet hours. Raises NoticeNotSent.

    provider: how it is sent; None for the push services of these browsers.
    """
    if not user.push_browsers.exists():
        raise NoticeNotSent("this person has no browser that gets notices")
    if not _send(provider or _city_provider(), user, json.dumps({"type": "work", "text": text})):
        raise NoticeNotSent("no push service accepted the notice")


def notify_browsers(provider: Provider, now: datetime.datetime) -> int:
    """Notify browsers through this provider; the number of notices sent."""

    def send(choice: Choice, new: Sequence[Matter]) -> int:
        return _send(provider, choice.user, push_body(new, now))

    return _notify_due(Choice.objects.filter(push=True, user__push_browsers__isnull=False), "told", PAUSE, send, now)


def notify_phones(now: datetime.datetime) -> int:
    """Notify people by text message; the number of messages queued."""

    def send(choice: Choice, new: Sequence[Matter]) -> int:
        text = without_diacritics(f"Bluezone: {_sentence(new, now)}")
        try:
            outbox.queue_sms(phone_of(choice.user), text, "vi", Purpose.REMINDER, now=now)
        except Refused as refused:
            # It is tried again after the next pause, for example when the day's budget is spent.
            Choice.objects.filter(pk=choice.pk).update(texted=choice.texted)
            log.warning("notices: %s", refused.code, extra=event_fields("sms_refused", code=refused.code))
            return 0
        return 1

    choices = Choice.objects.filter(text=True, user__sealed_phone__isnull=False)
    return _notify_due(choices, "texted", TEXT_PAUSE, send, now)


def _notify_due(
    choices: QuerySet[Choice],
    known_field: str,
    pause: datetime.timedelta,
    send: Callable[[Choice, Sequence[Matter]], int],
    now: datetime.datetime,
) -> int:
    """Notify some people of new matters; the number of notices sent.

    known_field: the field of Choice with the keys of matters that had a notice; its moment is in the field with `_at`.
    pause: between two notices to a person. send: sends one notice, returns how many went out.
    """
    at = f"{known_field}_at"
    due = choices.filter(Q(**{f"{at}__isnull": True}) | Q(**{f"{at}__lte": now - pause}), user__is_active=True)
    sent = 0
    for choice in due.select_related("user").distinct().order_by(F(at).asc(nulls_first=True), "pk")[:PEOPLE_A_ROUND]:
        if is_quiet(choice, now):
            # The next look is after the pause; what came at night is in one notice in the morning.
            Choice.objects.filter(pk=choice.pk).update(**{at: now})
            continue
        with override("vi"):
            matters = [matter for _duty, matter in all_matters(choice.user, now)]
        previous = getattr(choice, known_field)
        new = new_matters(choice, matters, now, previous)
        keys = {matter.key for matter in matters}
        # A matter that no longer waits is left out, so that it gets another notice when it comes back.
        known = [key for key in previous if key in keys]
        known += [matter.key for matter in new]
        unchanged = Choice.objects.filter(pk=choice.pk, **{at: getattr(choice, at)})
        if unchanged.update(**{known_field: known[-_MOST_KNOWN:], at: now}) and new:
            sent += send(choice, new)
    return sent


def push_body(new: Sequence[Matter], now: datetime.datetime) -> str:
    """The notice of new matters as a browser's service worker reads it (noticeworker.js)."""
    return json.dumps({"type": "work", "text": _sentence(new, now)})


def _sentence(new: Sequence[Matter], now: datetime.datetime) -> str:
    """The text of a notice, in Vietnamese: only numbers."""
    late = sum(matter.stated and matter.by <= now for matter in new)
    with override("vi"):
        text = ngettext(
            "%(count)d new matter is waiting for you.", "%(count)d new matters are waiting for you.", len(new)
        )
        text %= {"count": len(new)}
        if late:
            text += " " + ngettext("%(count)d is overdue.", "%(count)d are overdue.", late) % {"count": late}
    return text


def _send(provider: Provider, user: User, body: str) -> int:
    browsers = list(user.push_browsers.all()[:MOST_BROWSERS])
    subscriptions = [Subscription(browser.endpoint, bytes(browser.p256dh), bytes(browser.auth)) for browser in browsers]
    outcomes = provider.send(subscriptions, body) if subscriptions else []
    gone = [browser.pk for browser, outcome in zip(browsers, outcomes, strict=True) if outcome is Outcome.GONE]
    PushBrowser.objects.filter(pk__in=gone).delete()
    return sum(outcome is Outcome.SENT for outcome in outcomes)
