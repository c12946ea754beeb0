# SPDX-License-Identifier: Apache-2.0
"""Alerts that take a second person: a real one for more than the signatory's own ward.

Who wrote an alert and who releases it are two people already; the release waits for a third only where those two are
not known to be two (bluezone.authority.two_persons). A cancellation has no writer, so it takes a second person.
"""

import datetime
from typing import Any, ClassVar

from django.db.models.enums import TextChoices
from django.utils.translation import gettext_lazy as _

from bluezone.authority.role_grants import hands
from bluezone.authority.two_persons import ActGone, Said, SharedAct
from bluezone.directory.scopes import is_own_ward, served_units
from bluezone.identity.models import User
from bluezone.messaging.cap import lifecycle
from bluezone.messaging.cap.duty import ALERT_SIGNERS, ALERT_WRITERS
from bluezone.messaging.cap.models import Alert, Certainty, Severity, Status, Urgency


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
        lifecycle.release(asker, self.alert(values), now, own_words=True)


class CancelOfAlert(_AboutAlert):
    """A sent alert is taken back."""

    words = _("Cancel an alert on phones")
    roles: ClassVar = ALERT_WRITERS.roles

    def do(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> Alert:
        """Raises AlertReleased."""
        return lifecycle.cancel(asker, self.alert(values), now)


def _word(kind: type[TextChoices], value: str) -> str:
    return str(kind(value).label)
