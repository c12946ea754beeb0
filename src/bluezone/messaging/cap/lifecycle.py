# SPDX-License-Identifier: Apache-2.0
"""Writing, releasing, updating and cancelling alerts. Two people: one writes, another releases.

Beyond one ward a cancellation takes a second person too: a false all-clear does as much harm as a false alarm. Where
nobody can be reached, a broken glass does without (bluezone.authority.two_persons).

Alerts that take a second person: a real one for more than the signatory's own ward.

Who wrote an alert and who releases it are two people already; the release waits for a third only where those two are
not known to be two (bluezone.authority.two_persons). A cancellation has no writer, so it takes a second person.
"""

import datetime
import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models.enums import TextChoices
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bluezone.audit.hash_chain import record
from bluezone.authority.role_grants import hands
from bluezone.authority.two_persons import ActGone, Said, SharedAct
from bluezone.city import City
from bluezone.directory.models import AdminUnit
from bluezone.directory.records.shapes import Ring, outlines_of, simplified
from bluezone.directory.scopes import granted, is_own_ward, served_units
from bluezone.duties.duty import MOST_HITS, Hit, Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.messaging.cap import signature
from bluezone.messaging.cap.document import BROADCAST_CHARACTERS, Area, Message, Words, alert_xml, reference
from bluezone.messaging.cap.duty import ALERT_SIGNERS, ALERT_WRITERS
from bluezone.messaging.cap.languages import ALWAYS, TEXTS, languages
from bluezone.messaging.cap.models import Alert, Certainty, Kind, Severity, Status, Urgency
from bluezone.messaging.present_city import present_city
from bluezone.networks import origin_of
from bluezone.refusal import Refused
from bluezone.training import practising
from bluezone.vietnamese.spelling import holds

# Points of one polygon: some readers refuse long ones. 0.0001 degrees are 11 metres.
MOST_POINTS, _FINEST_DEGREES = 100, 0.0001


class AlertTooLong(Refused):
    """Headline and instruction together do not fit a cell broadcast; nothing was stored."""

    code = "alert_too_long"


class AlertExpired(Refused):
    """The alert would be over before it is sent; nothing was stored."""

    code = "alert_expired"


class AlertReleased(Refused):
    """The alert was sent; nothing of it can change, it can be updated or cancelled."""

    code = "alert_released"


class AlertOwnWords(Refused):
    """Who wrote an alert cannot release it; nothing was sent."""

    code = "alert_own_words"


def write(writer: User, draft: Alert, units: list[AdminUnit], now: datetime.datetime) -> Alert:
    """Store a draft, new or written anew. Raises AlertReleased, AlertTooLong, AlertExpired."""
    if draft.sent_at is not None:
        raise AlertReleased("the alert was sent; update or cancel it")
    for texts in texts_of(draft).values():
        length = len(texts["headline"]) + 1 + len(texts["instruction"])
        if length > BROADCAST_CHARACTERS:
            raise AlertTooLong(f"headline and instruction have {length} characters, expected {BROADCAST_CHARACTERS}")
    if draft.expires_at <= now:
        raise AlertExpired("the alert would be over before it is sent")
    with transaction.atomic():
        draft.identifier = draft.identifier or _identifier(now)
        draft.made_at, draft.written_by = now, writer.username
        draft.save()
        draft.units.set(units)
    return draft


def release(actor: User, draft: Alert, now: datetime.datetime, *, own_words: bool = False) -> None:
    """Send a draft. own_words: whether the writer may. Raises AlertOwnWords, AlertExpired, AlertReleased,
    AlertKeyUnusable.
    """
    if draft.written_by == actor.username and not own_words:
        raise AlertOwnWords("who wrote an alert cannot release it")
    if draft.expires_at <= now:
        raise AlertExpired("the alert would be over before it is sent")
    _check_key(now)
    with transaction.atomic():
        sent = Alert.objects.filter(pk=draft.pk, sent_at=None).update(
            sent_at=now, released_by=actor.username, sender=_sender(present_city()), outlines=_outlines(draft)
        )
        if not sent:
            raise AlertReleased("the alert was sent before")
        draft.refresh_from_db()
        _sign(draft, now)
        record(actor.username, "alert_published", draft.identifier[:64])


def check_in_force(alert: Alert) -> None:
    """Whether an alert can be cancelled. Raises AlertReleased."""
    if alert.sent_at is None or alert.followed_by.exclude(sent_at=None).exists() or alert.kind == Kind.CANCEL:
        raise AlertReleased("only an alert in force can be cancelled")


