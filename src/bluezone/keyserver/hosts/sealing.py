# SPDX-License-Identifier: Apache-2.0
"""A city's keys, configs and settings in its database, sealed under a master key, so that all hosts have the same.

A host's data folder is then only a copy: it is filled at the start and updated while a worker runs. Files of a single
host are not shared, such as day keys of backups and the local certificate authority.
"""

import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bluezone.city_settings import FILE_NAME, load_city
from bluezone.keyserver.datafolder import LOCK_NAME, TURN_SECONDS
from bluezone.keyserver.declarations import KEY_FILE
from bluezone.keyserver.keys.keyfolder import Secrets, SigningKeys, open_secrets
from bluezone.keyserver.keys.masterkey import COMMAND_VARIABLE, FILE_VARIABLE, MasterKeyInvalid, read_master_key
from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.securefiles import erase_file, write_atomically, write_new_file
from bluezone.keyserver.storage.opening import database_url, open_store
from bluezone.keyserver.storage.store import Store, StoreBusy, Transaction
from bluezone.logs import event_fields
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

# Which versions this host has fetched. Backups leave out files with such a name: their stores may be a little older.
STATE_NAME = "sealed.lock"
_TURN_NAME = "sealing.lock"
_NONCE_BYTES = 12
# The program erases only these files; any other file that is missing here was lost and is fetched again.
_ERASED = re.compile(r"keys/week-[0-9]+\.json")
_CONFIG = re.compile(r"configs/[0-9]+\.json")
# Secrets of the office, which would otherwise differ between hosts (office_secrets.py).
_OFFICE_SECRETS = ("django", "factors", "audit", "seal")


class MasterKeyWrong(Refused):
    """The master key does not open the sealed files in the database, or someone has changed them."""

    code = "master_key_wrong"


def open_sealed_folder(store: Store, folder: Path) -> "SealedFolder | None":
    """The files that a folder shares with other hosts through its store; None if it shares none.

    Raises MasterKeyInvalid.
    """
    key = read_master_key()
    if key is not None:
        return SealedFolder(store, folder, key)
    if is_sealed(store):
        raise MasterKeyInvalid(f"the city's keys are sealed in its database; set {FILE_VARIABLE} or {COMMAND_VARIABLE}")
    return None


def open_shared_secrets(
    folder: Path,
    shared: "SealedFolder | None",
    alone: Callable[[], AbstractContextManager[object]],
    signing: Callable[[], SigningKeys | None] = lambda: None,
) -> Secrets:
    """Read the secrets of a folder, making those that are missing.

    alone: takes the turn among all hosts. signing: returns the keys of a signer, None if this process has them.
    """
    if shared is None:
        return open_secrets(folder / "keys", signing())
    # If two hosts begin at once, one makes the secrets and the other fetches them.
    with alone():
        shared.pull()
        secrets = open_secrets(folder / "keys", signing())
        for name in _OFFICE_SECRETS:
            write_new_file(folder / "keys" / f"office-{name}", token_urlsafe(48).encode(), mode=0o600)
        shared.sync(edited=True)
    return secrets


def is_sealed(store: Store) -> bool:
    """Whether the city's keys are in this store."""
    return store.dialect == "postgresql" and bool(store.read("SELECT 1 FROM sealed_file WHERE name <> '' LIMIT 1"))


def fetch_folder(folder: Path) -> None:
    """Fill a data folder with what its city has sealed in the database; does nothing if the keys are only in files.

    Raises MasterKeyInvalid, MasterKeyWrong, StoreRefused.
    """
    if read_master_key() is None:
        return
    if database_url("keys") is None:
        raise MasterKeyInvalid("a master key is for stores on PostgreSQL; keep the keys in files")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = open_store("keys", folder, database_url("keys"))
    try:
        shared = open_sealed_folder(store, folder)
        if shared and is_sealed(store):
            shared.pull()
    finally:
        store.close()


