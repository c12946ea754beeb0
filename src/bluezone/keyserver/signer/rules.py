# SPDX-License-Identifier: Apache-2.0
"""What a signer signs and what it refuses.

It checks format, continuity with what was signed last, closed windows, embargo and plausible counts. A config that only
brings new week keys is signed at once. Every other change of the config needs two persons, who each sign its digest
with their own key. Source: docs/adr/0022-signer.md.
"""

import hashlib
import json
import threading
import tomllib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from bluezone.city_settings import FILE_NAME, load_city
from bluezone.keyserver.configs.configfiles import comparable_members
from bluezone.keyserver.keys.keyfolder import ApprovalMissing, SigningKeys, SigningRefused, signature_info
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.publication.embargo import newest_published_day, oldest_published_day
from bluezone.keyserver.signer.record import Line, Record, RecordContent
from bluezone.protocol.exports.files import read_export, verify_export
from bluezone.protocol.exports.writer import sign_export, zip_export
from bluezone.protocol.intervals import SECONDS_PER_HOUR, SECONDS_PER_WEEK, first_interval, week_start
from bluezone.protocol.keys import INTERVALS_PER_KEY
from bluezone.protocol.primitives import read_p256_pem
from bluezone.protocol.signed.config import Config, WeekKey, decode_config
from bluezone.protocol.signed.envelope import canonical_json, fingerprint, open_signed
from bluezone.protocol.signed.epoch import open_epoch
from bluezone.protocol.signed.index import EXPORTS, VENUES, Index, chain_heads, chain_value, decode_index
from bluezone.refusal import Refused
from bluezone.transparency.merkle import verify_consistency
from bluezone.transparency.notes import log_key, read_checkpoint, read_hashes

SETTINGS_NAME = "signer.toml"
APPROVAL_KIND = "approval"
CONFIG = "config"
HEAD = "head"
EXPORT = "export"
# Two kinds of the public log: its checkpoints, and the journal's lines about its leaves.
CHECKPOINT = "checkpoint"
LEAVES = "leaves"
# All kinds that are signed, or shown as signed elsewhere.
KINDS = frozenset({CONFIG, EXPORTS, VENUES, HEAD, LEAVES, CHECKPOINT, EXPORT})
PERSONS = 2
# How far in the future a file may be dated.
_AHEAD_SECONDS = 120
_AS_IN_CITY = ("embargo_seconds", "publish_period_seconds", "hold_seconds")
_PREFIX = b"BZ-SIGNED-v1\0"


class SignerSettingsInvalid(Refused):
    """`signer.toml` has an unknown setting, or a value out of range."""

    code = "signer_settings_invalid"


@dataclass(frozen=True)
class Limits:
    """What is plausible in one city.

    embargo_seconds, publish_period_seconds: as in city.toml. hold_seconds: its hold_hours in seconds.
    most_keys_a_file: keys of one period, random ones included; a file after a hold or an outage contains several
    periods.
    slip_certificates_a_day: certificates for slips that are signed on every day; more if the last 14 days had many.
    book_makers: public keys (hex), one of which must have signed the lists of code books; without any there are none.
    most_certificates_an_hour: blind signatures for reports; rehearsals and tokens do not count.
    approvers: public keys (hex). A changed config needs approvals by two of these keys; if empty, it needs none.
    token: settings of the token with the city key and the export key (signer/token.py); empty if they are in files.
    """

    embargo_seconds: int = 7200
    publish_period_seconds: int = 7200
    hold_seconds: int = 0
    most_keys_a_file: int = 50_000
    most_certificates_an_hour: int = 5000
    slip_certificates_a_day: int = 50
    approvers: tuple[str, ...] = ()
    book_makers: tuple[str, ...] = ()
    token: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, city_folder: Path) -> "Limits":
        """Read `signer.toml` in the signer's folder; defaults are from city.toml, if that is available.

        Raises SignerSettingsInvalid, CityInvalid.
        """
        values: dict[str, Any] = {}
        if (city_folder / FILE_NAME).exists():
            city = load_city(city_folder)
            values = {name: getattr(city, name) for name in _AS_IN_CITY}
        path = folder / SETTINGS_NAME
        if path.exists():
            try:
                values |= tomllib.loads(path.read_text("utf-8"))
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise SignerSettingsInvalid(f"{SETTINGS_NAME} cannot be read: {error}") from None
        approvers = _public_keys("approvers", values.pop("approvers", []))
        book_makers = _public_keys("book_makers", values.pop("book_makers", []))
        token = values.pop("token", {})
        numbers = {setting.name for setting in fields(cls)} - {"approvers", "book_makers", "token"}
        wrong = [name for name, value in values.items() if name not in numbers or type(value) is not int or value < 0]
        if wrong:
            raise SignerSettingsInvalid(f"{SETTINGS_NAME}: {wrong[0]} is unknown, or not a number from 0")
        if len(approvers) == 1:
            raise SignerSettingsInvalid(f"{SETTINGS_NAME}: approvers must be empty, or two or more keys of 32 bytes")
        if not isinstance(token, dict):
            raise SignerSettingsInvalid(f"{SETTINGS_NAME}: token must be a table of module, label and pin_file")
        return cls(**values, approvers=approvers, book_makers=book_makers, token=token)