def cancel(actor: User, alert: Alert, now: datetime.datetime) -> Alert:
    """Send a cancellation of a sent alert, in its own words.

    Raises AlertReleased where it is followed already, AlertKeyUnusable.
    """
    check_in_force(alert)
    _check_key(now)
    with transaction.atomic():
        cancelling = Alert(
            identifier=_identifier(now), status=alert.status, kind=Kind.CANCEL, refers_to=alert, urgency=alert.urgency,
            severity=alert.severity, certainty=alert.certainty, expires_at=max(alert.expires_at, now), made_at=now,
            sent_at=now, written_by=actor.username, released_by=actor.username, sender=alert.sender,
            outlines=alert.outlines,
        )  # fmt: skip
        for code, texts in texts_of(alert).items():
            _write_texts(cancelling, code, {**texts, "instruction": languages()[code].cancelled})
        cancelling.save()
        cancelling.units.set(alert.units.all())
        _sign(cancelling, now)
        record(actor.username, "alert_cancelled", alert.identifier[:64])
    return cancelling


def update_of(alert: Alert) -> Alert:
    """An unsaved draft that updates a sent alert, with its words to begin from."""
    draft = Alert(
        kind=Kind.UPDATE, refers_to=alert, status=alert.status, urgency=alert.urgency, severity=alert.severity,
        certainty=alert.certainty, expires_at=alert.expires_at,
    )  # fmt: skip
    for code, texts in texts_of(alert).items():
        _write_texts(draft, code, texts)
    return draft


def texts_of(alert: Alert) -> dict[str, dict[str, str]]:
    """What it says in each language: code -> headline, description, instruction, in the order of languages.toml."""
    own = {code: {name: getattr(alert, f"{name}_{code}") for name in TEXTS} for code in ALWAYS}
    return {code: (own | alert.other)[code] for code in languages() if code in own or code in alert.other}


def _write_texts(alert: Alert, code: str, texts: dict[str, str]) -> None:
    if code not in ALWAYS:
        alert.other = {**alert.other, code: texts}
        return
    for name, text in texts.items():
        setattr(alert, f"{name}_{code}", text)


def _check_key(now: datetime.datetime) -> None:
    """Make the key that is to sign where there is none yet, which takes seconds, before anything is locked."""
    if present_city().cap_signed:
        signature.fingerprint(now)


def _sign(alert: Alert, now: datetime.datetime) -> None:
    """Store the message as it is sent, with the office's signature, where the city signs its alerts."""
    city = present_city()
    if city.cap_signed:
        alert.signed = signature.signed(alert_xml(message_of(alert, city, now)), now).decode()
        alert.save(update_fields=["signed"])


def file_of(alert: Alert, city: City, now: datetime.datetime) -> bytes:
    """The alert as a file: as it was signed, else made of its words. A draft is never signed."""
    return alert.signed.encode() if alert.signed else alert_xml(message_of(alert, city, now))


def message_of(alert: Alert, city: City, now: datetime.datetime) -> Message:
    """The alert as CAP; a draft as if it were sent now."""
    sender = alert.sender or _sender(city)
    outlines = alert.outlines if alert.sent_at else _outlines(alert)
    words = [
        Words(languages()[code].tag, languages()[code].event, languages()[code].sender_of(city), **texts)
        for code, texts in texts_of(alert).items()
    ]
    return Message(
        identifier=alert.identifier, sender=sender, sent=timezone.localtime(alert.sent_at or now), status=alert.status,
        kind=alert.kind, urgency=alert.urgency, severity=alert.severity, certainty=alert.certainty,
        expires=timezone.localtime(alert.expires_at), words=words,
        areas=[Area(unit.name, unit.code, outlines.get(str(unit.pk), ())) for unit in alert.units.all()],
        references=_references(alert, _sender(city)),
        web=f"{origin_of(city.public_host, tls=settings.TLS)}/", contact=city.hotline,
    )  # fmt: skip


def _sender(city: City) -> str:
    return city.public_host.rsplit(":", 1)[0]


def _outlines(alert: Alert) -> dict[str, list[Ring]]:
    """Outer rings of its units that the city's file of outlines has, with at most MOST_POINTS points each."""
    found = outlines_of(alert.units.all()).by_unit if alert.pk else {}
    return {str(pk): [_thinned(polygon[0]) for polygon in polygons] for pk, polygons in found.items()}


def _thinned(ring: Ring) -> Ring:
    """Fewer points until a message stays small; a relay needs no more than where a place begins."""
    tolerance = _FINEST_DEGREES
    while len(ring) > MOST_POINTS:
        ring, tolerance = simplified(ring, tolerance), 2 * tolerance
    return ring


def _references(alert: Alert, sender: str) -> list[str]:
    """The message it is about, and those that one was about: relays may have kept any of them.

    sender: of those that were sent before a message kept its own.
    """
    found, earlier = [], alert.refers_to
    while earlier is not None and earlier.sent_at is not None:
        found.append(reference(earlier.sender or sender, earlier.identifier, timezone.localtime(earlier.sent_at)))
        earlier = earlier.refers_to
    return found


