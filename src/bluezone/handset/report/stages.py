# SPDX-License-Identifier: Apache-2.0
"""The stages of a report: the draft, the pending report (stored, so that a kill loses nothing), and the outcome."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from bluezone.handset.store import Store
from bluezone.handset.venues.stays import Stay
from bluezone.protocol.intervals import INTERVALS_PER_DAY, day_of
from bluezone.protocol.keys import TemporaryExposureKey
from bluezone.protocol.upload import UPLOAD_SIZE, Slot, UploadKey, UploadRequest, commitment
from bluezone.protocol.upload.codes import Credential, CredentialKind
from bluezone.protocol.upload.requests import SLIP_KIND
from bluezone.protocol.upload.slips import Slip


def unix_day(day: int) -> date:
    """Return the date of a UTC day, counted from 1970-01-01."""
    return date(1970, 1, 1) + timedelta(days=day)


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """The keys and stays that a report could send, for the owner to choose from.

    credential:  the code or link, or the slip of a code book.
    klass:       1 confirmed test, 2 clinical.
    kid:         number of the week key for the certificate.
    keys:        key of each day with the level of that day, 1 standard or 2 high, earliest first.
    stays:       oldest first.
    prepared_at: trusted Unix seconds; no time after it is sent.
    onset_day:   UTC day since 1970-01-01.
    """

    credential: Credential | Slip
    klass: int
    kid: int
    keys: tuple[tuple[TemporaryExposureKey, int], ...]
    stays: tuple[Stay, ...] = ()
    prepared_at: float = 0.0
    onset_day: int = 0

    @property
    def days(self) -> tuple[int, ...]:
        """The UTC days to choose from, earliest first."""
        return tuple(key.day for key, _ in self.keys)

    def chosen_keys(self, days: Iterable[int] | None) -> tuple[UploadKey, ...]:
        """Return the keys of some UTC days, None for all days, in the form for an upload."""
        chosen_days = set(self.days if days is None else days)
        return tuple(
            UploadKey(key.key, key.start, key.period, level) for key, level in self.keys if key.day in chosen_days
        )


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """A key or a slot that a report would send.

    day: UTC date of a key, local date of a slot.
    hex: the exact bytes.
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
    """A report in one of two stages: blinded, with an empty signature; or certified, to be uploaded at `upload_at`.

    All bytes are in hex.

    kind:       as in the request: 0 digits of a code, 1 link of a code, 2 slip.
    credential: the code, link or slip, "" once the report is certified.
    keys:       (key, start, level).
    slots:      (hour, slot key, start minute, end minute).
    visits:     numbers of the stays of the slots.
    blinded, inverse: of the blind signature. After a kill of the process the same values are sent again, so that the
                server signs again instead of refusing the code as used.
    upload_at:  trusted Unix seconds; of a blinded report when to try again, 0 for at once.
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

    def keys_for_upload(self) -> tuple[UploadKey, ...]:
        """Return the keys in the form for the commitment and the upload."""
        return tuple(UploadKey(bytes.fromhex(key), start, INTERVALS_PER_DAY, level) for key, start, level in self.keys)

    def slots_for_upload(self) -> tuple[Slot, ...]:
        """Return the venue slots in the form for the commitment and the upload."""
        return tuple(Slot(hour, bytes.fromhex(key), start, end) for hour, key, start, end in self.slots)

    def input_message(self) -> bytes:
        """Return the bytes that the certificate signs: rand || M."""
        return bytes.fromhex(self.rand) + commitment(
            bytes.fromhex(self.salt), self.keys_for_upload(), self.slots_for_upload()
        )

    def read_credential(self) -> Credential | Slip:
        """Return the code, link or slip of a report that is not certified yet."""
        content = bytes.fromhex(self.credential)
        return Slip.from_bytes(content) if self.kind == SLIP_KIND else Credential(CredentialKind(self.kind), content)

    def with_signature(self, signature: bytes, upload_at: float) -> "PendingReport":
        """Return the certified report, without the code and the inverse, which are no longer needed."""
        return replace(self, signature=signature.hex(), upload_at=upload_at, credential="", inverse="")

    def upload_request(self, *, is_rehearsal: bool = False) -> UploadRequest:
        """Return the upload request, of a rehearsal or of a true report."""
        return UploadRequest(
            is_rehearsal=is_rehearsal, kid=self.kid, rand=bytes.fromhex(self.rand),
            signature=bytes.fromhex(self.signature),
            salt=bytes.fromhex(self.salt), keys=self.keys_for_upload(), slots=self.slots_for_upload(),
        )  # fmt: skip


def read_pending(store: Store, name: str) -> PendingReport | None:
    """Return the report stored under `name`, or None."""
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

    state: "waiting" until `upload_at` (trusted Unix seconds); "later" if the city takes no more reports now, and the
    certificate is requested again at `upload_at`; or "sent". days: UTC days of its keys.
    """

    state: Literal["waiting", "later", "sent"]
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
