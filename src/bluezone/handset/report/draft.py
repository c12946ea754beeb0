# SPDX-License-Identifier: Apache-2.0
"""What a report would send, for the owner to read and agree to, and how far one is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bluezone.handset.venues.visits import Visit
from bluezone.protocol.keys import TemporaryExposureKey
from bluezone.protocol.upload import UPLOAD_SIZE, UploadKey
from bluezone.protocol.upload.codes import Credential


def unix_day(day: int) -> date:
    """The date of a UTC day since 1970-01-01."""
    return date(1970, 1, 1) + timedelta(days=day)


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """What a report would send, for the owner to agree to.

    credential: the code or link. klass: 1 confirmed test, 2 clinical. kid: key of the certificate.
    keys: by UTC day since 1970-01-01, with the level 1 standard or 2 high of that day.
    visits: stays that may be chosen, oldest first. prepared_at: trusted Unix seconds; nothing after it is sent.
    onset_day: UTC day since 1970-01-01.
    """

    credential: Credential
    klass: int
    kid: int
    keys: tuple[tuple[TemporaryExposureKey, int], ...]
    visits: tuple[Visit, ...] = ()
    prepared_at: float = 0.0
    onset_day: int = 0

    @property
    def days(self) -> tuple[int, ...]:
        """UTC days that can be chosen, earliest first."""
        return tuple(key.day for key, _ in self.keys)

    def chosen_keys(self, days: Iterable[int] | None) -> tuple[UploadKey, ...]:
        """The keys of some UTC days, None for all, as they are sent."""
        wanted = set(self.days if days is None else days)
        return tuple(UploadKey(key.key, key.start, key.period, level) for key, level in self.keys if key.day in wanted)


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """How far a report is.

    state: "waiting" until `upload_at` (trusted Unix seconds), or "sent". days: UTC days of its keys.
    """

    state: Literal["waiting", "sent"]
    days: tuple[int, ...]
    upload_at: float

    @property
    def keys(self) -> int:
        """How many daily keys the report holds."""
        return len(self.days)

    @property
    def dates(self) -> tuple[date, ...]:
        """UTC dates of its keys."""
        return tuple(unix_day(day) for day in self.days)


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One thing that a report would send. kind: "key" or "slot"; day: UTC date; hex: its very bytes."""

    kind: Literal["key", "slot"]
    day: date
    hex: str


@dataclass(frozen=True, slots=True)
class ReportPreview:
    """Exactly what would be sent; bytes: size of the message, the same for every report and every rehearsal."""

    items: tuple[PreviewItem, ...]
    bytes: int = UPLOAD_SIZE
