# SPDX-License-Identifier: Apache-2.0
"""Compare what the store knows with what was published, before anything is signed.

A store that was restored from a backup, promoted from a lagging copy or copied by hand lacks files that phones have.
The server adopts them from where they were published, if its own keys signed them. If that fails, nothing is signed
until an operator opens a new epoch with the recovery key (docs/protocol.md section 5, "Epochs").
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bluezone.keyserver.codes.issued_codes import Codes
from bluezone.keyserver.configs.configfiles import KIND as CONFIG_KIND
from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.configs.configuration import ConfigWriter
from bluezone.keyserver.keys.keyfolder import SigningKeys
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.publication.adoption import Adoption, HistoryForked
from bluezone.keyserver.publication.folder import NAME_DIGITS, LocalFiles, PublishedCopy, PublishedFiles
from bluezone.keyserver.publication.indexes import Indexes
from bluezone.keyserver.publication.log.journal import Journal
from bluezone.keyserver.publication.series import (
    ALL_SERIES,
    CONFIGS_FOLDER,
    EXPORT_FILES,
    VENUE_PACKAGES,
    Series,
)
from bluezone.keyserver.storage.store import Store, StoreRefused
from bluezone.logs import event_fields
from bluezone.protocol.intervals import SECONDS_PER_HOUR
from bluezone.protocol.signed.config import HISTORY_LENGTH, Config, InvalidConfig, decode_config
from bluezone.protocol.signed.envelope import (
    CHAIN_START,
    InvalidSignedFile,
    extend_chain,
    fingerprint,
    open_signed,
)
from bluezone.protocol.signed.epoch import CONFIG, Branch, Epoch, open_epoch
from bluezone.protocol.signed.index import Index, IndexEntry, chain_heads
from bluezone.refusal import Refused
from bluezone.transparency.leaves import read_heads

logger = logging.getLogger(__name__)

# This file marks a data folder that was restored and has not been compared with anything outside it yet.
UNCHECKED_FILE = "history.unchecked"
# The files of a new epoch begin at the next multiple of this number. No file that was published without our knowledge
# has so high a number, and an epoch reaches the multiple after that only in 22 years.
EPOCH_STRIDE = 100_000
# What indexes and the journal say about a series: for each, its epoch and its chain values (hex) by file number.
KnownHeads = list[tuple[int, dict[int, str]]]


class HistoryUnknown(HistoryForked):
    """This store was restored, and no source shows what was published after its backup; nothing is signed."""

    code = "history_unknown"


class EpochUnfit(StoreRefused):
    """The epoch's record is not signed by the city's recovery key, or does not continue this store's files."""

    code = "epoch_unfit"


class RecoveryKeyMissing(StoreRefused):
    """No config ever named a recovery key, so no phone would accept a new epoch."""

    code = "recovery_key_missing"


@dataclass(frozen=True)
class Adopter:
    """What adoption changes besides published files and their rows: codes, configs and week keys."""

    codes: Codes
    configs: ConfigWriter
    week_keys: WeekKeyRing


