# SPDX-License-Identifier: Apache-2.0
"""The settings of a city as its configs contain them, and which version of them was applied last."""

import hashlib
import json
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bluezone.city_settings import City, CityInvalid
from bluezone.keyserver.configs.configfiles import PER_NUMBER
from bluezone.keyserver.declarations import published_key
from bluezone.keyserver.storage.store import Store, StoreRefused
from bluezone.protocol.primitives import InvalidPublicKey, read_p256_pem
from bluezone.protocol.risk.profilefiles import parse_profile
from bluezone.protocol.risk.profiletables import InvalidProfile
from bluezone.protocol.signed.config import Care, Config, Neighbour, encode_config
from bluezone.protocol.upload import MAX_HIGH_KEYS, MAX_KEY_AGE_DAYS, MAX_KEYS, MAX_SLOTS
from bluezone.protocol.upload.puzzle import PUZZLE_BITS, PUZZLE_SECONDS

# Members of a config that come neither from the city's settings nor from this program's texts and limits.
_NO_SETTINGS = (
    *PER_NUMBER, "week_keys", "export_keys", "venue_keys", "push_key", "recovery_key", "epochs", "witnesses",
)  # fmt: skip
# Settings that are in no config but influence the published files.
_OF_FILES = ("region", "publish_period_seconds", "embargo_seconds", "padding_mean", "venue_padding_mean")


class SettingsOutdated(StoreRefused):
    """Another host or a newer process has applied other settings after those of this process."""

    code = "settings_outdated"


class AppliedSettings:
    """The order in which the hosts that share a store have applied settings.

    Create it before the settings of this process are read: settings that are applied after that count as newer.
    """

    def __init__(self, store: Store) -> None:
        self._seen = self.newest(store)[0]

    @staticmethod
    def newest(store: Store) -> tuple[int, bytes]:
        """Number and digest of the settings applied last; 0 and no bytes before the first."""
        rows = store.read("SELECT version, digest FROM applied_settings ORDER BY version DESC LIMIT 1")
        return (int(rows[0][0]), bytes(rows[0][1])) if rows else (0, b"")

    def require(self, store: Store, digest: bytes) -> None:
        """Apply settings if they are new. Raises SettingsOutdated if others were applied after them.

        Call it within the turn.
        """
        number, newest = self.newest(store)
        if digest == newest:
            self._seen = number
            return
        if number != self._seen or store.read("SELECT 1 FROM applied_settings WHERE digest = ?", (digest,)):
            raise SettingsOutdated(
                f"settings with the number {number} were applied after those of this process, so it signs nothing;"
                " bring city.toml and the program up to date and restart, or run `bluezone settings --apply`"
            )
        self.apply(store, digest)

    def apply(self, store: Store, digest: bytes) -> None:
        """Apply these settings as the newest of all. Call it within the turn."""
        number = self.newest(store)[0] + 1
        store.write(
            lambda transaction: transaction.execute("INSERT INTO applied_settings VALUES (?, ?)", (number, digest))
        )
        self._seen = number


def require_newest_settings(keys_store: Store, city: City, data_dir: Path) -> None:
    """Check that these settings were applied last, by another process. Raises SettingsOutdated."""
    number, newest = AppliedSettings.newest(keys_store)
    if settings_digest(city, data_dir) != newest:
        raise SettingsOutdated(f"settings with the number {number} were applied, and this process has others")


def settings_digest(city: City, data_dir: Path) -> bytes:
    """SHA-256 of the settings that influence configs or files, including this program's texts and limits.

    Settings of a single host, such as its proxies, are excluded. Raises CityInvalid.
    """
    members = json.loads(encode_config(config_of_settings(city, data_dir)))
    settings = {name: value for name, value in members.items() if name not in _NO_SETTINGS}
    settings["files"] = {name: getattr(city, name) for name in _OF_FILES}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).digest()


def config_of_settings(city: City, data_dir: Path) -> Config:
    """The config of these settings, without number, time, history and keys. Raises CityInvalid."""
    return Config(
        number=0,
        generated_at=0,
        history=(),
        city={"vi": city.name_vi, "en": city.name_en},
        zone=city.zone,
        public_host=city.public_host,
        office_host=city.office_host,
        hotline=city.hotline,
        profile=_profile(city.profile, data_dir),
        week_keys=(),
        export_keys=(),
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
            # A city that holds nothing back has the same config as before holds existed.
            **({"hold_seconds": city.hold_seconds} if city.hold_seconds else {}),
        },
        poll_seconds=city.poll_seconds,
        texts=_texts(),
        venue_keys={},
        push_key="",
        national_hotline=city.national_hotline or None,
        reciprocity=bool(city.reciprocity),
        care=Care(city.watch_days, city.home_days, city.isolation_days, city.test_from_day, tuple(city.test_places)),
        neighbours=_neighbours(city),
    )


def _neighbours(city: City) -> tuple[Neighbour, ...]:
    """The neighbours of the city's settings. Raises CityInvalid if phones could not read the key of one."""
    neighbours = []
    for setting in city.neighbours:
        optional = {name: str(setting[name]) for name in ("key", "index", "export_key") if name in setting}
        name = {"vi": str(setting["name_vi"]), "en": str(setting["name_en"])}
        neighbours.append(Neighbour(name, str(setting["address"]), bool(setting.get("everybody", 0)), **optional))
    try:
        for neighbour in neighbours:
            if neighbour.export_key:
                read_p256_pem(neighbour.export_key)
    except InvalidPublicKey as refused:
        raise CityInvalid(f"neighbours: export_key: {refused}") from None
    if len({neighbour.id for neighbour in neighbours}) < len(neighbours):
        raise CityInvalid("neighbours names one of them twice")
    return tuple(neighbours)


def _profile(name: str, data_dir: Path) -> dict[str, Any]:
    """The disease profile of the settings. Raises CityInvalid if phones, also of earlier releases, cannot read it."""
    shipped = files("bluezone.protocol.risk") / "profiles" / f"{name}.toml"
    try:
        text = shipped.read_text("utf-8") if shipped.is_file() else (data_dir / name).read_text("utf-8")
        profile = _readable_profile(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CityInvalid(f"the disease profile {name!r} cannot be read: {error}") from None
    except InvalidProfile as refused:
        raise CityInvalid(f"the disease profile {name!r} cannot be read by phones: {refused}") from None
    if "nearness" in profile and "weights" not in profile:
        raise CityInvalid(
            f"the disease profile {name!r} has no [[weights]], without which phones of 0.1.0 cannot read it"
        )
    return profile


# The worker needs it at each tick, and one city has one profile.
@lru_cache(maxsize=2)
def _readable_profile(text: str) -> dict[str, Any]:
    """The members of a profile. Raises InvalidProfile: a phone that cannot read its profile gives no warning."""
    profile = tomllib.loads(text)
    parse_profile(profile)
    return profile


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("bluezone.keyserver") / "texts.toml").read_text("utf-8"))