class SealedFolder:
    """The files that a data folder shares with those of other hosts, through sealed rows of their database.

    key: the master key, 32 bytes. Several processes may call every method at once. Raises MasterKeyInvalid if the store
    is not PostgreSQL.
    """

    def __init__(self, store: Store, folder: Path, key: bytes) -> None:
        if store.dialect != "postgresql":
            raise MasterKeyInvalid("a master key is for stores on PostgreSQL; keep the keys in files")
        self._store = store
        self._folder = folder
        self._aead = AESGCM(key)
        self._sealed: dict[str, tuple[int, int, int]] = {}

    def pull(self) -> None:
        """Fetch every file that others have changed, or that is missing here. Raises MasterKeyWrong."""
        self._sync(fetch_all=True, push=False, edited=False)

    def sync(self, edited: bool = False) -> None:
        """Fetch files that others have changed, then seal files that were changed here.

        edited: also seal files that people edit (settings, disease profile, the key for declarations).
        Raises MasterKeyWrong.
        """
        self._sync(fetch_all=False, push=True, edited=edited)

    def seal_new_file(self, name: str, content: bytes) -> None:
        """Seal a new file before it is written here. Raises StoreBusy if another host has sealed one of this name."""
        if self._put(name, content, 0) is None:
            raise StoreBusy(f"keys: another host has made {name} meanwhile")

    def replace_all(self) -> int:
        """Replace all sealed files by this folder's files, under this master key; returns how many there are."""
        (self._folder / STATE_NAME).unlink(missing_ok=True)
        self.delete_all()
        self.sync(edited=True)
        return self.count()

    def delete_all(self) -> None:
        """Delete all sealed files from the database; the files in the folder stay."""
        self._store.write(lambda transaction: transaction.execute("DELETE FROM sealed_file WHERE name <> ''"))
        self._sealed.clear()

    def count(self) -> int:
        """How many files are sealed."""
        return int(self._store.read("SELECT COUNT(*) FROM sealed_file WHERE name <> '' AND sealed <> ''")[0][0])

    def _sync(self, fetch_all: bool, push: bool, edited: bool) -> None:
        with lock_file(self._folder / _TURN_NAME, wait=True):
            state = self._read_state()
            before = json.dumps(state)
            changes = int(self._store.read("SELECT version FROM sealed_file WHERE name = ''")[0][0])
            if fetch_all or changes != state["changes"]:
                self._fetch(state, 0 if fetch_all else state["changes"])
                state["changes"] = changes
            if push:
                self._seal_changes(state, edited)
            if json.dumps(state) != before:
                write_atomically(self._folder / STATE_NAME, json.dumps(state).encode(), mode=0o600)

    def _fetch(self, state: dict[str, Any], after: int) -> None:
        files = state["files"]
        rows = self._store.read(
            "SELECT name, version, sealed FROM sealed_file WHERE name <> '' AND version > ? ORDER BY version", (after,)
        )
        # All are decrypted before the first is written: a wrong key leaves the folder as it was.
        opened = [(name, version, self._open(name, version, bytes(sealed)) if sealed else None)
                  for name, version, sealed in rows]  # fmt: skip
        for name, version, content in opened:
            path = self._folder / name
            known = files.get(name)
            if content is None:
                erase_file(path)
            elif not path.exists():
                self._replace(path, content, None, known)
            elif (not known or known[0] < version) and path.read_bytes() != content:
                self._replace(path, content, _hash(path.read_bytes()), known)
            elif known and known[0] == version:
                # This host has changed the file since, and will seal it.
                continue
            files[name] = [version, "" if content is None else _hash(content)]

    def _replace(self, path: Path, content: bytes, here: str | None, known: list[Any] | None) -> None:
        secret = path.parent.name == "keys"
        if here is not None and not secret and (known is None or known[1] != here):
            # Edited on two hosts: the change that was sealed first is valid, this host's change is saved.
            path.replace(path.with_name(path.name + ".local"))
            sentence = f"{path.name} was changed on another host, too; the version of this host is in {path.name}.local"
            logger.warning(sentence, extra=event_fields("edited_twice", file=path.name))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, content, mode=0o600 if secret else 0o644)

    def _seal_changes(self, state: dict[str, Any], edited: bool) -> None:
        files = state["files"]
        for name in self._names(edited):
            path = self._folder / name
            status = path.stat()
            state_of_file = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._sealed.get(name) == state_of_file:
                continue
            content = path.read_bytes()
            known = files.get(name)
            if not known or known[1] != _hash(content):
                version = self._put(name, content, known[0] if known else 0)
                if version is None:
                    # Another host was faster; its file is fetched next time.
                    continue
                files[name] = [version, _hash(content)]
            self._sealed[name] = state_of_file
        for name, (version, digest) in list(files.items()):
            if digest and _ERASED.fullmatch(name) and not (self._folder / name).exists():
                erased = self._put(name, None, version)
                if erased is not None:
                    files[name] = [erased, ""]

    def _names(self, edited: bool) -> Iterator[str]:
        for path in sorted((self._folder / "keys").glob("[!.]*")):
            if path.is_file():
                yield f"keys/{path.name}"
        for path in sorted((self._folder / "configs").glob("*.json")):
            if _CONFIG.fullmatch(f"configs/{path.name}"):
                yield f"configs/{path.name}"
        if edited:
            profile = load_city(self._folder).profile
            inside = not Path(profile).is_absolute() and ".." not in Path(profile).parts
            for name in (FILE_NAME, KEY_FILE, *([profile] if inside else ())):
                if (self._folder / name).is_file():
                    yield name

    def _put(self, name: str, content: bytes | None, known: int) -> int | None:
        """Store a file if its row still has the known version; returns the new one, None if another host was faster."""

        def action(transaction: Transaction) -> int | None:
            # The counter's row is locked until the commit, so that other hosts see the versions in their order.
            count = "UPDATE sealed_file SET version = version + 1 WHERE name = '' RETURNING version"
            version = int(transaction.execute(count)[0][0])
            sealed = b"" if content is None else self._seal(name, version, content)
            if known:
                change = "UPDATE sealed_file SET version = ?, sealed = ? WHERE name = ? AND version = ? RETURNING 1"
                rows = transaction.execute(change, (version, sealed, name, known))
            else:
                add = "INSERT INTO sealed_file VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"
                rows = transaction.execute(add, (name, version, sealed))
            return version if rows else None

        return self._store.write(action)

    def _seal(self, name: str, version: int, content: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, content, _bound(name, version))

    def _open(self, name: str, version: int, sealed: bytes) -> bytes:
        try:
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(name, version))
        except (InvalidTag, ValueError):
            raise MasterKeyWrong(
                f"the master key does not open {name} in the database; it is another city's or an older one,"
                " or someone has changed the row"
            ) from None

    def _read_state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self._folder / STATE_NAME).read_text())
        except (FileNotFoundError, ValueError):
            return {"changes": 0, "files": {}}
        return state


def _bound(name: str, version: int) -> bytes:
    return f"bluezone sealed file v1\0{name}\0{version}".encode()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def seal_again(folder: Path) -> int:
    """Replace all sealed files by a folder's files, under the current master key; returns how many there are.

    Raises MasterKeyInvalid, StoreBusy if another process has the turn too long.
    """
    key = read_master_key()
    if key is None:
        raise MasterKeyInvalid("there is no master key yet; docs/operating.md says how to give one")
    with lock_file(folder / LOCK_NAME, wait=True):
        store = open_store("keys", folder, database_url("keys"))
        try:
            with store.exclusive(TURN_SECONDS):
                return SealedFolder(store, folder, key).replace_all()
        finally:
            store.close()