def _public_keys(name: str, texts: Any) -> tuple[str, ...]:
    """The public keys of a setting, sorted, each once. Raises SignerSettingsInvalid."""
    try:
        keys = {bytes.fromhex(text).hex() for text in texts}
    except (TypeError, ValueError):
        raise SignerSettingsInvalid(f"{SETTINGS_NAME}: {name} is not a list of public keys in hex") from None
    if any(len(key) != 64 for key in keys):
        raise SignerSettingsInvalid(f"{SETTINGS_NAME}: {name} must be a list of keys of 32 bytes")
    return tuple(sorted(keys))


class Signer:
    """The signer of one city, usable from any thread.

    record: what it has signed so far. clock: returns Unix seconds.
    on_old_record: called when a file shows that the record is older than what this city has signed.
    Every method raises SigningRefused if the rules do not allow the request; then nothing has changed.
    """

    def __init__(
        self,
        keys: SigningKeys,
        record: Record,
        limits: Limits,
        clock: Callable[[], float],
        on_old_record: Callable[[], object] = lambda: None,
    ) -> None:
        self._on_old_record = on_old_record
        self._keys = keys
        self._record = record
        self._limits = limits
        self._clock = clock
        self._public = keys.signing_key.public_key().public_bytes_raw()
        self._certificate_counts: deque[tuple[float, int]] = deque()
        self._certificates_within_hour = 0
        self._lock = threading.Lock()
        self._waiting: dict[str, bytes] = {}
        # Shown to approvers for comparison; the rules use only its hash.
        self._current_config = b"{}"

    @property
    def week_keys(self) -> WeekKeyRing:
        """The week keys, which change only by the signer's own clock."""
        return self._keys.week_keys

    @property
    def city_key(self) -> bytes:
        """The city's public key, 32 bytes."""
        return self._public

    def certifying_key(self, kid: int) -> WeekKey | None:
        """The week key that `kid` names if certificates of reports are signed with it now."""
        key = self.week_keys.find_key(kid)
        return key if key and key.purpose == "upload" and _may_sign_blind(key, self._clock()) else None

    def public_halves(self) -> dict[str, str]:
        """The public city key (hex) and export key (PEM)."""
        return {"signing": self._public.hex(), "export": self._keys.export_public_pem}

    def rotate_week_keys(self) -> None:
        """Make missing week keys and erase expired ones, by the signer's clock."""
        with self._record.turn():
            self.week_keys.rotate_week_keys(self._clock())

    def note_kids(self, kids: list[int]) -> None:
        """Reserve numbers from a config, so that no new key gets one of them."""
        if len(kids) > 1000 or any(type(kid) is not int or not 0 <= kid <= 0xFFFF for kid in kids):
            raise SigningRefused("numbers of week keys are 0 to 65,535")
        with self._record.turn():
            self.week_keys.note_kids(kids)

    def blind_sign(self, kid: int, blinded: list[bytes]) -> list[bytes]:
        """Sign blinded messages with a week key that is valid now; for reports, only a plausible number an hour."""
        key = self.week_keys.find_key(kid)
        now = self._clock()
        if key is None or not _may_sign_blind(key, now):
            raise SigningRefused(f"week key {kid} is missing, or not valid now")
        if any(int.from_bytes(message, "big") >= key.n for message in blinded):
            raise SigningRefused("a blinded message is not below the modulus")
        if key.purpose == "upload":
            self._count_certificates(len(blinded), now)
        return self.week_keys.blind_sign(kid, blinded)

    def takes_certificates(self) -> bool:
        """Whether one more certificate is plausible within this hour."""
        with self._lock:
            self._forget_past_hour(self._clock())
            return self._certificates_within_hour < self._limits.most_certificates_an_hour

    def _forget_past_hour(self, now: float) -> None:
        while self._certificate_counts and self._certificate_counts[0][0] <= now - SECONDS_PER_HOUR:
            self._certificates_within_hour -= self._certificate_counts.popleft()[1]

    def _count_certificates(self, count: int, now: float) -> None:
        with self._lock:
            self._forget_past_hour(now)
            if self._certificates_within_hour + count > self._limits.most_certificates_an_hour:
                raise SigningRefused(f"over {self._limits.most_certificates_an_hour} certificates within an hour")
            self._certificates_within_hour += count
            # One entry per second, so a busy hour has a few thousand.
            if self._certificate_counts and self._certificate_counts[-1][0] == int(now):
                count += self._certificate_counts.pop()[1]
            self._certificate_counts.append((int(now), count))

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes, of a checkpoint or of a message that `sign_payload` made.

        Such a message contains a config, an index, or a line of the journal. After the three lines of a checkpoint come
        the hashes that prove that it continues the one signed last (transparency/merkle.py, `verify_consistency`).
        """
        kind = kind_of_message(message)
        if kind == CHECKPOINT:
            text, proof = _split_checkpoint(message)
            with self._record.turn() as signed:
                self._note(signed, self._checkpoint_line(text, proof, signed))
            return self._keys.signing_key.sign(text)
        _, separator, payload = message.removeprefix(_PREFIX).partition(b"\0")
        if not separator:
            raise SigningRefused("only signed files of known kinds are signed")
        with self._record.turn() as signed:
            if kind == CONFIG:
                self._note(signed, self._config_line(payload, signed))
            elif kind in (EXPORTS, VENUES):
                self._note(signed, self._index_line(kind, payload, signed))
            elif kind == HEAD:
                _check_head(payload, signed)
            elif kind == LEAVES:
                _check_leaves(payload)
            else:
                raise SigningRefused("only configs, indexes and heads are signed")
        return self._keys.signing_key.sign(message)

    def log_size(self) -> int:
        """How many leaves the checkpoint signed last has; 0 before the first."""
        with self._record.turn() as signed:
            return int(signed.last.get(CHECKPOINT, {"size": 0})["size"])

    def last_signed(self) -> dict[str, Line]:
        """The head of each index that was signed last."""
        with self._record.turn() as signed:
            return {
                kind: {name: signed.last[kind][name] for name in ("epoch", "number", "chain")}
                for kind in (EXPORTS, VENUES)
                if kind in signed.last
            }

    def _checkpoint_line(self, text: bytes, proof: tuple[bytes, ...], signed: RecordContent) -> Line:
        """The record's line about a checkpoint. Its log must begin with all of the log signed last."""
        try:
            checkpoint = read_checkpoint(text)
        except Refused:
            raise SigningRefused("only signed files of known kinds and checkpoints are signed") from None
        if checkpoint.origin != log_key(self._public).name:
            raise SigningRefused("the checkpoint is of another log")
        last = signed.last.get(CHECKPOINT)
        if last:
            try:
                verify_consistency(last["size"], bytes.fromhex(last["root"]), checkpoint.size, checkpoint.root, proof)
            except Refused as refused:
                raise SigningRefused(refused.message) from None
        return {"kind": CHECKPOINT, "size": checkpoint.size, "root": checkpoint.root.hex()}

    def _note(self, signed: RecordContent, line: Line) -> None:
        if {**signed.last.get(line["kind"], {}), **line} != signed.last.get(line["kind"]):
            self._record.append(line)

    def sign_export(self, export_bin: bytes) -> bytes:
        """The signature, in DER, of an export with a closed window after the last one, and no key under embargo."""
        digest = hashlib.sha256(export_bin).hexdigest()
        with self._record.turn() as signed:
            if digest in signed.exports:
                return bytes.fromhex(signed.exports[digest]["signature"])
            end = self._check_export(export_bin, signed)
            signature = sign_export(export_bin, self._keys.export_key)
            file = hashlib.sha256(zip_export(export_bin, signature, self._info())).hexdigest()
            line = {"kind": EXPORT, "end": end, "sha256": digest, "signature": signature.hex(), "files": [file]}
            self._record.append(line)
        return signature

    def _info(self) -> Any:
        return signature_info(self._keys.export_key.public_key())

    def _check_export(self, export_bin: bytes, signed: RecordContent) -> int:
        if export_bin.startswith(b"PK"):
            raise SigningRefused("an export is signed before it is packed")
        try:
            export = read_export(export_bin)
        except Refused as refused:
            raise SigningRefused(f"not an export: {refused.message}") from None
        now = self._clock()
        end = export.end_timestamp
        columns = export.columns
        period = self._limits.publish_period_seconds
        last = signed.last.get(EXPORT)
        if (export.batch_num, export.batch_size, export.signature_infos) != (1, 1, (self._info(),)):
            raise SigningRefused("the export names another key, or is one of several parts")
        if len(export.revised_columns):
            raise SigningRefused("the export revises keys")
        if not export.start_timestamp < end <= now or (period and end % period):
            raise SigningRefused(f"the window {export.start_timestamp} to {end} is not over, or not one of this city")
        if last and end <= last["end"]:
            raise SigningRefused(f"a window that ends at {last['end']} was signed already")
        hold = self._limits.hold_seconds
        most = self._limits.most_keys_a_file * self._periods_of(end, last)
        if len(columns) > most:
            raise SigningRefused(f"{len(columns)} keys in one file, at most {most} are plausible")
        embargo = self._limits.embargo_seconds
        newest = first_interval(newest_published_day(now, embargo))
        # An interrupted file contains the keys that were due when it was started.
        oldest = first_interval(oldest_published_day(newest_published_day(end, embargo), hold))
        are_days_allowed = all(oldest <= start <= newest for start in columns.starts)
        if not are_days_allowed or any(length != INTERVALS_PER_KEY for length in columns.periods):
            raise SigningRefused("a key is under embargo, or older than any that is published")
        return end

    def _periods_of(self, end: int, last: Line | None) -> int:
        """How many periods of keys a file may contain: those of a hold, or those since the last signed file."""
        period = self._limits.publish_period_seconds
        if not period:
            return 1
        since = end - last["end"] if last else 0
        return max(self._limits.hold_seconds // period, since // period, 1)

    # Configs

    def _config_line(self, payload: bytes, signed: RecordContent, seen: bool = False) -> Line:
        """The record's line about a config. seen: it was signed before, perhaps by another signer of this city."""
        try:
            config = decode_config(payload)
        except Refused as refused:
            raise SigningRefused(f"not a config: {refused.message}") from None
        last = signed.last.get(CONFIG)
        digest = hashlib.sha256(payload).hexdigest()
        content_digest = _digest(payload)
        line: Line = {
            "kind": CONFIG, "number": config.number, "sha256": digest, "said": content_digest,
            "generated_at": config.generated_at, "epochs": list(config.epochs), "recovery_key": config.recovery_key,
            "week_keys": {str(key.kid): _key_digest(key) for key in config.week_keys},
        }  # fmt: skip
        if last and (config.number, digest) == (last["number"], last["sha256"]):
            # Signed already; approvers of the next config compare it with this one.
            self._current_config = payload
            return line
        if seen:
            return line
        now = self._clock()
        if config.generated_at > now + _AHEAD_SECONDS:
            raise SigningRefused("the config says a time that is to come")
        self._check_week_keys(config, last)
        if last:
            begins = _begins_epoch(config, last)
            if not begins and (config.number != last["number"] + 1 or config.history[-1:] != (last["sha256"],)):
                raise SigningRefused(f"config {config.number} does not follow number {last['number']}, the last signed")
            if config.generated_at < last["generated_at"]:
                raise SigningRefused("the config is dated earlier than the one before it")
            if content_digest != last["said"] and not begins:
                self._require_approval(content_digest, payload, signed)
        with self._lock:
            self._waiting.pop(content_digest, None)
            self._current_config = payload
        return line

    def _check_week_keys(self, config: Config, last: Line | None) -> None:
        if config.export_keys != (self._keys.export_public_pem,):
            raise SigningRefused("the config does not name exactly the signer's export key")
        previous = last["week_keys"] if last else {}
        for key in config.week_keys:
            if key != self.week_keys.find_key(key.kid) and previous.get(str(key.kid)) != _key_digest(key):
                raise SigningRefused(f"the config announces a week key {key.kid} that the signer does not have")

    def _require_approval(self, content_digest: str, payload: bytes, signed: RecordContent) -> None:
        if not self._limits.approvers:
            return
        names = {fingerprint(bytes.fromhex(key)) for key in self._limits.approvers}
        if len(signed.approved.get(content_digest, set()) & names) >= PERSONS:
            return
        with self._lock:
            if len(self._waiting) < 16:
                self._waiting[content_digest] = payload
        raise ApprovalMissing(f"the config has changed; {PERSONS} persons must approve it first: {content_digest}")

    def waiting_configs(self) -> dict[str, tuple[str, str]]:
        """The configs that wait for approval, by the digest to approve: the current config and the new one, as JSON."""
        with self._lock:
            return {
                digest: (self._current_config.decode(), payload.decode()) for digest, payload in self._waiting.items()
            }

    def approve(self, approval: bytes) -> None:
        """Note an approval: a file of kind `approval` with the digest of a waiting config, by an approver's key."""
        trusted = {fingerprint(bytes.fromhex(key)): bytes.fromhex(key) for key in self._limits.approvers}
        try:
            payload = json.loads(open_signed(APPROVAL_KIND, approval, trusted))
            digest = str(payload["said"])
            by = json.loads(approval)["kid"]
        except (Refused, ValueError, KeyError, TypeError):
            raise SigningRefused("not an approval by a key that signer.toml names") from None
        with self._lock:
            if digest not in self._waiting:
                raise SigningRefused("no config with this digest waits for approval")
        with self._record.turn() as signed:
            if by not in signed.approved.get(digest, set()):
                self._record.append({"kind": APPROVAL_KIND, "said": digest, "by": by, "at": int(self._clock())})

    # Indexes

    def _index_line(self, kind: str, payload: bytes, signed: RecordContent, seen: bool = False) -> Line:
        try:
            index = decode_index(payload)
        except Refused as refused:
            raise SigningRefused(f"not an index: {refused.message}") from None
        if index.kind != kind:
            raise SigningRefused("the index contains another kind than its signature names")
        last = signed.last.get(kind)
        config = signed.last.get(CONFIG)
        line: Line = {
            "kind": kind, "number": index.number, "chain": chain_value(index, index.number).hex(),
            "generated_at": index.generated_at, "epoch": index.epoch,
        }  # fmt: skip
        if kind == EXPORTS:
            known = signed.files
            new = [entry.sha256 for entry in (*index.earlier, *index.entries) if entry.sha256 not in known]
            if new and last and not seen:
                raise SigningRefused(f"the index lists a file {new[0][:16]}… that the signer did not sign")
            if new:
                line["files"] = new
        if seen:
            return line
        if index.generated_at > self._clock() + _AHEAD_SECONDS:
            raise SigningRefused("the index says a time that is to come")
        if config and config["sha256"] != index.config_sha256:
            raise SigningRefused("the index names another config than the last one signed")
        if last:
            self._check_follows(index, last, config)
        return line

    @staticmethod
    def _check_follows(index: Index, last: Line, config: Line | None) -> None:
        if index.generated_at < last["generated_at"]:
            raise SigningRefused("the index is dated earlier than the one before it")
        if index.epoch != last["epoch"]:
            if config is None or index.epoch != len(config["epochs"]) or index.epoch < last["epoch"]:
                raise SigningRefused(f"the index is of epoch {index.epoch}, which no config has opened")
            branch = open_epoch(config["epochs"][-1], bytes.fromhex(config["recovery_key"])).branch(index.kind)
            if index.number < branch.first - 1 or chain_heads(index).get(branch.first - 1, branch.head) != branch.head:
                raise SigningRefused("the index does not continue where its epoch begins")
            return
        if index.number < last["number"]:
            raise SigningRefused(f"the index ends with number {index.number}, the last signed with {last['number']}")
        # If the chain of an index does not contain the head signed last, its history may be another one.
        if index.first_number - 1 > last["number"]:
            raise SigningRefused(
                f"the index begins with number {index.first_number} and no longer reaches {last['number']},"
                " the last signed"
            )
        if chain_value(index, last["number"]).hex() != last["chain"]:
            raise SigningRefused("the index lists other files than were signed under these numbers")
        listed = [entry.sha256 for entry in (*index.earlier, *index.entries)]
        if len(set(listed)) < len(listed):
            raise SigningRefused("the index lists a file twice")

    def catch_up(self, kind: str, file: bytes) -> None:
        """Note a file that was signed with this city's keys elsewhere: on another host, or before there was a signer.

        kind: config, exports or venues for a signed file; export for a packed export.
        """
        if kind == EXPORT:
            self._catch_up_export(file)
            return
        try:
            payload = open_signed(kind, file, {fingerprint(self._public): self._public})
        except Refused as refused:
            raise SigningRefused(f"not a file of this city: {refused.message}") from None
        with self._record.turn() as signed:
            last = signed.last.get(kind)
            if kind == CONFIG:
                line = self._config_line(payload, signed, seen=True)
            elif kind in (EXPORTS, VENUES):
                line = self._index_line(kind, payload, signed, seen=True)
            else:
                raise SigningRefused("only a config, an index or an export can be noted as signed elsewhere")
            if last and (line["generated_at"] < last["generated_at"] or line["number"] <= last["number"]):
                return
            # Before the line: after a crash the file is shown again, and must have this effect again.
            self._on_old_record()
            self._record.append(line)
            if kind == CONFIG:
                self._current_config = payload

    def _catch_up_export(self, file: bytes) -> None:
        try:
            export = read_export(file)
        except Refused as refused:
            raise SigningRefused(f"not an export: {refused.message}") from None
        if verify_export(export, read_p256_pem(self._keys.export_public_pem)) != "verified":
            raise SigningRefused("not an export of this city")
        digest = hashlib.sha256(file).hexdigest()
        with self._record.turn() as signed:
            if digest not in signed.files:
                self._record.append({"kind": "seen", "files": [digest]})


def kind_of_message(message: bytes) -> str:
    """The kind of a message to be signed. A checkpoint is plain text; all other messages contain their kind."""
    if not message.startswith(_PREFIX):
        return CHECKPOINT
    kind = message.removeprefix(_PREFIX).partition(b"\0")[0].decode("ascii", "replace")
    # A message with this prefix is not a checkpoint.
    return "" if kind == CHECKPOINT else kind


def _split_checkpoint(message: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The text of a checkpoint, and the hashes of the proof after it."""
    lines = message.split(b"\n")
    text = b"".join(line + b"\n" for line in lines[:3])
    try:
        return text, read_hashes([line.decode() for line in lines[3:-1]])
    except (Refused, UnicodeDecodeError):
        raise SigningRefused("the proof after a checkpoint does not consist of hashes") from None


def _may_sign_blind(key: WeekKey, now: float) -> bool:
    """Whether a key may sign blind now: for tokens, that of this or the next week; for certificates, this or the last.

    The key of random packets always may.
    """
    if key.purpose == "chaff":
        return True
    this_week = week_start(now)
    if key.purpose == "gate":
        return key.use_from in (this_week, this_week + SECONDS_PER_WEEK)
    return key.use_from in (this_week, this_week - SECONDS_PER_WEEK)


def _begins_epoch(config: Config, last: Line) -> bool:
    """Whether a config opens an epoch that the recovery key (on paper) has signed."""
    records = list(config.epochs)
    if records[:-1] != last["epochs"] or not last["recovery_key"] or not records:
        return False
    try:
        epoch = open_epoch(records[-1], bytes.fromhex(last["recovery_key"]))
    except Refused:
        return False
    return bool(config.number == epoch.config.first > last["number"])


def _digest(payload: bytes) -> str:
    """SHA-256 (hex) of a config without its week keys and without the members that change with each number."""
    members = comparable_members(payload)
    members.pop("week_keys", None)
    return hashlib.sha256(canonical_json(members)).hexdigest()


def _key_digest(key: WeekKey) -> str:
    return hashlib.sha256(canonical_json(asdict(key) | {"n": f"{key.n:x}"})).hexdigest()


def _check_leaves(payload: bytes) -> None:
    """Check a line of the journal with leaves of the public log: phones cannot mistake it for another signed file."""
    batch = json.loads(payload)
    if (
        not isinstance(batch, dict)
        or set(batch) != {"first", "leaves"}
        or type(batch["first"]) is not int
        or not all(isinstance(leaf, str) for leaf in batch["leaves"])
    ):
        raise SigningRefused("not leaves of the public log")


def _check_head(payload: bytes, signed: RecordContent) -> None:
    try:
        head = json.loads(payload)
        last = signed.last[head["kind"]]
        same = all(head[name] == last[name] for name in ("number", "chain", "epoch", "generated_at"))
    except (ValueError, KeyError, TypeError):
        same = False
    if not same or set(head) != {"kind", "number", "chain", "epoch", "generated_at"}:
        raise SigningRefused("the head is not that of the index signed last")
