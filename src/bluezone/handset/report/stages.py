# SPDX-License-Identifier: Apache-2.0
"""The stages of a report: what it would send, what is under way (kept so that a kill loses nothing), how far it is."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from bluezone.handset.store import Store
from bluezone.handset.venues import Visit
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
class PreviewItem:
    """One thing that a report would send.

    kind: "key" or "slot". day: of a key the UTC date, of a slot the local one. hex: its very bytes.
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

    Bytes are hex. credential is dropped once the certificate is there. keys: (key, start, level).
    slots: (hour, slot key, start minute, end minute); visits: numbers of the stays they come from.
    blinded, inverse: of the blind signature; the same ones are sent again after a kill, so that the server
    signs again instead of calling the code used. upload_at: trusted Unix seconds.
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
    def certified(self) -> bool:
        """Whether only the upload is left; no code is needed any more."""
        return bool(self.signature)

    @property
    def days(self) -> tuple[int, ...]:
        """UTC days of the keys."""
        return tuple(day_of(start) for _, start, _ in self.keys)

    def upload_keys(self) -> tuple[UploadKey, ...]:
        """The keys as they are committed to and sent."""
        return tuple(UploadKey(bytes.fromhex(key), start, INTERVALS_PER_DAY, level) for key, start, level in self.keys)

    def upload_slots(self) -> tuple[Slot, ...]:
        """The venue slots as they are committed to and sent."""
        return tuple(Slot(hour, bytes.fromhex(key), start, end) for hour, key, start, end in self.slots)

    def input_message(self) -> bytes:
        """What the certificate signs: rand || M."""
        return bytes.fromhex(self.rand) + commitment(bytes.fromhex(self.salt), self.upload_keys(), self.upload_slots())

    def read_credential(self) -> Credential:
        """The code or link it was begun with."""
        return Credential(CredentialKind(self.kind), bytes.fromhex(self.credential))

    def with_signature(self, signature: bytes, upload_at: float) -> "PendingReport":
        """Stage two; the code, now useless, is dropped."""
        return replace(self, signature=signature.hex(), upload_at=upload_at, credential="", inverse="")

    def request(self, *, chaff: bool = False) -> UploadRequest:
        """The upload."""
        return UploadRequest(
            chaff=chaff, kid=self.kid, rand=bytes.fromhex(self.rand), signature=bytes.fromhex(self.signature),
            salt=bytes.fromhex(self.salt), keys=self.upload_keys(), slots=self.upload_slots(),
        )  # fmt: skip


def read_pending(store: Store, name: str) -> PendingReport | None:
    """The report kept under `name`, if any."""
    kept: dict[str, Any] | None = store.get(name)
    if kept is None:
        return None
    # JSON has lists only; a report that an older version began has no slots.
    lists = {name: tuple(tuple(row) for row in kept.get(name, ())) for name in ("keys", "slots")}
    return PendingReport(**(kept | lists | {"visits": tuple(kept.get("visits", ()))}))


def keep_pending(store: Store, name: str, report: PendingReport | None) -> None:
    """Keep it, or remove what is kept."""
    store.put(name, None if report is None else asdict(report))


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
