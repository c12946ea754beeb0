# SPDX-License-Identifier: Apache-2.0
"""Writing, releasing, updating and cancelling alerts. Two people: one writes, another releases.

A real alert for more than the signatory's own ward takes two people (bluezone.authority.two_persons), usually its
writer and its releaser. The release needs someone else's confirmation only if one person may be behind both accounts.
A cancellation has no writer, so it takes a second person: a false all-clear does as much harm as a false alarm. Behind
a broken glass, one person is enough.
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
from bluezone.authority.recent_access import people_with_access
from bluezone.authority.two_persons import ActGone, Lines, SharedAct
from bluezone.city_settings import City
from bluezone.directory.models import AdminUnit
from bluezone.directory.records.unit_outlines import Ring, outlines_of, simplify_ring
from bluezone.directory.scopes import grants_for, is_within_own_ward, served_units
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.models import User
from bluezone.messaging.cap import signature
from bluezone.messaging.cap.document import BROADCAST_CHARACTERS, Area, Message, Words, alert_xml, message_reference
from bluezone.messaging.cap.duty import ALERT_SIGNERS, ALERT_WRITERS
from bluezone.messaging.cap.languages import TEXTS, languages
from bluezone.messaging.cap.models import Alert, Certainty, Kind, Severity, Status, Urgency
from bluezone.messaging.present_city import present_city
from bluezone.networks import origin_of
from bluezone.protocol.languages import LANGUAGES
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import holds

# Points of one polygon: some readers refuse long ones.
MOST_POINTS = 100
_FINEST_DEGREES = 0.0001  # 11 metres


class AlertTooLong(Refused):
    """Headline and instruction together do not fit a cell broadcast; nothing was stored."""

    code = "alert_too_long"


class AlertExpired(Refused):
    """The alert would be over before it is sent; nothing was stored."""

    code = "alert_expired"


class AlertReleased(Refused):
    """The alert was sent and can no longer be changed, only updated or cancelled."""

    code = "alert_released"


class OwnAlertReleased(Refused):
    """The writer of an alert cannot release it; nothing was sent."""

    code = "alert_own_words"


def save_draft(writer: User, draft: Alert, units: list[AdminUnit], now: datetime.datetime) -> Alert:
    """Store a new or changed draft. Raises AlertReleased, AlertTooLong, AlertExpired."""
    if draft.sent_at is not None:
        raise AlertReleased("the alert was sent; update or cancel it")
    for texts in texts_by_language(draft).values():
        length = len(texts["headline"]) + 1 + len(texts["instruction"])
        if length > BROADCAST_CHARACTERS:
            raise AlertTooLong(f"headline and instruction have {length} characters, expected {BROADCAST_CHARACTERS}")
    if draft.expires_at <= now:
        raise AlertExpired("the alert would be over before it is sent")
    with transaction.atomic():
        draft.identifier = draft.identifier or _identifier(now)
        draft.made_at = now
        draft.written_by = writer.username
        draft.save()
        draft.units.set(units)
    return draft


def release_alert(actor: User, draft: Alert, now: datetime.datetime, *, own_words: bool = False) -> None:
    """Send a draft. own_words: whether its writer may send it.

    Raises OwnAlertReleased, AlertExpired, AlertReleased, AlertKeyUnusable.
    """
    if draft.written_by == actor.username and not own_words:
        raise OwnAlertReleased("the writer of an alert cannot release it")
    if draft.expires_at <= now:
        raise AlertExpired("the alert would be over before it is sent")
    _check_key(now)
    with transaction.atomic():
        updated = Alert.objects.filter(pk=draft.pk, sent_at=None).update(
            sent_at=now, released_by=actor.username, sender=_sender(present_city()), outlines=_outlines(draft)
        )
        if not updated:
            raise AlertReleased("the alert was sent before")
        draft.refresh_from_db()
        _sign(draft, now)
        record(actor.username, "alert_published", draft.identifier[:64])


def require_cancellable(alert: Alert) -> None:
    """Raise AlertReleased unless the alert can be cancelled."""
    if alert.sent_at is None or alert.followed_by.exclude(sent_at=None).exists() or alert.kind == Kind.CANCEL:
        raise AlertReleased("only a valid alert can be cancelled")


def cancel_alert(actor: User, alert: Alert, now: datetime.datetime) -> Alert:
    """Send a cancellation of a sent alert: its headline and description, and the instruction that it is cancelled.

    Raises AlertReleased if it has been updated or cancelled already, AlertKeyUnusable.
    """
    require_cancellable(alert)
    _check_key(now)
    with transaction.atomic():
        cancellation = Alert(
            identifier=_identifier(now), status=alert.status, kind=Kind.CANCEL, refers_to=alert, urgency=alert.urgency,
            severity=alert.severity, certainty=alert.certainty, expires_at=max(alert.expires_at, now), made_at=now,
            sent_at=now, written_by=actor.username, released_by=actor.username, sender=alert.sender,
            outlines=alert.outlines,
        )  # fmt: skip
        for code, texts in texts_by_language(alert).items():
            _write_texts(cancellation, code, {**texts, "instruction": languages()[code].cancelled})
        cancellation.save()
        cancellation.units.set(alert.units.all())
        _sign(cancellation, now)
        record(actor.username, "alert_cancelled", alert.identifier[:64])
    return cancellation


def draft_update(alert: Alert) -> Alert:
    """An unsaved draft that updates a sent alert, starting from its words."""
    draft = Alert(
        kind=Kind.UPDATE, refers_to=alert, status=alert.status, urgency=alert.urgency, severity=alert.severity,
        certainty=alert.certainty, expires_at=alert.expires_at,
    )  # fmt: skip
    for code, texts in texts_by_language(alert).items():
        _write_texts(draft, code, texts)
    return draft


def texts_by_language(alert: Alert) -> dict[str, dict[str, str]]:
    """The texts by language: code -> headline, description, instruction, in the order of languages.toml."""
    own = {code: {name: getattr(alert, f"{name}_{code}") for name in TEXTS} for code in LANGUAGES}
    return {code: (own | alert.other)[code] for code in languages() if code in own or code in alert.other}


def _write_texts(alert: Alert, code: str, texts: dict[str, str]) -> None:
    if code not in LANGUAGES:
        alert.other = {**alert.other, code: texts}
        return
    for name, text in texts.items():
        setattr(alert, f"{name}_{code}", text)


def _check_key(now: datetime.datetime) -> None:
    """Make the signing key if there is none yet; it takes seconds, so do it before locking anything."""
    if present_city().cap_signed:
        signature.certificate_fingerprint(now)


def _sign(alert: Alert, now: datetime.datetime) -> None:
    """Store the message as it is sent, with the office's signature, if the city signs its alerts."""
    city = present_city()
    if city.cap_signed:
        alert.signed = signature.sign_alert(alert_xml(cap_message(alert, city, now)), now).decode()
        alert.save(update_fields=["signed"])