@dataclass
class History:
    """The history of one city.

    show_to_signer: shows the signer an index that was signed elsewhere; takes its kind and content.
    signed_heads: epoch, number and chain value (hex) of the index of a kind that the signer has signed last.
    publishes: whether this process writes published files.
    adopter: what adoption changes; None if this process only compares.
    leaves: of the public log, continued from a copy; they name the heads that were published.
    """

    data_dir: Path
    keys_store: Store
    configs: ConfigFiles
    keys: SigningKeys
    indexes: Indexes
    show_to_signer: Callable[[str, bytes], object]
    signed_heads: Callable[[str], list[tuple[int, int, str]]]
    published: PublishedFiles
    journal: Journal
    adoption: Adoption
    publishes: bool
    adopter: Adopter | None
    leaves: Sequence[bytes] = ()
    _opened_indexes: dict[tuple[int, str], Index | None] = field(default_factory=dict)

    def newest_numbers(self) -> dict[str, int]:
        """The highest file number that this store knows, by kind; `epoch` is the number of the epoch."""
        heights = {series.kind: max(self._heads(series)) for series in ALL_SERIES}
        return {CONFIG: self.configs.newest_number(), **heights, "epoch": self.configs.epoch_number()}

    def newest_published(self, place: PublishedCopy) -> dict[str, Any]:
        """What phones get at a place: "heights", the newest number by kind, and "signed_at", Unix seconds.

        Both are empty if it has no index that this city signed. Raises PublishedRefused.
        """
        indexes = self._indexes_of([place], EXPORT_FILES) + self._indexes_of([place], VENUE_PACKAGES)
        return {
            "heights": {index.kind: index.number for index in indexes},
            "signed_at": max((index.generated_at for index in indexes), default=None),
        }

    def adopt_missing(
        self, sources: Iterable[PublishedCopy] = (), seen: Mapping[str, int] = MappingProxyType({})
    ) -> dict[str, list[int]]:
        """Compare with what was published, and adopt what is missing; returns the adopted numbers by kind.

        sources: other places, such as a mirror or another data folder. seen: the newest number that a phone has, by
        kind. Call it within the turn, before anything is signed.
        Raises HistoryForked, HistoryUnknown, PublishedRefused.
        """
        self._opened_indexes.clear()
        places = [self.published, *sources]
        adopted = {CONFIG: self._adopt_configs(self.adopter, places) if self.adopter else []}
        if self.publishes:
            self._finish_epoch()
        # The index in a restored folder is as old as the folder, so it proves nothing.
        others = places[1:] if isinstance(self.published, LocalFiles) else places
        witnessed = bool(seen) or any(self._index_of(place, EXPORT_FILES) for place in others)
        for series in ALL_SERIES:
            indexes = self._indexes_of(places, series)
            adopted[series.kind] = []
            if self.adopter:
                adopted[series.kind] += self._adopt_files(series, indexes, places)
                adopted[series.kind] += self._adopt_files(series, self._index_from_names(series, places), places)
            witnessed_heads = self._known_heads(series, indexes)
            ours = self._heads(series)
            self._require_same(series.kind, ours, witnessed_heads)
            newest = max([seen.get(series.kind, 0), *(max(known) for _, known in witnessed_heads)])
            if newest > max(ours):
                raise HistoryForked(
                    f"{series.kind} up to {newest} were published, this store knows them up to {max(ours)}; name a"
                    " place that still has them (bluezone history adopt), or open a new epoch"
                )
            # A journal inside the data folder comes from the same backup, so it proves nothing.
            is_outside = not self.journal.path.resolve().is_relative_to(self.data_dir)
            is_current = any(head.number >= max(ours) for head in self.journal.heads(series.kind))
            witnessed = witnessed or (is_outside and is_current)
        self._require_known_configs(places)
        if self.publishes and self.adopter:
            self._adopt_indexes(places[1:])
        mark = self.data_dir / UNCHECKED_FILE
        if self.adopter is None:
            if mark.exists():
                raise HistoryUnknown("this data folder was restored, and the worker has not compared it yet")
            return adopted
        if mark.exists() and not witnessed:
            raise HistoryUnknown(
                "this data folder was restored, and there is neither a journal nor a bucket to compare it with; name"
                " a place that has what was published (bluezone history adopt), or open a new epoch"
            )
        if mark.exists() or len(adopted[EXPORT_FILES.kind]) > 1:
            # With more than one adopted file, the store was over a period old: codes that it has as open may be used.
            self.adopter.codes.revoke_all_open()
        if mark.exists():
            mark.unlink()
        return adopted

    # Configs

    def repair_configs(self) -> None:
        """Write configs again that are damaged or missing, from the journal. Call it before they are read.

        A phone follows configs without a gap, and a city with a damaged one can neither start nor sign.
        """
        if self.adopter is None:
            return
        journalled = self.journal.configs()
        for number in self.configs.numbers():
            content = self.configs.path(number).read_bytes()
            signed = journalled.get(number, content)
            if content != signed and self._read_config(content) is None:
                self._repair_config(self.adopter, number, signed)
        epoch = self.configs.epoch()
        first = epoch.config.first if epoch else 1
        # A newer config than ours is adopted later, unless all of ours are gone.
        end = self.configs.newest_number() or max(journalled, default=0) + 1
        for number in range(first, end):
            if number in journalled and not self.configs.path(number).exists():
                self._repair_config(self.adopter, number, journalled[number])

    def _repair_config(self, adopter: Adopter, number: int, signed: bytes) -> None:
        adopter.configs.replace_damaged(number, signed)
        name = f"{CONFIGS_FOLDER}/{number}.json"
        logger.warning(
            "files: %s was damaged or missing, and is written again", name,
            extra=event_fields("published_file_repaired", file=name),
        )  # fmt: skip

    def _adopt_configs(self, adopter: Adopter, places: Sequence[PublishedCopy]) -> list[int]:
        signed_configs: dict[int, bytes] = dict(self.journal.configs())
        for place in places:
            if self._unknown_config(place) is None:
                continue
            for name in place.names(CONFIGS_FOLDER):
                signed = place.get(name)
                if signed is not None:
                    signed_configs.setdefault(int(Path(name).stem), signed)
        adopted = []
        for number in sorted(signed_configs):
            newest = self.configs.newest_config()
            if newest is None or number <= newest.number:
                self._require_same_config(number, signed_configs[number])
                continue
            config = self._read_config(signed_configs[number])
            if config is None:
                continue
            if not self._continues(config, newest):
                raise HistoryForked(
                    f"config {number} was published and does not continue config {newest.number}, which is the newest"
                    " here; name a place that has the configs between them, or open a new epoch"
                )
            adopter.configs.store_signed(number, signed_configs[number])
            adopter.week_keys.note_kids(key.kid for key in config.week_keys)
            adopted.append(number)
        return adopted

    def _require_same_config(self, number: int, signed: bytes) -> None:
        path = self.configs.path(number)
        epoch = self.configs.epoch()
        # Configs that an epoch has abandoned may differ.
        abandoned = epoch is not None and epoch.config.ancestor < number < epoch.config.first
        if path.exists() and path.read_bytes() != signed and not abandoned and self._read_config(signed):
            # Raises StoreDamaged if this folder's config is damaged.
            self.configs.payload(number)
            raise HistoryForked(f"config {number} differs from the one that was published; open a new epoch")

    def _read_config(self, signed: bytes) -> Config | None:
        public = self.keys.city_key
        try:
            return decode_config(open_signed(CONFIG_KIND, signed, {fingerprint(public): public}))
        except (InvalidSignedFile, InvalidConfig):
            return None

    def _continues(self, config: Config, newest: Config) -> bool:
        """Whether a config follows our newest one, by its history or by an epoch that branches off our configs."""
        if len(config.epochs) == len(newest.epochs) + 1 and not config.history and newest.recovery_key:
            branch = open_epoch(config.epochs[-1], bytes.fromhex(newest.recovery_key)).config
            return branch.ancestor in self.configs.numbers() and self.configs.sha256_of(branch.ancestor) == branch.head
        distance = config.number - newest.number
        if len(config.history) < distance:
            return False
        return config.history[-distance] == self.configs.sha256_of(newest.number)

    def _unknown_config(self, place: PublishedCopy) -> Index | None:
        """An index of a place that names a config which is not here, None if there is none.

        An index of an abandoned epoch may name a config that was lost with that epoch.
        """
        known = {self.configs.sha256_of(number) for number in self.configs.numbers()[-HISTORY_LENGTH:]}
        for series in ALL_SERIES:
            index = self._index_of(place, series)
            if index and index.epoch >= self.configs.epoch_number() and index.config_sha256 not in known:
                return index
        return None

    def _require_known_configs(self, places: Sequence[PublishedCopy]) -> None:
        for place in places:
            index = self._unknown_config(place)
            if index is not None:
                raise HistoryForked(
                    f"the published index of {index.kind} names a config that is not here; name a place that"
                    " still has it (bluezone history adopt), or open a new epoch"
                )

    # Files

    def _index_of(self, place: PublishedCopy, series: Series) -> Index | None:
        key = id(place), series.kind
        if key not in self._opened_indexes:
            content = place.get(series.index_name)
            self._opened_indexes[key] = None if content is None else self.indexes.open_index(series, content)
        return self._opened_indexes[key]

    def _indexes_of(self, places: Iterable[PublishedCopy], series: Series) -> list[Index]:
        return [index for place in places if (index := self._index_of(place, series)) is not None]

    def _heads(self, series: Series) -> dict[int, str]:
        """The chain values (hex) of the store's complete files, by number."""
        rows = self.keys_store.read(
            f"SELECT number, sha256, chain_before FROM {series.table} WHERE sha256 IS NOT NULL ORDER BY number"  # noqa: S608
        )
        known = {0: CHAIN_START.hex()} if not rows or rows[0][0] == 1 else {}
        for number, sha256, before in rows:
            known.setdefault(number - 1, before.hex())
            known[number] = extend_chain(before, sha256).hex()
        epoch = self.configs.epoch()
        if epoch is not None:
            known.setdefault(epoch.branch(series.kind).first - 1, epoch.branch(series.kind).head)
        return known

    def _known_heads(self, series: Series, indexes: Iterable[Index]) -> KnownHeads:
        """What indexes, journal, public log and signer say, without what the current epoch has abandoned."""
        known_heads = [(index.epoch, chain_heads(index)) for index in indexes]
        known_heads += [(head.epoch, {head.number: head.chain}) for head in self.journal.heads(series.kind)]
        # A process that does not publish may not ask the signer.
        signed = self.signed_heads(series.kind) if self.publishes else []
        heads = [*read_heads(self.leaves, series.kind), *signed]
        known_heads += [(epoch, {number: chain}) for epoch, number, chain in heads]
        epoch = self.configs.epoch()
        if epoch is None:
            return known_heads
        ancestor = epoch.branch(series.kind).ancestor
        current: KnownHeads = []
        for epoch_number, known in known_heads:
            if epoch_number != epoch.number:
                known = {number: chain for number, chain in known.items() if number <= ancestor}
            if known:
                current.append((epoch_number, known))
        return current

    @staticmethod
    def _require_same(kind: str, ours: Mapping[int, str], published: KnownHeads) -> None:
        for _, known in published:
            differing = [number for number in known if ours.get(number, known[number]) != known[number]]
            if differing:
                raise HistoryForked(
                    f"{kind}: up to number {min(differing)}, other files were published than this store has; open a"
                    " new epoch"
                )

    def _adopt_files(self, series: Series, indexes: Sequence[Index], places: Sequence[PublishedCopy]) -> list[int]:
        adopted: list[int] = []
        for index in indexes:
            ours = self._heads(series)
            self._require_same(series.kind, ours, self._known_heads(series, [index]))
            if index.epoch != self.configs.epoch_number() or index.number < max(ours):
                continue
            oldest = min(ours)
            for entry, chain_before, end in _listed_files(index):
                # What is older than all our files has expired here.
                if entry.number in ours or entry.number < oldest:
                    continue
                content = self.adoption.read_content(series, entry, places)
                self.adoption.adopt_file(series, entry, content, chain_before, end)
                adopted.append(entry.number)
        return adopted

    def _index_from_names(self, series: Series, places: Sequence[PublishedCopy]) -> list[Index]:
        """An index of the files after our newest, made from their names, if a head of the journal vouches for them.

        A file name has its number and the beginning of its hash, so it can be recognised without an index.
        """
        ours = self._heads(series)
        newest = max(ours)
        epoch = self.configs.epoch_number()
        heads = {head.number: head for head in self.journal.heads(series.kind) if head.epoch == epoch}
        if max(heads, default=0) <= newest:
            return []
        names = _names_by_number(series, places)
        chain = bytes.fromhex(ours[newest])
        entries: list[IndexEntry] = []
        vouched: list[Index] = []
        for number in range(newest + 1, max(heads) + 1):
            entry = _entry_from_names(number, names[number])
            if entry is None:
                break
            entries.append(entry)
            chain = extend_chain(chain, bytes.fromhex(entry.sha256))
            head = heads.get(number)
            if head and head.chain == chain.hex():
                vouched = [
                    Index(
                        series.kind, number, head.generated_at, self.configs.newest_sha256(), ours[newest],
                        tuple(entries), epoch=epoch,
                    )
                ]  # fmt: skip
        return vouched

    def _adopt_indexes(self, places: Iterable[PublishedCopy]) -> None:
        """Publish the index from which files were adopted, so that phones follow it at once.

        A signer that is running is shown the index, so that it continues from there.
        """
        for place in places:
            for series in ALL_SERIES:
                index = self._index_of(place, series)
                served = self._index_of(self.published, series)
                if index is None or index.epoch != self.configs.epoch_number():
                    continue
                if served is not None and index.number <= served.number:
                    continue
                if self._heads(series).get(index.number) != chain_heads(index)[index.number]:
                    continue
                content = place.get(series.index_name)
                version = self.published.version(series.index_name)
                if content is None:
                    continue
                self.show_to_signer(series.kind, content)
                self.published.replace(series.index_name, content, version[1] if version else None)
                self._opened_indexes.pop((id(self.published), series.kind))

    # Epochs

    def propose_epoch(self, now: float, above: Mapping[str, int], sources: Iterable[PublishedCopy] = ()) -> Epoch:
        """The record of the next epoch, which the recovery key signs elsewhere.

        above: the newest numbers that phones are known to have, by kind. Raises RecoveryKeyMissing.
        """
        newest = self.configs.newest_config()
        if newest is None or newest.recovery_key is None:
            raise RecoveryKeyMissing("no config names a recovery key: phones would refuse a new epoch")
        self._opened_indexes.clear()
        places = [self.published, *sources]
        branches = {}
        for series in ALL_SERIES:
            ours = self._heads(series)
            published = [known for _, known in self._known_heads(series, self._indexes_of(places, series))]
            agreed = [
                number for number in ours if all(known.get(number, ours[number]) == ours[number] for known in published)
            ]
            # Phones know only files that an index has listed.
            listed = [number for number in agreed if any(number in known for known in published)]
            ancestor = max(listed or agreed)
            seen = max([*ours, *(max(known, default=0) for known in published), above.get(series.kind, 0)])
            branches[series.kind] = Branch(_next_stride(seen), ancestor, ours[ancestor])
        seen = max([newest.number, *self.journal.configs(), above.get(CONFIG, 0)])
        ancestor = self._common_config()
        config = Branch(_next_stride(seen + HISTORY_LENGTH), ancestor, self.configs.sha256_of(ancestor))
        return Epoch(len(newest.epochs) + 1, int(now), config, **branches)

    def _common_config(self) -> int:
        """The number of our newest config that the journal does not contradict."""
        journalled = self.journal.configs()
        for number in reversed(self.configs.numbers()):
            if number not in journalled or journalled[number] == self.configs.path(number).read_bytes():
                return number
        return self.configs.newest_number()

    def open_epoch(self, record: str, now: float, sources: Iterable[PublishedCopy] = ()) -> Epoch:
        """Open the epoch of a record that the recovery key has signed.

        Files of abandoned branches are published again in the epoch if a place still has them.
        Call it within the turn. Raises RecoveryKeyMissing, EpochUnfit.
        """
        assert self.adopter is not None
        self._opened_indexes.clear()
        places = [self.published, *sources]
        newest = self.configs.newest_config()
        if newest is None or newest.recovery_key is None:
            raise RecoveryKeyMissing("no config names a recovery key: phones would refuse a new epoch")
        try:
            epoch = open_epoch(record, bytes.fromhex(newest.recovery_key))
        except Refused as refused:
            raise EpochUnfit(f"the record is not signed by this city's recovery key: {refused.message}") from None
        if epoch.number != len(newest.epochs) + 1:
            raise EpochUnfit(f"the record is of epoch {epoch.number}, expected {len(newest.epochs) + 1}")
        for series in ALL_SERIES:
            branch = epoch.branch(series.kind)
            ours = self._heads(series)
            if branch.first <= max(ours) or ours.get(branch.ancestor) != branch.head:
                raise EpochUnfit(f"{series.kind} have changed since the epoch was proposed; propose it again")
        branch = epoch.config
        if branch.first <= newest.number or self.configs.sha256_of(branch.ancestor) != branch.head:
            raise EpochUnfit("configs have changed since the epoch was proposed; propose it again")
        self.adopter.configs.begin_epoch(record, epoch, now)
        self._finish_epoch()
        for series in ALL_SERIES:
            self._adopt_abandoned(series, epoch.branch(series.kind), places)
        (self.data_dir / UNCHECKED_FILE).unlink(missing_ok=True)
        self.adopter.codes.revoke_all_open()
        return epoch

    def _finish_epoch(self) -> None:
        """Give the files of an abandoned branch new numbers in the epoch, so that nothing is lost."""
        epoch = self.configs.epoch()
        if epoch is None:
            return
        for series in ALL_SERIES:
            self.adoption.renumber_files(series, epoch.branch(series.kind))

    def _adopt_abandoned(self, series: Series, branch: Branch, places: Sequence[PublishedCopy]) -> None:
        for index in self._indexes_of(places, series):
            for entry, _, end in _listed_files(index):
                present = self.keys_store.read(
                    f"SELECT 1 FROM {series.table} WHERE sha256 = ?",  # noqa: S608
                    (bytes.fromhex(entry.sha256),),
                )
                if present or not branch.ancestor < entry.number < branch.first:
                    continue
                with suppress(HistoryForked):
                    content = self.adoption.read_content(series, entry, places)
                    self.adoption.append_file(series, branch, entry, content, end)


