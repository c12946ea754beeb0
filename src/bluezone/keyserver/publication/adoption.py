# SPDX-License-Identifier: Apache-2.0
"""Adopt published files that the store has lost: insert their rows, note their keys as known, and delete keys and items
from the waiting ones.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bluezone.keyserver.keys.keyfolder import SigningKeys
from bluezone.keyserver.publication.embargo import newest_published_day
from bluezone.keyserver.publication.export_files import requeue_keys
from bluezone.keyserver.publication.file_repair import copied_content
from bluezone.keyserver.publication.folder import NAME_DIGITS, PublishedCopy, PublishedFiles
from bluezone.keyserver.publication.series import EXPORT_FILES, Series
from bluezone.keyserver.storage.store import Store, StoreRefused, Transaction, key_prefix
from bluezone.protocol.exports.files import Export, InvalidExport, read_export, verify_export
from bluezone.protocol.primitives import read_p256_pem
from bluezone.protocol.signed.envelope import extend_chain
from bluezone.protocol.signed.epoch import Branch
from bluezone.protocol.signed.index import IndexEntry
from bluezone.protocol.venues.items import ITEM_LENGTH, NONCE_LENGTH, TAG_LENGTH


class HistoryForked(StoreRefused):
    """Phones have files that this store lacks or has with other content; nothing is signed, reports are accepted."""

    code = "history_forked"


@dataclass(frozen=True)
class Adoption:
    """Adopts files into the keys store. padding_mean, embargo_seconds: as the city publishes."""

    store: Store
    published: PublishedFiles
    keys: SigningKeys
    padding_mean: int
    embargo_seconds: int

    def read_content(self, series: Series, entry: IndexEntry, places: Iterable[PublishedCopy]) -> bytes:
        """The bytes of a file that an index of this city lists, from the first place that has them.

        Raises HistoryForked.
        """
        for place in places:
            content = place.get(f"{series.folder}/{entry.name}")
            if content is not None and hashlib.sha256(content).hexdigest() == entry.sha256:
                return content
        raise HistoryForked(
            f"{series.kind}: file {entry.number} was published, but no place has it; name one that still has it"
            " (bluezone history adopt), or open a new epoch"
        )

    def _read_own_export(self, number: int, content: bytes) -> Export:
        try:
            export = read_export(content)
        except InvalidExport as refused:
            raise HistoryForked(f"export {number} is published and cannot be read: {refused.message}") from None
        if verify_export(export, read_p256_pem(self.keys.export_public_pem)) != "verified":
            raise HistoryForked(f"export {number} is published, and this city's key did not sign it")
        return export

    def adopt_file(self, series: Series, entry: IndexEntry, content: bytes, before: bytes, end: int) -> None:
        """Adopt a file under its own number and name.

        before: the chain value before it. end: end of a package's hour, Unix seconds; an export contains its own.
        """
        self.store.write(lambda transaction: self._insert(transaction, series, entry, content, before, end))

    def append_file(self, series: Series, branch: Branch, entry: IndexEntry, content: bytes, end: int) -> None:
        """Adopt a file of an abandoned branch under the next number of an epoch."""
        self.store.write(lambda transaction: self._append(transaction, series, branch, entry, content, end))

    def renumber_files(self, series: Series, branch: Branch) -> None:
        """Give the store's files that an epoch has abandoned new numbers in that epoch, so that nothing is lost."""
        self.store.write(lambda transaction: self._renumber(transaction, series, branch))

    def _insert(
        self, transaction: Transaction, series: Series, entry: IndexEntry, content: bytes, before: bytes, end: int
    ) -> None:
        """Put a file in its place, insert its row, note its keys as known, and delete its content from what waits.

        Raises HistoryForked if it is an export that the city's key did not sign.
        """
        columns: dict[str, Any] = {
            "number": entry.number, "name": entry.name, "sha256": bytes.fromhex(entry.sha256), "size": entry.size,
            "chain_before": before, "end_timestamp": end,
        }  # fmt: skip
        if series is EXPORT_FILES:
            export = self._read_own_export(entry.number, content)
            columns |= {
                "start_timestamp": export.start_timestamp, "end_timestamp": export.end_timestamp,
                "newest_day": newest_published_day(export.end_timestamp, self.embargo_seconds),
                "padding_mean": self.padding_mean,
            }  # fmt: skip
            requeue_keys(transaction)
            keys = [export.columns.key(row) for row in range(len(export.columns))]
            known = list(zip(map(key_prefix, keys), export.columns.starts, strict=True))
            transaction.execute_each("INSERT INTO known_key VALUES (?, ?) ON CONFLICT DO NOTHING", known)
            transaction.execute_each(
                "DELETE FROM waiting_key WHERE start = ? AND key = ?", zip(export.columns.starts, keys, strict=True)
            )
        else:
            requeue_items(transaction)
            transaction.execute_each(
                "DELETE FROM waiting_item WHERE tag = ? AND nonce = ? AND sealed = ?", _items(content)
            )
        # Before the row: a file that is listed must be there.
        self.published.put_if_absent(f"{series.folder}/{entry.name}", content)
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        transaction.execute(f"DELETE FROM {series.table} WHERE number = ?", (entry.number,))  # noqa: S608
        transaction.execute(f"INSERT INTO {series.table} ({names}) VALUES ({marks})", tuple(columns.values()))  # noqa: S608

    def _append(
        self, transaction: Transaction, series: Series, branch: Branch, entry: IndexEntry, content: bytes, end: int
    ) -> None:
        number, chain = self._next(transaction, series, branch)
        name = f"{number}-{entry.sha256[:NAME_DIGITS]}{Path(entry.name).suffix}"
        self._insert(transaction, series, replace(entry, number=number, name=name), content, chain, end)

    @staticmethod
    def _next(transaction: Transaction, series: Series, branch: Branch) -> tuple[int, bytes]:
        """The next number of an epoch, and the chain value before it."""
        last = transaction.execute(
            f"SELECT number, chain_before, sha256 FROM {series.table} WHERE number >= ?"  # noqa: S608
            " AND sha256 IS NOT NULL ORDER BY number DESC LIMIT 1",
            (branch.first,),
        )
        if not last:
            return branch.first, bytes.fromhex(branch.head)
        return last[0][0] + 1, extend_chain(last[0][1], last[0][2])

    def _renumber(self, transaction: Transaction, series: Series, branch: Branch) -> None:
        rows = transaction.execute(
            f"SELECT number, name, sha256 FROM {series.table} WHERE number > ? AND number < ? ORDER BY number",  # noqa: S608
            (branch.ancestor, branch.first),
        )
        if not rows:
            return
        if series is EXPORT_FILES:
            requeue_keys(transaction)
        else:
            requeue_items(transaction)
        number, chain = self._next(transaction, series, branch)
        for old, name, sha256 in rows:
            content = None if sha256 is None else self._own_content(transaction, f"{series.folder}/{name}", sha256)
            if content is None:
                transaction.execute(f"DELETE FROM {series.table} WHERE number = ?", (old,))  # noqa: S608
                continue
            new_name = f"{number}-{sha256.hex()[:NAME_DIGITS]}{Path(name).suffix}"
            self.published.put_if_absent(f"{series.folder}/{new_name}", content)
            transaction.execute(
                f"UPDATE {series.table} SET number = ?, name = ?, chain_before = ? WHERE number = ?",  # noqa: S608
                (number, new_name, chain, old),
            )
            number += 1
            chain = extend_chain(chain, sha256)

    def _own_content(self, transaction: Transaction, name: str, sha256: bytes) -> bytes | None:
        """The content of a file of this store, from its place or else from the store's copy."""
        content = self.published.get(name)
        if content is not None and hashlib.sha256(content).digest() == sha256:
            return content
        return copied_content(transaction, sha256)


def requeue_items(transaction: Transaction) -> None:
    """Put the items of an unfinished package back among the waiting ones, with its padding, which looks the same."""
    for (content,) in transaction.execute("DELETE FROM venue_package WHERE sha256 IS NULL RETURNING content"):
        transaction.execute_each(
            "INSERT INTO waiting_item (tag, nonce, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            _items(bytes(content)),
        )


def _items(content: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """The items of a package, as tag, nonce and sealed content."""
    items = [content[start : start + ITEM_LENGTH] for start in range(0, len(content), ITEM_LENGTH)]
    nonce_end = TAG_LENGTH + NONCE_LENGTH
    return [(item[:TAG_LENGTH], item[TAG_LENGTH:nonce_end], item[nonce_end:]) for item in items]
