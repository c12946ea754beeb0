# SPDX-License-Identifier: Apache-2.0
"""The stages of a report: the draft, the pending report (stored, so that a kill loses nothing), and the outcome."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from bluezone.handset.store import Store
from bluezone.handset.venues.visits import Visit
from bluezone.protocol.intervals import INTERVALS_PER_DAY, day_of
from bluezone.protocol.keys import TemporaryExposureKey
from bluezone.protocol.upload import UPLOAD_SIZE, Slot, UploadKey, UploadRequest, commitment
from bluezone.protocol.upload.codes import Credential, CredentialKind


def unix_day(day: int) -> date:
    """The date of a UTC day since 1970-01-01."""
    return date(1970, 1, 1) + timedelta(days=day)


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """What a report would send, for the owner to agree to.

    credential: the code or link. klass: 1 confirmed test, 2 clinical. kid: key of the certificate.
    keys: by UTC day since 1970-01-01, with that day's level, 1 standard or 2 high.
    visits: stays to choose from, oldest first. prepared_at: trusted Unix seconds; nothing later is sent.
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
        """The UTC days to choose from, earliest first."""
        return tuple(key.day for key, _ in self.keys)

    def chosen_keys(self, days: Iterable[int] | None) -> tuple[UploadKey, ...]:
        """The keys of some UTC days, None for all, as they are sent."""
        chosen_days = set(self.days if days is None else days)
        return tuple(
            UploadKey(key.key, key.start, key.period, level) for key, level in self.keys if key.day in chosen_days
        )


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One thing that a report would send.

    kind: "key" or "slot". day: of a key the UTC date, of a slot the local date. hex: its exact bytes.
    """

    kind: Literal["key", "slot"]
    day: date
    hex: str


@dataclass(frozen=True, slots=True)
class ReportPreview:
    """Exactly what would be sent; bytes: size of the message, the same for every report and every rehearsal."""

    items: tuple[PreviewItem, ...]
    bytes: int = UPLOAD_SIZE


@dataclass(frozen=True, slots=True)
class PendingReport:
    """Stage one: blinded and not yet signed (signature empty). Stage two: certified, uploaded at `upload_at`.

    Bytes are hex. credential is dropped when the certificate is there. keys: (key, start, level).
    slots: (hour, slot key, start minute, end minute); visits: numbers of their stays.
    blinded, inverse: of the blind signature; after a kill the same values are sent again, so that the server
    signs again instead of refusing the code as used. upload_at: trusted Unix seconds.
    """

    kind: int
    credential: str
    klass: int
    kid: int
    rand: str
    salt: str
    keys: tuple[tuple[str, int, int], ...]
    blinded: str
    inverse: str
    signature: str = ""
    upload_at: float = 0.0
    slots: tuple[tuple[int, str, int, int], ...] = ()
    visits: tuple[int, ...] = ()

    @property
    def is_certified(self) -> bool:
        """Whether only the upload remains, for which no code is needed."""
        return bool(self.signature)

    @property
    def days(self) -> tuple[int, ...]:
        """UTC days of the keys."""
        return tuple(day_of(start) for _, start, _ in self.keys)

    def upload_keys(self) -> tuple[UploadKey, ...]:
        """The keys in the form in which they are committed to and sent."""
        return tuple(UploadKey(bytes.fromhex(key), start, INTERVALS_PER_DAY, level) for key, start, level in self.keys)

    def upload_slots(self) -> tuple[Slot, ...]:
        """The venue slots in the form in which they are committed to and sent."""
        return tuple(Slot(hour, bytes.fromhex(key), start, end) for hour, key, start, end in self.slots)

    def input_message(self) -> bytes:
        """What the certificate signs: rand || M."""
        return bytes.fromhex(self.rand) + commitment(bytes.fromhex(self.salt), self.upload_keys(), self.upload_slots())

    def read_credential(self) -> Credential:
        """The code or link that the report was started with."""
        return Credential(CredentialKind(self.kind), bytes.fromhex(self.credential))

    def with_signature(self, signature: bytes, upload_at: float) -> "PendingReport":
        """Stage two; the code, now useless, is dropped."""
        return replace(self, signature=signature.hex(), upload_at=upload_at, credential="", inverse="")

    def request(self, *, chaff: bool = False) -> UploadRequest:
        """The upload request."""
        return UploadRequest(
            chaff=chaff, kid=self.kid, rand=bytes.fromhex(self.rand), signature=bytes.fromhex(self.signature),
            salt=bytes.fromhex(self.salt), keys=self.upload_keys(), slots=self.upload_slots(),
        )  # fmt: skip


def read_pending(store: Store, name: str) -> PendingReport | None:
    """The report stored under `name`, if any."""
    stored: dict[str, Any] | None = store.get(name)
    if stored is None:
        return None
    # JSON has lists only. A report that was started by an earlier release has no slots.
    lists = {name: tuple(tuple(row) for row in stored.get(name, ())) for name in ("keys", "slots")}
    return PendingReport(**(stored | lists | {"visits": tuple(stored.get("visits", ()))}))


def store_pending(store: Store, name: str, report: PendingReport | None) -> None:
    """Store a report under `name`; None removes the stored one."""
    store.put(name, None if report is None else asdict(report))


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """The state of a report after a step.

    state: "waiting" until `upload_at` (trusted Unix seconds), or "sent". days: UTC days of its keys.
    """

    state: Literal["waiting", "sent"]
    days: tuple[int, ...]
    upload_at: float

    @property
    def keys(self) -> int:
        """The number of daily keys in the report."""
        return len(self.days)

    @property
    def dates(self) -> tuple[date, ...]:
        """UTC dates of its keys."""
        return tuple(unix_day(day) for day in self.days)