def _names_by_number(series: Series, places: Iterable[PublishedCopy]) -> dict[int, list[tuple[PublishedCopy, str]]]:
    names: defaultdict[int, list[tuple[PublishedCopy, str]]] = defaultdict(list)
    for place in places:
        for name in place.names(series.folder):
            number, dash, _ = Path(name).name.partition("-")
            if dash and number.isdecimal():
                names[int(number)].append((place, name))
    return names


def _entry_from_names(number: int, names: Iterable[tuple[PublishedCopy, str]]) -> IndexEntry | None:
    """The entry of the first file that has the hash its name begins; None if there is none."""
    for place, name in names:
        content = place.get(name) or b""
        sha256 = hashlib.sha256(content).hexdigest()
        if Path(name).stem == f"{number}-{sha256[:NAME_DIGITS]}":
            return IndexEntry(number, Path(name).name, sha256, len(content))
    return None


def _listed_files(index: Index) -> Iterator[tuple[IndexEntry, bytes, int]]:
    """The files that an index lists, oldest first: each with the chain value before it and the end of its hour.

    The end, in Unix seconds, is about right for a venue package, because one is published every hour.
    """
    later = len(index.earlier) + len(index.entries)
    for start, entries in ((index.earlier_chain, index.earlier), (index.chain_before, index.entries)):
        value = bytes.fromhex(start)
        for entry in entries:
            later -= 1
            yield entry, value, index.generated_at - later * SECONDS_PER_HOUR
            value = extend_chain(value, bytes.fromhex(entry.sha256))


def _next_stride(number: int) -> int:
    return (number // EPOCH_STRIDE + 1) * EPOCH_STRIDE