def alert_file(alert: Alert, city: City, now: datetime.datetime) -> bytes:
    """The alert as a file: the signed one if there is one. A draft is never signed."""
    if alert.signed:
        return alert.signed.encode()
    return alert_xml(cap_message(alert, city, now))


def cap_message(alert: Alert, city: City, now: datetime.datetime) -> Message:
    """The alert as CAP; a draft as if it were sent now."""
    sender = alert.sender or _sender(city)
    outlines = alert.outlines if alert.sent_at else _outlines(alert)
    words = [
        Words(languages()[code].tag, languages()[code].event, languages()[code].sender_name(city), **texts)
        for code, texts in texts_by_language(alert).items()
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
    """The outer rings of the alert's units in the city's file of outlines, with at most MOST_POINTS points each."""
    if not alert.pk:
        return {}
    polygons_by_unit = outlines_of(alert.units.all()).by_unit
    return {
        str(pk): [_simplify_to_fit(polygon[0]) for polygon in polygons] for pk, polygons in polygons_by_unit.items()
    }


def _simplify_to_fit(ring: Ring) -> Ring:
    """The ring with at most MOST_POINTS points, which is precise enough for a relay."""
    tolerance = _FINEST_DEGREES
    while len(ring) > MOST_POINTS:
        ring = simplify_ring(ring, tolerance)
        tolerance *= 2
    return ring


def _references(alert: Alert, sender: str) -> list[str]:
    """References to all earlier messages, newest first: relays may have any of them.

    sender: used for a message without a stored sender.
    """
    references = []
    earlier = alert.refers_to
    while earlier is not None and earlier.sent_at is not None:
        references.append(
            message_reference(earlier.sender or sender, earlier.identifier, timezone.localtime(earlier.sent_at))
        )
        earlier = earlier.refers_to
    return references


def _identifier(now: datetime.datetime) -> str:
    return f"bluezone-{timezone.localtime(now):%Y%m%d}-{secrets.token_hex(4)}"


def has_reach(user: User, alert: Alert, roles: frozenset[str] = ALERT_WRITERS.roles) -> bool:
    """Whether the person has one of `roles` for every unit of an alert; a new alert has no units."""
    units = set(alert.units.values_list("pk", flat=True)) if alert.pk else set()
    return units <= set(served_units(user, roles).values_list("pk", flat=True))


def needs_second_person(user: User, alert: Alert) -> bool:
    """Whether an alert is real and for more than the ward of the person's own role."""
    return alert.status == Status.ACTUAL and not is_within_own_ward(user, ALERT_WRITERS.roles, alert.units.all())


def has_two_people(alert: Alert, releaser: User, now: datetime.datetime) -> bool:
    """Whether the writer, who must still reach the alert, and the releaser are two people (recent_access)."""
    writer = User.objects.filter(username=alert.written_by, is_active=True).first()
    if writer is None or writer.pk == releaser.pk or not has_reach(writer, alert):
        return False
    return people_with_access(writer, now).isdisjoint(people_with_access(releaser, now))


class _AboutAlert(SharedAct):
    """An act on an alert. values: {"alert": its primary key}."""

    speaks_to_public = True
    roles: ClassVar = ALERT_SIGNERS.roles

    def may_perform(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person may sign for all units of the alert."""
        alert = Alert.objects.filter(pk=values["alert"]).first()
        return (
            alert is not None
            and User.objects.with_roles(self.roles).filter(pk=user.pk).exists()
            and has_reach(user, alert, self.roles)
        )

    def describe(self, values: dict[str, Any]) -> Lines:
        """The texts of the alert, its units, and how urgent, severe and certain it is."""
        alert = self.alert(values)
        return [
            (_("Headline in Vietnamese"), alert.headline_vi),
            (_("Description in Vietnamese"), alert.description_vi),
            (_("Instructions in Vietnamese"), alert.instruction_vi),
            (_("Headline in English"), alert.headline_en),
            (_("Description in English"), alert.description_en),
            (_("Instructions in English"), alert.instruction_en),
            *(
                (languages()[code].name, "\n".join(texts.values()))
                for code, texts in texts_by_language(alert).items()
                if code not in LANGUAGES
            ),
            (_("Where"), ", ".join(unit.name for unit in alert.units.order_by("path"))),
            (_("Severity"), _word(Severity, alert.severity)),
            (_("Urgency of response"), _word(Urgency, alert.urgency)),
            (_("Certainty"), _word(Certainty, alert.certainty)),
            (_("Status"), _word(Status, alert.status)),
            (_("Valid until"), alert.expires_at.isoformat()),
        ]

    def alert(self, values: dict[str, Any]) -> Alert:
        """The alert; raises ActGone."""
        alert = Alert.objects.prefetch_related("units").select_related("refers_to").filter(pk=values["alert"]).first()
        if alert is None:
            raise ActGone("the alert no longer exists")
        return alert


class AlertRelease(_AboutAlert):
    """Release a draft to phones."""

    title = _("Release an alert to phones")

    def perform(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> None:
        """Raises AlertExpired, AlertReleased; one of the two may be the writer."""
        release_alert(asker, self.alert(values), now, own_words=True)


class AlertCancellation(_AboutAlert):
    """Cancel a sent alert."""

    title = _("Cancel an alert on phones")
    roles: ClassVar = ALERT_WRITERS.roles

    def perform(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> Alert:
        """Raises AlertReleased."""
        return cancel_alert(asker, self.alert(values), now)


def _word(kind: type[TextChoices], value: str) -> str:
    return str(kind(value).label)


def search_alerts(user: User, words: str) -> list[Hit]:
    """Alerts with `words` in a headline, for people who may write alerts; none for others."""
    if not grants_for(user, ALERT_WRITERS.roles):
        return []
    matches = [
        alert
        for alert in Alert.objects.order_by("-made_at")[:500]
        if holds(f"{alert.headline_vi} {alert.headline_en}", words)
    ]
    return [
        Hit(gettext("Alert"), alert.headline_vi, reverse("alert", args=[alert.pk]), alert.get_status_display())
        for alert in matches[:MOST_HITS]
    ]
