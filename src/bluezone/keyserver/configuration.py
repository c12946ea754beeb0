# SPDX-License-Identifier: Apache-2.0
"""The signed config: numbered, kept for ever, and renewed only when what it says has changed.

Source: docs/protocol.md section 5, "History": a phone follows its numbers and payload hashes without a gap.
"""

import hashlib
import json
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bluezone.city import City, CityInvalid
from bluezone.keyserver.declarations import published_key
from bluezone.keyserver.keyfolder import Secrets, write_whole
from bluezone.keyserver.storage.store import StoreDamaged
from bluezone.protocol.signed.config import HISTORY_LENGTH, Config, encode_config
from bluezone.protocol.signed.envelope import InvalidSignedFile, fingerprint, open_signed, sign_payload
from bluezone.protocol.upload import MAX_HIGH_KEYS, MAX_KEY_AGE_DAYS, MAX_KEYS, MAX_SLOTS
from bluezone.protocol.upload.puzzle import PUZZLE_BITS, PUZZLE_SECONDS

KIND = "config"

# What changes from one number to the next although nothing is said anew.
_PER_NUMBER = ("number", "generated_at", "history")


class ConfigFiles:
    """The configs in a folder: `<number>.json`, each signed and never changed again."""

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        self.folder = folder
        public = secrets.signing_key.public_key().public_bytes_raw()
        self._trusted = {fingerprint(public): public}
        self._secrets = secrets

    def newest_number(self) -> int:
        """Number of the config in force, 0 before the first."""
        return max((int(path.stem) for path in self.folder.glob("[0-9]*.json")), default=0)

    def path(self, number: int) -> Path:
        """Where the config of a number is, whether or not there is one."""
        return self.folder / f"{number}.json"

    def payload(self, number: int) -> bytes:
        """What was signed under a number that exists; raises StoreDamaged if the file is not ours or not whole."""
        try:
            return open_signed(KIND, self.path(number).read_bytes(), self._trusted)
        except (OSError, InvalidSignedFile) as error:
            raise StoreDamaged(f"config {number} cannot be read: {error}") from None

    def newest_sha256(self) -> str:
        """SHA-256 (hex) of the payload in force."""
        return hashlib.sha256(self.payload(self.newest_number())).hexdigest()

    def renew(self, city: City, data_dir: Path, now: float) -> int:
        """Write the next config if it would say something new; returns the number in force.

        Call it under the service's lock. Raises CityInvalid where the disease profile cannot be read.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        newest = self.newest_number()
        oldest = max(1, newest - HISTORY_LENGTH + 1)
        history = [hashlib.sha256(self.payload(number)).hexdigest() for number in range(oldest, newest + 1)]
        config = Config(
            number=newest + 1,
            generated_at=int(now),
            history=tuple(history),
            city={"vi": city.name_vi, "en": city.name_en},
            zone=city.zone,
            public_host=city.public_host,
            office_host=city.office_host,
            hotline=city.hotline,
            profile=_profile(city.profile, data_dir),
            week_keys=self._secrets.week_keys.announced(now),
            export_keys=(self._secrets.export_public_pem,),
            declaration_key=published_key(data_dir),
            limits={
                "keys": MAX_KEYS,
                "high_keys": MAX_HIGH_KEYS,
                "key_age_days": MAX_KEY_AGE_DAYS,
                "slots": MAX_SLOTS,
                "puzzle_bits": PUZZLE_BITS,
                "puzzle_seconds": PUZZLE_SECONDS,
            },
            waits={
                "verify_to_upload_seconds": city.verify_to_upload_seconds,
                "web_minimum_seconds": city.web_minimum_seconds,
            },
            poll_seconds=city.poll_seconds,
            texts=_texts(),
            venue_keys=self._secrets.venue_keys,
            push_key=self._secrets.push_public,
            national_hotline=city.national_hotline or None,
            reciprocity=bool(city.reciprocity),
        )
        payload = encode_config(config)
        if newest and _said(payload) == _said(self.payload(newest)):
            return newest
        write_whole(self.path(config.number), sign_payload(KIND, payload, self._secrets.signing_key))
        return config.number


def _said(payload: bytes) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(payload)
    return {name: value for name, value in members.items() if name not in _PER_NUMBER}


def _profile(name: str, data_dir: Path) -> dict[str, Any]:
    shipped = files("bluezone.protocol") / "profiles" / f"{name}.toml"
    try:
        text = shipped.read_text("utf-8") if shipped.is_file() else (data_dir / name).read_text("utf-8")
        return tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CityInvalid(f"the disease profile {name!r} cannot be read: {error}") from None


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("bluezone.keyserver") / "texts.toml").read_text("utf-8"))
