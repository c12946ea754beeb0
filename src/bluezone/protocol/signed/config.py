# SPDX-License-Identifier: Apache-2.0
"""The signed config: what a city tells every phone, and how a phone follows its history.

Source: docs/protocol.md section 4 ("RSA keys": week keys, their trust) and section 5 ("History": what a config holds).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.primitives import InvalidPublicKey, read_p256_pem
from bluezone.protocol.signed.envelope import canonical_json
from bluezone.protocol.signed.members import JsonMembers
from bluezone.refusal import Refused

HISTORY_LENGTH = 50
# A key shown to one phone only would mark that phone's certificate; one that has stood a week in the config that all
# phones compare would have been seen.
ANNOUNCED_BEFORE_USE_SECONDS = 7 * SECONDS_PER_DAY
MODULUS_BITS = 2048
MOST_NEIGHBOURS = 8
LANGUAGES = ("vi", "en")
TEXT_NAMES = ("step_1", "step_2", "step_3", "lead", "not_known", "doubt")

_SHA256 = r"[0-9a-f]{64}"
_HOST = r"[^\s/]+"
_ADDRESS = r"https?://[^\s/]+"
_PATH = r"(/[A-Za-z0-9._-]+)+"
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
# 65 bytes without padding, the first of them 0x04.
_PUSH_KEY = r"B[A-Za-z0-9_-]{86}"
_VENUE_KID = re.compile(r"0|[1-9][0-9]{0,2}")
Purpose = Literal["upload", "gate", "chaff"]
_CLASSES = {"upload": (1, 2), "gate": (0, 0), "chaff": (0, 0)}


class InvalidConfig(Refused):
    """A config that lacks something every phone needs (the health hotline, a week key's modulus) or is no config."""

    code = "config_invalid"


class ConfigRefused(Refused):
    """A whole config that does not continue the history this phone has seen."""

    code = "config_refused"


class ConfigRolledBack(ConfigRefused):
    """Its number is below the one already held, or it says an earlier time."""

    code = "config_rolled_back"


class ConfigHistoryDiffers(ConfigRefused):
    """The config already held is not in its history: this server gives phones different configs."""

    code = "config_history_differs"


class ConfigGap(ConfigRefused):
    """The config already held is older than the history it lists, and those between are gone: nothing is taken in."""

    code = "config_gap"


@dataclass(frozen=True, slots=True)
class WeekKey:
    """One RSA public key that signs certificates of one purpose, class and week.

    kid:          0..65535, names exactly this key.
    klass:        1 confirmed test, 2 clinical; 0 for gate and chaff.
    week:         ISO week in UTC, such as "2026-W48".
    use_from, accept_until, announced_at: Unix seconds; accepted until the week's end and 7 days.
    n, e:         modulus of 2048 bits and public exponent.
    """

    kid: int
    purpose: Purpose
    klass: int
    week: str
    use_from: int
    accept_until: int
    announced_at: int
    n: int
    e: int


@dataclass(frozen=True, slots=True)
class Care:
    """What the health authority asks of a warned person and of a patient; days are counted from the day itself, 0.

    watch_days:     how long a warned person watches their health, 1..14: phones keep nothing older.
    home_days:      how long of that a person with a high risk is asked to stay at home, 0..watch_days.
    isolation_days: how long a patient is asked to stay apart, from the day of the result or the report, 1..21:
                    phones keep what their owner noted for 30 days.
    test_from_day:  from which day after the contact a test is worth taking, 0..watch_days.
    test_places:    where to be tested, each a line for people: name, address, hours, number.
    """

    watch_days: int = 14
    home_days: int = 10
    isolation_days: int = 14
    test_from_day: int = 5
    test_places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another city, or another maker's server of Exposure Notification, whose files phones of this city may follow.

    name:       by language, "vi" and "en".
    address:    where a phone asks it, `https://host[:port]`.
    everybody:  whether every phone follows it, or those alone whose owner wants it.
    key:        of another city: its public key (Ed25519, hex), from which all other trust in it follows.
    index, export_key: of another maker's server: path of its list of files, a name a line, and the PEM of the P-256
                key that signs them. Either `key` or these two are there, the others are "".
    """

    name: Mapping[str, str]
    address: str
    everybody: bool = False
    key: str = ""
    index: str = ""
    export_key: str = ""

    @property
    def id(self) -> str:
        """Its name on a phone: another key or another address is another neighbour."""
        told = "\0".join((self.address, self.key, self.index, self.export_key))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Config:
    """What a city tells every phone.

    number:       1 for the first config, one more for each.
    generated_at: Unix seconds.
    history:      SHA-256 (hex) of the payloads of its last 50 numbers, oldest first, without its own.
    city, texts:  by language, "vi" and "en"; texts hold at least TEXT_NAMES.
    hotline:      the health hotline, never empty.
    profile:      the disease profile, as bluezone.protocol.risk.assessment.parse_profile reads it.
    export_keys:  PEM of the P-256 keys whose export files are to be believed.
    waits:        verify_to_upload_seconds, web_minimum_seconds.
    venue_keys:   raw Ed25519 public keys (hex) of venue codes by their number, "0".."255"; none in older configs.
    push_key:     public key of Web Push (uncompressed P-256 point, base64url), None where there is none.
    national_hotline: the ministry's number, said beside the city's own; None in older configs.
    reciprocity:  whether phones send reciprocity frames and keep them; so it is in older configs.
    recovery_key: raw Ed25519 public key (hex) that signs new epochs, None where the city has none.
    epochs:       the signed record (base64) of each epoch, oldest first; see signed/epoch.py.
    witnesses:    the record (base64) of each change of who watches the log, oldest first; see transparency/watch.py.
    care:         for how long who is asked for what; the defaults in older configs.
    neighbours:   others whose files a phone may follow besides; at most MOST_NEIGHBOURS.
    """

    number: int
    generated_at: int
    history: tuple[str, ...]
    city: Mapping[str, str]
    zone: str
    public_host: str
    office_host: str
    hotline: str
    profile: Mapping[str, Any]
    week_keys: tuple[WeekKey, ...]
    export_keys: tuple[str, ...]
    declaration_key: str | None
    limits: Mapping[str, Any]
    waits: Mapping[str, int]
    poll_seconds: int
    texts: Mapping[str, Mapping[str, str]]
    venue_keys: Mapping[str, str] = field(default_factory=dict)
    push_key: str | None = None
    national_hotline: str | None = None
    reciprocity: bool = True
    recovery_key: str | None = None
    epochs: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    care: Care = Care()
    neighbours: tuple[Neighbour, ...] = ()


def encode_config(config: Config) -> bytes:
    """Return the payload to sign: canonical JSON, moduli in hex since browsers read no number so long."""
    members = asdict(config)
    for key in members["week_keys"]:
        key["n"] = f"{key['n']:x}"
    # A city that has none of them says what it said before there were any.
    for name in ("recovery_key", "epochs", "witnesses", "neighbours"):
        if not members[name]:
            del members[name]
    # Phones of 0.1.0 need weights in the profile and refuse it with nearness: so that goes next to it.
    if {"weights", "nearness"} <= members["profile"].keys():
        members["nearness"] = members["profile"].pop("nearness")
    return canonical_json(members)


def decode_config(payload: bytes) -> Config:
    """Read a config's payload (its signature already checked). Raises InvalidConfig."""
    read = JsonMembers.parse(payload, InvalidConfig)
    history = read.texts("history", _SHA256)
    if len(history) > HISTORY_LENGTH:
        raise InvalidConfig(f"history holds {len(history)} hashes, expected at most {HISTORY_LENGTH}")
    waits = read.inner("waits")
    return Config(
        number=read.integer("number", lowest=1),
        generated_at=read.integer("generated_at"),
        history=history,
        city=_by_language(read.inner("city")),
        zone=read.text("zone", r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*"),
        public_host=read.text("public_host", _HOST),
        office_host=read.text("office_host", _HOST),
        hotline=read.text("hotline"),
        profile=_profile(read),
        week_keys=_week_keys(read.each("week_keys")),
        export_keys=_export_keys(read.texts("export_keys")),
        declaration_key=read.text_or_none("declaration_key"),
        limits=read.mapping("limits"),
        waits={
            name: waits.integer(name)
            for name in ("verify_to_upload_seconds", "web_minimum_seconds", "hold_seconds")
            if name != "hold_seconds" or waits.has(name)
        },
        poll_seconds=read.integer("poll_seconds"),
        texts={language: _texts(read.inner("texts").inner(language)) for language in LANGUAGES},
        venue_keys=_venue_keys(read.inner("venue_keys")) if read.has("venue_keys") else {},
        push_key=read.text("push_key", _PUSH_KEY) if read.has("push_key") else None,
        national_hotline=read.text_or_none("national_hotline"),
        reciprocity=read.boolean("reciprocity") if read.has("reciprocity") else True,
        recovery_key=read.text("recovery_key", _SHA256) if read.has("recovery_key") else None,
        epochs=read.texts("epochs", _BASE64) if read.has("epochs") else (),
        witnesses=read.texts("witnesses", _BASE64) if read.has("witnesses") else (),
        care=_care(read.inner("care")) if read.has("care") else Care(),
        neighbours=_neighbours(read.each("neighbours")) if read.has("neighbours") else (),
    )


def follow_config(
    config: Config, payload_sha256: str, known_number: int, known_sha256: str, known_generated_at: int
) -> None:
    """Check that `config` continues the config this phone holds.

    payload_sha256, known_sha256: SHA-256 (hex) of the two payloads. known_generated_at: Unix seconds of the one held.
    Raises ConfigRolledBack, ConfigHistoryDiffers or ConfigGap; what is held then stays.
    """
    if config.number < known_number:
        raise ConfigRolledBack(f"config has number {config.number}, expected at least {known_number}")
    line = (*config.history, payload_sha256)
    position = len(line) - 1 - (config.number - known_number)
    if position < 0:
        raise ConfigGap(f"config {config.number} lists no hash of number {known_number}, which is held here")
    if line[position] != known_sha256:
        raise ConfigHistoryDiffers(f"config {config.number} lists another number {known_number} than is held here")
    if config.generated_at < known_generated_at:
        raise ConfigRolledBack(
            f"config {config.number} is of {config.generated_at}, number {known_number} of {known_generated_at}"
        )


def _care(read: JsonMembers) -> Care:
    watch_days = read.integer("watch_days", 1, 14)
    return Care(
        watch_days=watch_days,
        home_days=read.integer("home_days", 0, watch_days),
        isolation_days=read.integer("isolation_days", 1, 21),
        test_from_day=read.integer("test_from_day", 0, watch_days),
        test_places=read.texts("test_places"),
    )


def _neighbours(reads: list[JsonMembers]) -> tuple[Neighbour, ...]:
    found = tuple(_neighbour(read) for read in reads)
    if len(found) > MOST_NEIGHBOURS or len({one.id for one in found}) < len(found):
        raise InvalidConfig(f"{len(found)} neighbours, expected {MOST_NEIGHBOURS} at most, and none twice")
    return found


def _neighbour(read: JsonMembers) -> Neighbour:
    name, address = _by_language(read.inner("name")), read.text("address", _ADDRESS)
    everybody = read.boolean("everybody")
    key = read.text("key", f"{_SHA256}|")
    if key:
        return Neighbour(name, address, everybody, key)
    (pem,) = _export_keys((read.text("export_key"),))
    return Neighbour(name, address, everybody, index=read.text("index", _PATH), export_key=pem)


def _profile(read: JsonMembers) -> Mapping[str, Any]:
    profile = read.mapping("profile")
    return {**profile, "nearness": read.mapping("nearness")} if read.has("nearness") else profile


def _by_language(read: JsonMembers) -> dict[str, str]:
    return {language: read.text(language) for language in LANGUAGES}


def _texts(read: JsonMembers) -> dict[str, str]:
    return {name: read.text(name) for name in (*TEXT_NAMES, *read.other_names(TEXT_NAMES))}


def _venue_keys(read: JsonMembers) -> dict[str, str]:
    keys = {kid: read.text(kid, _SHA256) for kid in read.other_names(())}
    for kid in keys:
        if not _VENUE_KID.fullmatch(kid) or int(kid) > 255:
            raise InvalidConfig(f"venue_keys names a key {kid!r}, expected 0..255")
    return keys


def _export_keys(pems: tuple[str, ...]) -> tuple[str, ...]:
    if not pems:
        raise InvalidConfig("export_keys is empty, so no export could be believed")
    for pem in pems:
        try:
            read_p256_pem(pem)
        except InvalidPublicKey as refused:
            raise InvalidConfig(f"export_keys: {refused}") from None
    return pems


def _week_keys(reads: list[JsonMembers]) -> tuple[WeekKey, ...]:
    keys = tuple(_week_key(read) for read in reads)
    if len({key.kid for key in keys}) < len(keys):
        raise InvalidConfig("two week keys have the same kid")
    return keys


def _week_key(read: JsonMembers) -> WeekKey:
    purpose = read.text("purpose", "|".join(_CLASSES))
    key = WeekKey(
        kid=read.integer("kid", highest=0xFFFF),
        purpose=purpose,  # type: ignore[arg-type]  # one of the three, by the pattern above
        klass=read.integer("klass", *_CLASSES[purpose]),
        week=read.text("week", r"[0-9]{4}-W[0-9]{2}"),
        use_from=read.integer("use_from"),
        accept_until=read.integer("accept_until"),
        announced_at=read.integer("announced_at"),
        n=int(read.text("n", rf"[0-9a-f]{{{MODULUS_BITS // 4}}}"), 16),
        e=read.integer("e", lowest=3),
    )
    if key.n.bit_length() != MODULUS_BITS or not key.n % 2 or not key.e % 2:
        raise InvalidConfig(f"week key {key.kid} is not an RSA key of {MODULUS_BITS} bits")
    if key.accept_until <= key.use_from:
        raise InvalidConfig(f"week key {key.kid} ends before it begins")
    return key
