# SPDX-License-Identifier: Apache-2.0
"""Say that a bulletin was aired where no machine proves it: stations played by hand, radio, television, the press."""

import datetime
import io
from typing import Any

from django.db import transaction

from bluezone.accounts import auditing
from bluezone.accounts.models import Act, User
from bluezone.accounts.undoing import GRACE_SECONDS, UNDO_SECONDS, UndoTooLate, reverser
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.models import Airing, Attestation, OutletKind

# A little before its time somebody may already press the button.
EARLY = datetime.timedelta(minutes=15)
_LONGEST_SIDE = 1600


class AiringNotYet(Refused):
    """The airing is still to come; nothing was stored."""

    code = "airing_not_yet"


class AiringSaid(Refused):
    """It was said already what became of this airing; nothing was changed."""

    code = "airing_already_said"


class AiringWithoutEvidence(Refused):
    """An airing outside the loudspeakers was to be booked as aired without link and photo; nothing was stored."""

    code = "airing_without_evidence"


class PhotoUnreadable(Refused):
    """The photo is no JPEG or PNG that can be opened; nothing was stored."""

    code = "photo_unreadable"


def attest(
    airing: Airing,
    user: User,
    now: datetime.datetime,
    *,
    was_aired: bool = True,
    link: str = "",
    photo: bytes | None = None,
    note: str = "",
) -> Attestation:
    """Book an airing as aired (or not, with a reason in `note`), attested.

    photo: JPEG or PNG; kept without its metadata. At loudspeakers alone, which people play by hand and nobody else
    records, the bare word will do. Raises AiringNotYet, AiringWithoutEvidence, AiringSaid, PhotoUnreadable.
    """
    if airing.due_at - EARLY > now:
        raise AiringNotYet("the airing is still to come")
    if was_aired and airing.outlet.kind != OutletKind.LOUDSPEAKERS and not link and photo is None:
        raise AiringWithoutEvidence(f"aired at an outlet of kind {airing.outlet.kind}: got no link or photo")
    kept = None if photo is None else plain_photo(photo)
    with transaction.atomic():
        made, new = Attestation.objects.get_or_create(
            airing=airing,
            defaults={
                "was_aired": was_aired,
                "link": link,
                "photo": kept,
                "has_photo": kept is not None,
                "note": note,
                "by": user,
                "at": now,
            },
        )
        if not new:
            raise AiringSaid("it was said already what became of this airing")
        auditing.record(user.username, Act.AIRING_ATTESTED, f"airing {airing.pk}", now=now, aired=was_aired)
    return made


def plain_photo(data: bytes) -> bytes:
    """A photo as JPEG without metadata, at most 1,600 pixels wide or high. Raises PhotoUnreadable."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise PhotoUnreadable("the photo is no JPEG or PNG that can be opened") from None
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


@reverser("airing-attested")
def take_back(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Take a one-tap word back. Raises UndoTooLate when it is older than ten seconds, or somebody else's."""
    with transaction.atomic():
        since = now - datetime.timedelta(seconds=UNDO_SECONDS + GRACE_SECONDS)
        mine = Attestation.objects.filter(airing=values["airing"], by=user, at__gte=since)
        if not mine.delete()[0]:
            raise UndoTooLate("the word is too old, or was said by somebody else")
        auditing.record(user.username, Act.AIRING_ATTESTED, f"airing {values['airing']}", now=now, taken_back=True)
