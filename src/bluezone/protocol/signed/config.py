# SPDX-License-Identifier: Apache-2.0
"""The signed config: the settings of a city for all phones, and how a phone follows the configs' history.

Source: docs/protocol.md section 4 ("RSA keys": week keys, their trust) and section 5 ("History": the config).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from bluezone.protocol.intervals import SECONDS_PER_DAY, week_name
from bluezone.protocol.languages import LANGUAGES
from bluezone.protocol.primitives import InvalidPublicKey, read_p256_pem
from bluezone.protocol.signed.envelope import canonical_json
from bluezone.protocol.signed.members import JsonMembers
from bluezone.refusal import Refused

HISTORY_LENGTH = 50
# A week key given to only one phone would make that phone's certificate recognisable. Phones therefore wait a week
# before they use a key: in this time, comparing configs reveals such a key.
ANNOUNCED_BEFORE_USE_SECONDS = 7 * SECONDS_PER_DAY
MODULUS_BITS = 2048
MOST_NEIGHBOURS = 8
TEXT_NAMES = ("step_1", "step_2", "step_3", "lead", "not_known", "doubt")

_SHA256 = r"[0-9a-f]{64}"
_HOST = r"[^\s/]+"
_ADDRESS = r"https?://[^\s/]+"
_PATH = r"(/[A-Za-z0-9._-]+)+"
_LOG = r"[!-*,-~]{1,200}"
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
# A P-256 point of 65 bytes, which begins with 0x04, in base64url without padding.
_PUSH_KEY = r"B[A-Za-z0-9_-]{86}"
# The year 9999 ends.
_LAST_SECOND = 253_402_300_799
_VENUE_KID = re.compile(r"0|[1-9][0-9]{0,2}")
Purpose = Literal["upload", "gate", "chaff"]
_CLASSES = {"upload": (1, 2), "gate": (0, 0), "chaff": (0, 0)}


class InvalidConfig(Refused):
    """Not a config, or a config in which a required member is missing or out of range."""

    code = "config_invalid"


class ConfigRefused(Refused):
    """A valid config that does not continue the history that this phone has seen."""

    code = "config_refused"


class ConfigRolledBack(ConfigRefused):
    """The number or the time of the config is below that of the phone's current config."""

    code = "config_rolled_back"


class ConfigHistoryDiffers(ConfigRefused):
    """The history of the config lists another config where the phone's is: the server gives phones different ones."""

    code = "config_history_differs"


class ConfigLogMissing(ConfigRefused):
    """The config does not name the public log, although one before it did."""

    code = "config_log_missing"


class ConfigGap(ConfigRefused):
    """The history of the config begins after the phone's current config, so that it cannot be compared."""

    code = "config_gap"