def _identifier(now: datetime.datetime) -> str:
    return f"bluezone-{timezone.localtime(now):%Y%m%d}-{secrets.token_hex(4)}"


def reaches(user: User, alert: Alert, roles: frozenset[str] = ALERT_WRITERS.roles) -> bool:
    """Whether every unit of an alert lies where one of `roles` is held; a new one has none."""
    units = set(alert.units.values_list("pk", flat=True)) if alert.pk else set()
    return units <= set(served_units(user, roles).values_list("pk", flat=True))


def takes_two(user: User, alert: Alert) -> bool:
    """Whether an alert is real and for more than the ward of the person's own role."""
    return alert.status == Status.ACTUAL and not is_own_ward(user, ALERT_WRITERS.roles, alert.units.all())


def are_two(alert: Alert, releaser: User, now: datetime.datetime) -> bool:
    """Whether writer and releaser are two: the writer still reaches the alert, and nobody is behind both accounts."""
    writer = User.objects.filter(username=alert.written_by, is_active=True).first()
    if writer is None or writer.pk == releaser.pk or not reaches(writer, alert):
        return False
    return hands(writer, now).isdisjoint(hands(releaser, now))


class _AboutAlert(SharedAct):
    """values {"alert": its number}."""

    voice = True
    roles: ClassVar = ALERT_SIGNERS.roles

    def may(self, user: User, values: dict[str, Any]) -> bool:
        """Whoever signs for all its units."""
        alert = Alert.objects.filter(pk=values["alert"]).first()
        return (
            alert is not None
            and User.objects.holding(self.roles).filter(pk=user.pk).exists()
            and reaches(user, alert, self.roles)
        )

    def said(self, values: dict[str, Any]) -> Said:
        """Every word of it, where and how urgent."""
        alert = self.alert(values)
        return [
            (_("Headline in Vietnamese"), alert.headline_vi),
            (_("What happens, in Vietnamese"), alert.description_vi),
            (_("What to do, in Vietnamese"), alert.instruction_vi),
            (_("Headline in English"), alert.headline_en),
            (_("What happens, in English"), alert.description_en),
            (_("What to do, in English"), alert.instruction_en),
            *(
                (languages()[code].name, "\n".join(texts.values()))
                for code, texts in texts_of(alert).items()
                if code not in ALWAYS
            ),
            (_("Where"), ", ".join(unit.name for unit in alert.units.order_by("path"))),
            (_("How bad"), _word(Severity, alert.severity)),
            (_("How soon to act"), _word(Urgency, alert.urgency)),
            (_("How sure"), _word(Certainty, alert.certainty)),
            (_("Status"), _word(Status, alert.status)),
            (_("Holds until"), alert.expires_at.isoformat()),
        ]

    def alert(self, values: dict[str, Any]) -> Alert:
        """The alert; raises ActGone."""
        found = Alert.objects.prefetch_related("units").select_related("refers_to").filter(pk=values["alert"]).first()
        if found is None:
            raise ActGone("the alert is not there any more")
        return found


class ReleaseOfAlert(_AboutAlert):
    """A draft goes out to phones."""

    words = _("Release an alert to phones")

    def do(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> None:
        """Raises AlertExpired, AlertReleased; the words may be those of one of the two."""
        release(asker, self.alert(values), now, own_words=True)


class CancelOfAlert(_AboutAlert):
    """A sent alert is taken back."""

    words = _("Cancel an alert on phones")
    roles: ClassVar = ALERT_WRITERS.roles

    def do(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> Alert:
        """Raises AlertReleased."""
        return cancel(asker, self.alert(values), now)


def _word(kind: type[TextChoices], value: str) -> str:
    return str(kind(value).label)


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Drafts of alerts that this person may release: written by another, and not over."""
    if practising() or not granted(user, ALERT_SIGNERS.roles):
        return []
    drafts = Alert.objects.filter(sent_at=None, expires_at__gt=now).exclude(written_by=user.username)
    matters = [
        Matter(
            f"alert {one.pk}", one.headline_vi, gettext("Read and send"), reverse("alert", args=[one.pk]), one.made_at,
            Pile.MINE,
        )
        for one in drafts.order_by("made_at").prefetch_related("units")
        if reaches(user, one, ALERT_SIGNERS.roles)
    ]  # fmt: skip
    return shorten(matters, reverse("alerts"))


def search(user: User, words: str) -> list[Hit]:
    """Alerts, for those who write them."""
    if not granted(user, ALERT_WRITERS.roles):
        return []
    found = [
        one for one in Alert.objects.order_by("-made_at")[:500] if holds(f"{one.headline_vi} {one.headline_en}", words)
    ]
    return [
        Hit(gettext("Alert"), one.headline_vi, reverse("alert", args=[one.pk]), one.get_status_display())
        for one in found[:MOST_HITS]
    ]
