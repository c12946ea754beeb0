# SPDX-License-Identifier: Apache-2.0
"""The stores of a city, opened where the operator has them; and its keys, configs and settings in that database, sealed
under a master key, so that every host has the same.

A host's data folder is then a copy that can be thrown away: it is filled at a start and kept alike while a worker runs.
Day keys of backups, the local authority and everything else of one host stay where they are.
"""

import hashlib
import json
import logging
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bluezone.city import FILE_NAME, load_city
from bluezone.keyserver.datafolder import LOCK_NAME, TURN_SECONDS, only_one
from bluezone.keyserver.declarations import KEY_FILE
from bluezone.keyserver.keyfolder import Secrets, SigningKeys, erase, open_secrets, read_secret, write_new, write_whole
from bluezone.keyserver.storage.opening import database_url, open_store
from bluezone.keyserver.storage.store import Store, StoreBusy, Transaction
from bluezone.logs import event
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

FILE_VARIABLE = "BLUEZONE_MASTER_KEY_FILE"
COMMAND_VARIABLE = "BLUEZONE_MASTER_KEY_COMMAND"
# What this host has fetched; its name keeps it out of backups, whose stores may be a little older.
STATE_NAME = "sealed.lock"
_TURN_NAME = "sealing.lock"
_COMMAND_SECONDS = 60.0
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_NONCE_BYTES = 12
# Only these are ever erased by the program; what else is missing here was lost, and is fetched again.
_ERASED = re.compile(r"keys/week-[0-9]+\.json")
_CONFIG = re.compile(r"configs/[0-9]+\.json")


class MasterKeyInvalid(Refused):
    """The master key under which the city's keys are sealed cannot be had, or is none."""

    code = "master_key_invalid"


class MasterKeyWrong(Refused):
    """The master key does not open what is sealed in the database, or somebody has changed that."""

    code = "master_key_wrong"


def master_key() -> bytes | None:
    """The 32 bytes that the operator's file or command gives; None where keys are kept in files. Raises
    MasterKeyInvalid, KeyFileExposed.
    """
    path, command = os.environ.get(FILE_VARIABLE), os.environ.get(COMMAND_VARIABLE)
    if path and command:
        raise MasterKeyInvalid(f"both {FILE_VARIABLE} and {COMMAND_VARIABLE} are set; leave one out")
    if path:
        try:
            text = read_secret(Path(path))
        except OSError as error:
            raise MasterKeyInvalid(f"the file of {FILE_VARIABLE} cannot be read: {error.strerror}") from None
    elif command:
        text = _answer_of(command)
    else:
        return None
    found = text.decode("ascii", "replace").strip()
    if not _HEX.fullmatch(found):
        raise MasterKeyInvalid("the master key is not 64 hex digits; `openssl rand -hex 32` makes one")
    return bytes.fromhex(found)


def _answer_of(command: str) -> bytes:
    # Neither what it said nor its arguments are repeated: either may hold a secret.
    try:
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS)  # noqa: S603
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise MasterKeyInvalid(f"the command of {COMMAND_VARIABLE} failed: {type(error).__name__}") from None
    if done.returncode:
        raise MasterKeyInvalid(f"the command of {COMMAND_VARIABLE} ended with {done.returncode}")
    return done.stdout


# What the office would make on each host by itself (office_secrets.py).
_OFFICE_SECRETS = ("django", "factors", "audit", "seal")


def shared_folder(store: Store, folder: Path) -> "SealedFolder | None":
    """What a folder shares with other hosts through its store; None where keys are kept in files.

    Raises MasterKeyInvalid.
    """
    key = master_key()
    if key is not None:
        return SealedFolder(store, folder, key)
    if is_sealed(store):
        raise MasterKeyInvalid(f"the city's keys are sealed in its database; set {FILE_VARIABLE} or {COMMAND_VARIABLE}")
    return None


def secrets_of(
    folder: Path,
    shared: "SealedFolder | None",
    alone: Callable[[], AbstractContextManager[object]],
    signing: Callable[[], SigningKeys | None] = lambda: None,
) -> Secrets:
    """The secrets of a folder, made where they are missing. alone: the turn among all hosts; signing: of a signer."""
    if shared is None:
        return open_secrets(folder / "keys", signing())
    # Of two hosts that begin at once one makes them, and the other fetches them.
    with alone():
        shared.pull()
        secrets = open_secrets(folder / "keys", signing())
        for name in _OFFICE_SECRETS:
            write_new(folder / "keys" / f"office-{name}", token_urlsafe(48).encode(), mode=0o600)
        shared.sync(edited=True)
    return secrets


def is_sealed(store: Store) -> bool:
    """Whether the city's keys are in this store."""
    return store.dialect == "postgresql" and bool(store.read("SELECT 1 FROM sealed_file WHERE name <> '' LIMIT 1"))


def fetch_folder(folder: Path) -> None:
    """Fill a data folder with what its city has sealed in the database; does nothing where keys are kept in files.

    Raises MasterKeyInvalid, MasterKeyWrong, StoreRefused.
    """
    if master_key() is None:
        return
    if database_url("keys") is None:
        raise MasterKeyInvalid("a master key is for stores on PostgreSQL; keep the keys in files")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = open_store("keys", folder, database_url("keys"))
    try:
        shared = shared_folder(store, folder)
        if shared and is_sealed(store):
            shared.pull()
    finally:
        store.close()