@dataclass(frozen=True, slots=True)
class WeekKey:
    """The public key of an RSA key that signs certificates of one purpose and class in one week.

    kid:          0..65535, unique to this key.
    klass:        1 confirmed test, 2 clinical; 0 for gate and chaff.
    week:         ISO week in UTC, such as "2026-W48".
    use_from, announced_at: Unix seconds.
    accept_until: Unix seconds, 7 days after the end of the week; for gate keys one day after it.
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
    """What the health authority asks a warned person and a patient to do.

    Days are counted from the day of the exposure, and for a patient from the day of the result or the report; that day
    is 0.

    watch_days:     how long a warned person should watch their health, 1..14.
    home_days:      how long of this time a person with a high risk should stay at home, 0..watch_days.
    isolation_days: how long a patient should isolate, 1..21.
    test_from_day:  first day on which a test is useful, 0..watch_days.
    test_places:    where to be tested, one text for each place: name, address, hours, telephone number.
    """

    watch_days: int = 14
    home_days: int = 10
    isolation_days: int = 14
    test_from_day: int = 5
    test_places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another city, or an Exposure Notification server of another maker, that phones of this city may follow.

    name:       by language, "vi" and "en".
    address:    where phones fetch its files, `https://host[:port]`.
    everybody:  whether every phone follows it, or only phones with owners who chose it.
    key:        public key of another city (Ed25519, hex), from which all trust in that city follows.
    index:      on another maker's server, the path of the list of its files, one name in each line.
    export_key: PEM of the P-256 key that signs those files.
    Either `key` or `index` and `export_key` are set; the others are "".
    """

    name: Mapping[str, str]
    address: str
    everybody: bool = False
    key: str = ""
    index: str = ""
    export_key: str = ""

    @property
    def id(self) -> str:
        """Identity of the neighbour on a phone, 16 hex digits; another key or address makes another identity."""
        identity = "\0".join((self.address, self.key, self.index, self.export_key))
        return hashlib.sha256(identity.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a city for all phones.

    number:       1 for the first config, one more for each later config.
    generated_at: Unix seconds.
    history:      SHA-256 (hex) of the payloads of the 50 configs before this one, oldest first.
    city, texts:  by language, "vi" and "en"; texts have at least TEXT_NAMES.
    hotline:      the health hotline, never empty.
    profile:      the disease profile, for bluezone.protocol.risk.assessment.parse_profile.
    export_keys:  PEM of the P-256 keys that sign trusted export files.
    waits:        verify_to_upload_seconds, web_minimum_seconds, and hold_seconds except in older configs.
    venue_keys:   raw Ed25519 public keys (hex) of venue codes by their number, "0".."255"; none in older configs.
    push_key:     public key of Web Push (uncompressed P-256 point, base64url), None without Web Push.
    national_hotline: the ministry's number, shown next to the city's own; None in older configs.
    reciprocity:  whether phones send and store reciprocity frames; true in older configs.
    recovery_key: raw Ed25519 public key (hex) that signs new epochs, None if the city has none.
    epochs:       the signed record (base64) of each epoch, oldest first; see signed/epoch.py.
    witnesses:    the record (base64) of each change of the log's witnesses, oldest first; see transparency/watch.py.
    care:         what people should do, and for how long; the defaults in older configs.
    neighbours:   other servers that a phone may also follow; at most MOST_NEIGHBOURS.
    log:          name of the public log that phones read; None in older configs.
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
    log: str | None = None


def encode_config(config: Config) -> bytes:
    """Return the payload to sign: canonical JSON, with moduli in hex, because browsers cannot read long numbers."""
    # Not `asdict`, which copies profile and texts, too: a server compares its config with the settings at each tick.
    members = {member.name: getattr(config, member.name) for member in fields(config)}
    members["week_keys"] = [{**asdict(key), "n": f"{key.n:x}"} for key in config.week_keys]
    members["care"] = asdict(config.care)
    members["neighbours"] = [asdict(neighbour) for neighbour in config.neighbours]
    # Without these members, the payload is the same as in earlier versions.
    for name in ("recovery_key", "epochs", "witnesses", "neighbours", "log"):
        if not members[name]:
            del members[name]
    # Phones of 0.1.0 refuse a profile that contains `nearness`, so this table is written next to the profile.
    if {"weights", "nearness"} <= members["profile"].keys():
        members["profile"] = dict(members["profile"])
        members["nearness"] = members["profile"].pop("nearness")
    return canonical_json(members)


def decode_config(payload: bytes) -> Config:
    """Read a payload that `open_signed` returned. Raises InvalidConfig."""
    members = JsonMembers.parse(payload, InvalidConfig)
    history = members.texts("history", _SHA256)
    if len(history) > HISTORY_LENGTH:
        raise InvalidConfig(f"history holds {len(history)} hashes, expected at most {HISTORY_LENGTH}")
    waits = members.nested("waits")
    return Config(
        number=members.integer("number", lowest=1),
        generated_at=members.integer("generated_at"),
        history=history,
        city=_by_language(members.nested("city")),
        zone=members.text("zone", r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*"),
        public_host=members.text("public_host", _HOST),
        office_host=members.text("office_host", _HOST),
        hotline=members.text("hotline"),
        profile=_profile(members),
        week_keys=_week_keys(members.nested_list("week_keys")),
        export_keys=_export_keys(members.texts("export_keys")),
        declaration_key=members.text_or_none("declaration_key"),
        limits=members.mapping("limits"),
        waits={
            name: waits.integer(name)
            for name in ("verify_to_upload_seconds", "web_minimum_seconds", "hold_seconds")
            if name != "hold_seconds" or waits.has(name)
        },
        poll_seconds=members.integer("poll_seconds"),
        texts={language: _texts(members.nested("texts").nested(language)) for language in LANGUAGES},
        venue_keys=_venue_keys(members.nested("venue_keys")) if members.has("venue_keys") else {},
        push_key=members.text("push_key", _PUSH_KEY) if members.has("push_key") else None,
        national_hotline=members.text_or_none("national_hotline"),
        reciprocity=members.boolean("reciprocity") if members.has("reciprocity") else True,
        recovery_key=members.text("recovery_key", _SHA256) if members.has("recovery_key") else None,
        epochs=members.texts("epochs", _BASE64) if members.has("epochs") else (),
        witnesses=members.texts("witnesses", _BASE64) if members.has("witnesses") else (),
        care=_care(members.nested("care")) if members.has("care") else Care(),
        neighbours=_neighbours(members.nested_list("neighbours")) if members.has("neighbours") else (),
        log=members.text("log", _LOG) if members.has("log") else None,
    )


def follow_config(
    config: Config, payload_sha256: str, known_number: int, known_sha256: str, known_generated_at: int
) -> None:
    """Check that `config` continues the config that this phone has.

    payload_sha256, known_sha256: SHA-256 (hex) of the two payloads. known_generated_at: Unix seconds of the phone's
    config. Raises ConfigRolledBack, ConfigHistoryDiffers or ConfigGap; the phone then keeps its config.
    """
    if config.number < known_number:
        raise ConfigRolledBack(f"config has number {config.number}, expected at least {known_number}")
    hashes = (*config.history, payload_sha256)
    position = len(hashes) - 1 - (config.number - known_number)
    if position < 0:
        raise ConfigGap(f"config {config.number} lists no hash of config {known_number}, which this phone has")
    if hashes[position] != known_sha256:
        raise ConfigHistoryDiffers(
            f"config {config.number} lists another hash of config {known_number} than this phone has"
        )
    if config.generated_at < known_generated_at:
        raise ConfigRolledBack(
            f"config {config.number} is of {config.generated_at}, but config {known_number} of {known_generated_at}"
        )


def _care(members: JsonMembers) -> Care:
    watch_days = members.integer("watch_days", 1, 14)
    return Care(
        watch_days=watch_days,
        home_days=members.integer("home_days", 0, watch_days),
        isolation_days=members.integer("isolation_days", 1, 21),
        test_from_day=members.integer("test_from_day", 0, watch_days),
        test_places=members.texts("test_places"),
    )


def _neighbours(entries: list[JsonMembers]) -> tuple[Neighbour, ...]:
    neighbours = tuple(_neighbour(entry) for entry in entries)
    if len(neighbours) > MOST_NEIGHBOURS or len({neighbour.id for neighbour in neighbours}) < len(neighbours):
        raise InvalidConfig(f"{len(neighbours)} neighbours, expected at most {MOST_NEIGHBOURS}, all different")
    return neighbours


def _neighbour(members: JsonMembers) -> Neighbour:
    name = _by_language(members.nested("name"))
    address = members.text("address", _ADDRESS)
    everybody = members.boolean("everybody")
    key = members.text("key", f"{_SHA256}|")
    if key:
        return Neighbour(name, address, everybody, key)
    (pem,) = _export_keys((members.text("export_key"),))
    return Neighbour(name, address, everybody, index=members.text("index", _PATH), export_key=pem)


def _profile(members: JsonMembers) -> Mapping[str, Any]:
    profile = members.mapping("profile")
    if not members.has("nearness"):
        return profile
    return {**profile, "nearness": members.mapping("nearness")}


def _by_language(members: JsonMembers) -> dict[str, str]:
    return {language: members.text(language) for language in LANGUAGES}


def _texts(members: JsonMembers) -> dict[str, str]:
    return {name: members.text(name) for name in (*TEXT_NAMES, *members.other_names(TEXT_NAMES))}


def _venue_keys(members: JsonMembers) -> dict[str, str]:
    keys = {kid: members.text(kid, _SHA256) for kid in members.other_names(())}
    for kid in keys:
        if not _VENUE_KID.fullmatch(kid) or int(kid) > 255:
            raise InvalidConfig(f"venue_keys has a key with the number {kid!r}, expected 0..255")
    return keys


def _export_keys(pems: tuple[str, ...]) -> tuple[str, ...]:
    if not pems:
        raise InvalidConfig("export_keys is empty, so no export could be verified")
    for pem in pems:
        try:
            read_p256_pem(pem)
        except InvalidPublicKey as refused:
            raise InvalidConfig(f"export_keys: {refused}") from None
    return pems


def _week_keys(entries: list[JsonMembers]) -> tuple[WeekKey, ...]:
    keys = tuple(_week_key(entry) for entry in entries)
    if len({key.kid for key in keys}) < len(keys):
        raise InvalidConfig("two week keys have the same kid")
    if len({(key.purpose, key.klass, key.week) for key in keys}) < len(keys):
        raise InvalidConfig("two week keys are for the same purpose, class and week")
    return keys


def _week_key(members: JsonMembers) -> WeekKey:
    purpose = members.text("purpose", "|".join(_CLASSES))
    key = WeekKey(
        kid=members.integer("kid", highest=0xFFFF),
        purpose=purpose,  # type: ignore[arg-type]  # one of the three, by the pattern above
        klass=members.integer("klass", *_CLASSES[purpose]),
        week=members.text("week", r"[0-9]{4}-W[0-9]{2}"),
        use_from=members.integer("use_from", highest=_LAST_SECOND),
        accept_until=members.integer("accept_until"),
        announced_at=members.integer("announced_at"),
        n=int(members.text("n", rf"[0-9a-f]{{{MODULUS_BITS // 4}}}"), 16),
        e=members.integer("e", lowest=3),
    )
    if key.n.bit_length() != MODULUS_BITS or not key.n % 2 or not key.e % 2:
        raise InvalidConfig(f"week key {key.kid} is not an RSA key of {MODULUS_BITS} bits")
    if key.week != week_name(key.use_from):
        raise InvalidConfig(f"week key {key.kid} is used from another week than {key.week}")
    if key.accept_until <= key.use_from:
        raise InvalidConfig(f"week key {key.kid} is accepted until a time before its first use")
    return key
