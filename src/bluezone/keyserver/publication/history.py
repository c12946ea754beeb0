# SPDX-License-Identifier: Apache-2.0
"""Compare what the store knows with what was published, before anything is signed.

A store that was restored from a backup, promoted from a lagging copy or copied by hand lacks files that phones have.
The server adopts them from where they were published, if its own keys signed them. If that fails, nothing is signed
until an operator opens a new epoch with the recovery key (docs/protocol.md section 5, "Epochs").
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bluezone.keyserver.codes.issued_codes import Codes
from bluezone.keyserver.configs.configfiles import KIND as CONFIG_KIND
from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.configs.configuration import ConfigWriter
from bluezone.keyserver.keys.keyfolder import SigningKeys
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.publication.adoption import Adoption, HistoryForked
from bluezone.keyserver.publication.folder import LocalFiles, PublishedFiles
from bluezone.keyserver.publication.indexes import Indexes
from bluezone.keyserver.publication.log.journal import Journal
from bluezone.keyserver.publication.series import ALL_SERIES, CONFIGS_FOLDER, EXPORT_FILES, Series
from bluezone.keyserver.storage.store import Store, StoreRefused
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

# A file in a data folder that was restored and not yet compared with anything outside.
MARK = "history.unchecked"
# An epoch continues with the next multiple of this number: above every file that may have been published without our
# knowledge, and 22 years of files below the next multiple.
STRIDE = 100_000
# Epoch, and chain values (hex) by number: what each index and the journal know of a series.
KnownHeads = list[tuple[int, dict[int, str]]]


class HistoryUnknown(HistoryForked):
    """This store was restored, and no source shows what was published after its backup; nothing is signed."""

    code = "history_unknown"


class EpochUnfit(StoreRefused):
    """The epoch's record is not signed by the city's recovery key, or does not continue what is here."""

    code = "epoch_unfit"


class RecoveryKeyMissing(StoreRefused):
    """No config ever named a recovery key, so no phone would accept a new epoch."""

    code = "recovery_key_missing"


@dataclass(frozen=True)
class Adopter:
    """What a process writes, besides files and their rows, when it adopts what was published."""

    codes: Codes
    configs: ConfigWriter
    week_keys: WeekKeyRing


@dataclass
class History:
    """The history of one city.

    show: shows the signer, by kind and content, an index that was signed elsewhere.
    publishes: whether this process writes published files.
    adopter: what is written to adopt what is missing; None if this process only compares.
    """

    data_dir: Path
    keys_store: Store
    configs: ConfigFiles
    keys: SigningKeys
    indexes: Indexes
    show: Callable[[str, bytes], object]
    published: PublishedFiles
    journal: Journal
    adoption: Adoption
    publishes: bool
    adopter: Adopter | None
    _read: dict[tuple[int, str], Index | None] = field(default_factory=dict)

    def heights(self) -> dict[str, int]:
        """How far this store knows what was published: the highest number by kind, and the epoch."""
        heights = {series.kind: max(self._heads(series)) for series in ALL_SERIES}
        return {CONFIG: self.configs.newest_number(), **heights, "epoch": self.configs.epoch_number()}

    def compare(
        self, sources: Iterable[PublishedFiles] = (), seen: Mapping[str, int] = MappingProxyType({})
    ) -> dict[str, list[int]]:
        """Compare with what was published, and adopt what is missing; returns the adopted numbers by kind.

        sources: other places, such as a mirror or another data folder. seen: by kind, the newest number that a phone
        has. Call it in the turn, before anything is signed.
        Raises HistoryForked, HistoryUnknown, PublishedRefused.
        """
        self._read.clear()
        places = [self.published, *sources]
        adopted = {CONFIG: self._adopt_configs(self.adopter, places) if self.adopter else []}
        if self.publishes:
            self._finish_epoch()
        # The index in a restored folder is as old as the rest of it and proves nothing.
        others = places[1:] if isinstance(self.published, LocalFiles) else places
        witnessed = bool(seen) or any(self._index_of(place, EXPORT_FILES) for place in others)
        for series in ALL_SERIES:
            indexes = self._indexes_of(places, series)
            adopted[series.kind] = self._adopt_files(series, indexes, places) if self.adopter else []
            witnessed_heads = self._known_heads(series, indexes)
            ours = self._heads(series)
            self._require_same(series.kind, ours, witnessed_heads)
            newest = max([seen.get(series.kind, 0), *(max(known) for _, known in witnessed_heads)])
            if newest > max(ours):
                raise HistoryForked(
                    f"{series.kind} up to {newest} were published, this store knows them up to {max(ours)}; name a"
                    " place that still has them (bluezone history adopt), or open a new epoch"
                )
            # A journal inside the data folder comes from the same backup.
            apart = not self.journal.path.resolve().is_relative_to(self.data_dir)
            reached = any(head.number >= max(ours) for head in self.journal.heads(series.kind))
            witnessed = witnessed or (apart and reached)
        self._require_known_configs(places)
        if self.publishes and self.adopter:
            self._adopt_indexes(places[1:])
        mark = self.data_dir / MARK
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
            # More than one file: the store is more than a period old, so it may take used codes for open ones.
            self.adopter.codes.revoke_all_open()
        if mark.exists():
            mark.unlink()
        return adopted

    # Configs

    def _adopt_configs(self, adopter: Adopter, places: Sequence[PublishedFiles]) -> list[int]:
        signed_configs: dict[int, bytes] = dict(self.journal.configs())
        for place in places:
            if self._knows_all_configs(place):
                continue
            for name in place.names(CONFIGS_FOLDER):
                signed = place.get(name)
                if signed is not None:
                    signed_configs.setdefault(int(Path(name).stem), signed)
        adopted = []
        for number in sorted(signed_configs):
            newest = self.configs.newest()
            if newest is None or number <= newest.number:
                self._require_same_config(number, signed_configs[number])
                continue
            config = self._read_config(signed_configs[number])
            if config is None:
                continue
            if not self._continues(config, newest):
                raise HistoryForked(
                    f"config {number} was published and does not continue config {newest.number}, which is the newest"
                    " here; name a place that has what is between, or open a new epoch"
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
            # Raises StoreDamaged if the one here is damaged.
            self.configs.payload(number)
            raise HistoryForked(f"config {number} was published, and is another here; open a new epoch")

    def _read_config(self, signed: bytes) -> Config | None:
        public = self.keys.city_key
        try:
            return decode_config(open_signed(CONFIG_KIND, signed, {fingerprint(public): public}))
        except (InvalidSignedFile, InvalidConfig):
            return None

    def _continues(self, config: Config, newest: Config) -> bool:
        if len(config.epochs) == len(newest.epochs) + 1 and not config.history and newest.recovery_key:
            branch = open_epoch(config.epochs[-1], bytes.fromhex(newest.recovery_key)).config
            return branch.ancestor in self.configs.numbers() and self.configs.sha256_of(branch.ancestor) == branch.head
        back = config.number - newest.number
        return len(config.history) >= back and config.history[-back] == self.configs.sha256_of(newest.number)

    def _knows_all_configs(self, place: PublishedFiles) -> bool:
        named = {index.config_sha256 for series in ALL_SERIES if (index := self._index_of(place, series))}
        known = {self.configs.sha256_of(number) for number in self.configs.numbers()[-HISTORY_LENGTH:]}
        return named <= known

    def _require_known_configs(self, places: Sequence[PublishedFiles]) -> None:
        # An index of an abandoned epoch may name a config that was lost with that epoch.
        for place in places:
            for series in ALL_SERIES:
                index = self._index_of(place, series)
                if index is None or index.epoch < self.configs.epoch_number():
                    continue
                known = {self.configs.sha256_of(number) for number in self.configs.numbers()[-HISTORY_LENGTH:]}
                if index.config_sha256 not in known:
                    raise HistoryForked(
                        f"the published index of {series.kind} names a config that is not here; name a place that"
                        " still has it (bluezone history adopt), or open a new epoch"
                    )

    # Files

    def _index_of(self, place: PublishedFiles, series: Series) -> Index | None:
        name = id(place), series.kind
        if name not in self._read:
            data = place.get(series.index_name)
            self._read[name] = None if data is None else self.indexes.opened(series, data)
        return self._read[name]

    def _indexes_of(self, places: Iterable[PublishedFiles], series: Series) -> list[Index]:
        return [index for place in places if (index := self._index_of(place, series)) is not None]

    def _heads(self, series: Series) -> dict[int, str]:
        """What the store knows: chain values (hex) of complete files, by number."""
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
        """What indexes and the journal know, without what the current epoch has abandoned."""
        known_heads = [(index.epoch, chain_heads(index)) for index in indexes]
        known_heads += [(head.epoch, {head.number: head.chain}) for head in self.journal.heads(series.kind)]
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
                    f"{kind}: other files were published up to number {min(differing)} than this store knows; only a"
                    " new epoch leads on"
                )

    def _adopt_files(self, series: Series, indexes: Sequence[Index], places: Sequence[PublishedFiles]) -> list[int]:
        adopted: list[int] = []
        for index in indexes:
            ours = self._heads(series)
            listed = chain_heads(index)
            self._require_same(series.kind, ours, self._known_heads(series, [index]))
            if index.epoch != self.configs.epoch_number() or index.number <= max(ours):
                continue
            missing = [entry for entry in (*index.earlier, *index.entries) if entry.number > max(ours)]
            if missing and max(ours) not in listed and max(ours) > 0:
                # Our newest file is older than the whole index; our signature on the index proves what is between.
                missing = [*index.earlier, *index.entries]
            for entry in missing:
                content = self.adoption.content(series, entry, places)
                before = _before(index, entry)
                end = index.generated_at - (index.number - entry.number) * SECONDS_PER_HOUR
                self.adoption.adopt(series, entry, content, before, end)
                adopted.append(entry.number)
        return adopted

    def _adopt_indexes(self, places: Iterable[PublishedFiles]) -> None:
        """Put the index of a place from which files were adopted where phones fetch it.

        Phones follow it at once. The signer continues from it: it sees the index now if one runs, else before the next.
        """
        for place in places:
            for series in ALL_SERIES:
                index = self._index_of(place, series)
                served = self._index_of(self.published, series)
                if index is None or index.epoch != self.configs.epoch_number():
                    continue
                ahead = served is None or index.number > served.number
                if not ahead or self._heads(series).get(index.number) != chain_heads(index)[index.number]:
                    continue
                content = place.get(series.index_name)
                version = self.published.version(series.index_name)
                if content is None:
                    continue
                self.show(series.kind, content)
                self.published.replace(series.index_name, content, version[1] if version else None)
                self._read.pop((id(self.published), series.kind))

    # Epochs

    def propose(self, now: float, above: Mapping[str, int], sources: Iterable[PublishedFiles] = ()) -> Epoch:
        """Make the record of the next epoch, for the recovery key to sign elsewhere.

        above: by kind, the newest numbers that phones are known to have. Raises RecoveryKeyMissing.
        """
        newest = self.configs.newest()
        if newest is None or newest.recovery_key is None:
            raise RecoveryKeyMissing("no config names a recovery key: phones would refuse a new epoch")
        self._read.clear()
        places = [self.published, *sources]
        branches = {}
        for series in ALL_SERIES:
            ours = self._heads(series)
            published = [known for _, known in self._known_heads(series, self._indexes_of(places, series))]
            agreed = [
                number for number in ours if all(known.get(number, ours[number]) == ours[number] for known in published)
            ]
            # Phones know only what was listed, not what was going to be.
            listed = [number for number in agreed if any(number in known for known in published)]
            ancestor = max(listed or agreed)
            seen = max([*ours, *(max(known, default=0) for known in published), above.get(series.kind, 0)])
            branches[series.kind] = Branch(_next_stride(seen), ancestor, ours[ancestor])
        seen = max([newest.number, *self.journal.configs(), above.get(CONFIG, 0)])
        ancestor = self._common_config()
        config = Branch(_next_stride(seen + HISTORY_LENGTH), ancestor, self.configs.sha256_of(ancestor))
        return Epoch(len(newest.epochs) + 1, int(now), config, **branches)

    def _common_config(self) -> int:
        elsewhere = self.journal.configs()
        for number in reversed(self.configs.numbers()):
            if elsewhere.get(number, b"") in (b"", self.configs.path(number).read_bytes()):
                return number
        return self.configs.newest_number()

    def open_epoch(self, record: str, now: float, sources: Iterable[PublishedFiles] = ()) -> Epoch:
        """Open the epoch of a record that the recovery key has signed. Call it in the turn. Raises EpochUnfit.

        Files of abandoned branches that are still available are published in it again.
        """
        assert self.adopter is not None
        self._read.clear()
        places = [self.published, *sources]
        newest = self.configs.newest()
        if newest is None or newest.recovery_key is None:
            raise RecoveryKeyMissing("no config names a recovery key: phones would refuse a new epoch")
        try:
            epoch = open_epoch(record, bytes.fromhex(newest.recovery_key))
        except Refused as refused:
            raise EpochUnfit(f"the record is not one of this city's recovery key: {refused.message}") from None
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
        (self.data_dir / MARK).unlink(missing_ok=True)
        self.adopter.codes.revoke_all_open()
        return epoch

    def _finish_epoch(self) -> None:
        """Give the files of an abandoned branch new numbers in the epoch, so that nothing is lost."""
        epoch = self.configs.epoch()
        if epoch is None:
            return
        for series in ALL_SERIES:
            self.adoption.renumber(series, epoch.branch(series.kind))

    def _adopt_abandoned(self, series: Series, branch: Branch, places: Sequence[PublishedFiles]) -> None:
        for index in self._indexes_of(places, series):
            for entry in index.entries:
                present = self.keys_store.read(
                    f"SELECT 1 FROM {series.table} WHERE sha256 = ?",  # noqa: S608
                    (bytes.fromhex(entry.sha256),),
                )
                if present or not branch.ancestor < entry.number < branch.first:
                    continue
                try:
                    content = self.adoption.content(series, entry, places)
                except HistoryForked:
                    continue
                end = index.generated_at - (index.number - entry.number) * SECONDS_PER_HOUR
                self.adoption.append(series, branch, entry, content, end)


def _before(index: Index, entry: IndexEntry) -> bytes:
    """The chain value before a file that an index lists; at the start of an epoch, that of its ancestor."""
    runs = ((index.earlier_chain, index.earlier), (index.chain_before, index.entries))
    for start, entries in runs:
        value = bytes.fromhex(start)
        for listed in entries:
            if listed == entry:
                return value
            value = extend_chain(value, bytes.fromhex(listed.sha256))
    raise AssertionError("the index does not list the file")


def _next_stride(number: int) -> int:
    return (number // STRIDE + 1) * STRIDE