class SealedFolder:
    """What a data folder has in common with those of other hosts, and the sealed rows that they share.

    Every method may be called by several processes at once. Raises MasterKeyInvalid where there is no master key
    although keys are sealed, or one although the store is no PostgreSQL.
    """

    def __init__(self, store: Store, folder: Path, key: bytes) -> None:
        if store.dialect != "postgresql":
            raise MasterKeyInvalid("a master key is for stores on PostgreSQL; keep the keys in files")
        self._store, self._folder = store, folder
        self._aead = AESGCM(key)
        self._looked: dict[str, tuple[int, int, int]] = {}

    def pull(self) -> None:
        """Fetch everything that others have changed and all that is missing here. Raises MasterKeyWrong."""
        self._sync(all_of_it=True, push=False, edited=False)

    def sync(self, edited: bool = False) -> None:
        """Fetch what others have changed, then seal what was changed here.

        edited: also what people edit (settings, disease profile, the key for declarations). Raises MasterKeyWrong.
        """
        self._sync(all_of_it=False, push=True, edited=edited)

    def keep(self, name: str, content: bytes) -> None:
        """Seal a new file before it is written here. Raises StoreBusy where another host has made one of its name."""
        if self._put(name, content, 0) is None:
            raise StoreBusy(f"keys: another host has made {name} meanwhile")

    def seal_anew(self) -> int:
        """Put this folder's files in place of all that is sealed, under this master key; returns how many."""
        (self._folder / STATE_NAME).unlink(missing_ok=True)
        self.forget()
        self.sync(edited=True)
        return self.count()

    def forget(self) -> None:
        """Delete what is sealed; the files stay here."""
        self._store.write(lambda transaction: transaction.execute("DELETE FROM sealed_file WHERE name <> ''"))
        self._looked.clear()

    def count(self) -> int:
        """How many files are sealed."""
        return int(self._store.read("SELECT COUNT(*) FROM sealed_file WHERE name <> '' AND sealed <> ''")[0][0])

    def _sync(self, all_of_it: bool, push: bool, edited: bool) -> None:
        with only_one(self._folder / _TURN_NAME, wait=True):
            state = self._read_state()
            before = json.dumps(state)
            changes = int(self._store.read("SELECT version FROM sealed_file WHERE name = ''")[0][0])
            if all_of_it or changes != state["changes"]:
                self._fetch(state, 0 if all_of_it else state["changes"])
                state["changes"] = changes
            if push:
                self._give(state, edited)
            if json.dumps(state) != before:
                write_whole(self._folder / STATE_NAME, json.dumps(state).encode(), mode=0o600)

    def _fetch(self, state: dict[str, Any], after: int) -> None:
        files = state["files"]
        rows = self._store.read(
            "SELECT name, version, sealed FROM sealed_file WHERE name <> '' AND version > ? ORDER BY version", (after,)
        )
        # All are opened before the first is written: a wrong key leaves the folder as it was.
        opened = [(name, version, self._open(name, version, bytes(sealed)) if sealed else None)
                  for name, version, sealed in rows]  # fmt: skip
        for name, version, content in opened:
            path, known = self._folder / name, files.get(name)
            if content is None:
                erase(path)
            elif not path.exists() or ((not known or known[0] < version) and path.read_bytes() != content):
                self._replace(path, content, _hash(path.read_bytes()) if path.exists() else None, known)
            elif known and known[0] == version:
                # Changed here since; it is this host's to give.
                continue
            files[name] = [version, "" if content is None else _hash(content)]

    def _replace(self, path: Path, content: bytes, here: str | None, known: list[Any] | None) -> None:
        secret = path.parent.name == "keys"
        if here is not None and not secret and (known is None or known[1] != here):
            # Edited on two hosts: the one that came first holds, and nobody's work is lost.
            path.replace(path.with_name(path.name + ".local"))
            sentence = f"{path.name} was changed on another host, too; what stood here is in {path.name}.local"
            logger.warning(sentence, extra=event("edited_twice", file=path.name))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, content, mode=0o600 if secret else 0o644)

    def _give(self, state: dict[str, Any], edited: bool) -> None:
        files = state["files"]
        for name in self._names(edited):
            path = self._folder / name
            found = path.stat()
            look = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._looked.get(name) == look:
                continue
            content, known = path.read_bytes(), files.get(name)
            if not known or known[1] != _hash(content):
                version = self._put(name, content, known[0] if known else 0)
                if version is None:
                    # Another host was quicker; the next time its file is fetched.
                    continue
                files[name] = [version, _hash(content)]
            self._looked[name] = look
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
        """Store a file if the row is still the one that is known; its number, or None if another has changed it."""

        def action(transaction: Transaction) -> int | None:
            # The row of this number is locked until the end, so that numbers are seen in their order.
            count = "UPDATE sealed_file SET version = version + 1 WHERE name = '' RETURNING version"
            version = int(transaction.execute(count)[0][0])
            sealed = b"" if content is None else self._seal(name, version, content)
            if known:
                change = "UPDATE sealed_file SET version = ?, sealed = ? WHERE name = ? AND version = ? RETURNING 1"
                done = transaction.execute(change, (version, sealed, name, known))
            else:
                add = "INSERT INTO sealed_file VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"
                done = transaction.execute(add, (name, version, sealed))
            return version if done else None

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
                " or somebody has changed the row"
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


def sealed_anew(folder: Path) -> int:
    """Seal what a folder holds in place of all that the database does, under the present master key; how many files.

    Raises MasterKeyInvalid, StoreBusy where another process has the turn too long.
    """
    key = master_key()
    if key is None:
        raise MasterKeyInvalid("there is no master key yet; docs/operating.md says how to give one")
    with only_one(folder / LOCK_NAME, wait=True):
        store = open_store("keys", folder, database_url("keys"))
        try:
            with store.exclusive(TURN_SECONDS):
                return SealedFolder(store, folder, key).seal_anew()
        finally:
            store.close()
