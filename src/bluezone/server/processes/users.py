# SPDX-License-Identifier: Apache-2.0
"""The users of the processes of a `serve` that root starts, and the owners of the files in the data folder.

If a user is missing, or root does not start it, all processes have the same user, and one process has all parts.
Source: docs/adr/0024-processes-apart.md.
"""

import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bluezone.backup.creation import SUFFIX
from bluezone.canary.state import FOLDER as CANARY_FOLDER
from bluezone.keyserver.datafolder import RUN_FOLDER
from bluezone.keyserver.keys.keyfolder import SIGNER_FOLDER
from bluezone.keyserver.keys.masterkey import COMMAND_VARIABLE, FILE_VARIABLE
from bluezone.keyserver.publication.log.journal import journal_folder
from bluezone.keyserver.publication.series import CONFIGS_FOLDER, EXPORTS_FOLDER, PACKAGES_FOLDER
from bluezone.keyserver.signer.client import SIGNING_FILES
from bluezone.keyserver.signer.client import VARIABLE as SIGNER
from bluezone.keyserver.signer.record import FILE_NAME as RECORD_NAME
from bluezone.keyserver.storage.sqlite import STORES_FOLDER
from bluezone.logs import log_event
from bluezone.refusal import Refused
from bluezone.timekeeping import NAME as CLOCK_NAME
from bluezone.tls import authority_folder

# `none`, or `PART=USER,…` for parts that have users with other names.
VARIABLE = "BLUEZONE_USERS"
# The worker has the office's user: both do what people of the office decide.
NAMES = {
    "office": "bluezone",
    "public": "bluezone-public",
    "pages": "bluezone-pages",
    "codes": "bluezone-codes",
    "admission": "bluezone-admission",
    "publication": "bluezone-publication",
    "signer": "bluezone-signer",
}
# For each store, the part that shares it with the office: the store's files belong to the group of this part.
_STORES = {"codes": "codes", "keys": "admission", "office": "pages"}
_PUBLICATION_FOLDERS = (EXPORTS_FOLDER, PACKAGES_FOLDER)
_PUBLISHED = (*_PUBLICATION_FOLDERS, CONFIGS_FOLDER, "app")
# Variables that only the office and the worker get: their values contain passwords.
_SECRETS = (*(f"BLUEZONE_{name}" for name in ("SMTP", "SMS", "MASTER_KEY")), "CREDENTIALS_DIRECTORY")
_URLS = {"codes": "CODES", "admission": "KEYS", "pages": "OFFICE", "publication": "KEYS"}
# Folders with files of several users.
_SHARED = (STORES_FOLDER, RUN_FOLDER, "keys")
# The keys with which the public pages check and seal what people send.
_PAGES_SECRETS = ("office-django", "office-factors")


class UsersInvalid(Refused):
    """BLUEZONE_USERS is wrong, only some of the users exist, or a folder to be given to a user is a symbolic link.

    The variable is wrong if it names an unknown part, a missing user, root, or the same user twice.
    """

    code = "users_invalid"


@dataclass(frozen=True)
class User:
    """A user that a process can become. groups: supplementary ones."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def find_users() -> Mapping[str, User] | None:
    """The users by part; None if all processes keep the user of `serve`. Raises UsersInvalid."""
    setting = os.environ.get(VARIABLE, "")
    # With sealed keys, one user runs all parts, because it fetches the keys for all of them.
    if os.geteuid() != 0 or setting == "none" or {FILE_VARIABLE, COMMAND_VARIABLE} & os.environ.keys():
        return None
    names = NAMES | dict(_user_names(setting))
    users = {part: user for part, name in names.items() if (user := _user(name))}
    for part in sorted(names.keys() - users.keys()):
        # An installation with one user may also have users for the office and the signer.
        if setting or users.keys() - {"office", "signer"}:
            raise UsersInvalid(f"{VARIABLE}: this machine has no user {names[part]!r} for {part}")
        return None
    if len({user.uid for user in users.values()} | {0}) <= len(users):
        raise UsersInvalid(f"{VARIABLE}: each part has its own user, and none is root")
    shared = tuple(users[part].gid for part in _STORES.values())
    office = users["office"]
    publication = users["publication"]
    return {
        **users,
        "office": User(office.uid, office.gid, shared),
        "publication": User(publication.uid, publication.gid, (users["admission"].gid,)),
    }


def _user_names(text: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, text.split(",")):
        part, _, name = pair.partition("=")
        if part not in NAMES or not name:
            raise UsersInvalid(f"{VARIABLE}: got {pair!r}, expected PART=USER with one of {', '.join(NAMES)}")
        yield part, name


def _user(name: str) -> User | None:
    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        # A number needs no entry; a container has few.
        return User(int(name), int(name)) if name.isdigit() else None
    return User(entry.pw_uid, entry.pw_gid)


def switch_to_user(user: User) -> None:
    """Change this process to another user for good."""
    os.setgroups(user.groups)
    os.setgid(user.gid)
    os.setuid(user.uid)


def part_environment(part: str, folder: Path) -> dict[str, str]:
    """The environment of a part's process: with the address of the part's store, without secrets of other parts."""
    environment = dict(os.environ)
    environment |= {"BLUEZONE_DATA": str(folder), "HOME": str(folder)}
    if part in ("office", "worker"):
        return environment
    common = environment.pop("BLUEZONE_DATABASE_URL", "")
    own = ""
    if part in _URLS:
        own = environment.get(f"BLUEZONE_{_URLS[part]}_URL") or common
    environment = {name: value for name, value in environment.items() if not name.startswith(_SECRETS)}
    if part not in ("public", "pages", "publication"):
        # The others read or write published files, perhaps in a bucket.
        environment = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    for name in _URLS.values():
        environment.pop(f"BLUEZONE_{name}_URL", None)
    if own:
        environment[f"BLUEZONE_{_URLS[part]}_URL"] = own
    return environment


def assign_owners(folder: Path, users: Mapping[str, User]) -> None:
    """Set the owners of all files in the data folder, before the processes start. Safe to repeat.

    Moves each store into its own folder, and the keys that sign for phones into the signer's.
    """
    office = users["office"]
    publication = users["publication"]
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    journal = journal_folder(folder)
    journal.mkdir(mode=0o755, parents=True, exist_ok=True)
    _require_no_link(folder)
    _chown_all(folder, office)
    for path in (journal, *(folder / name for name in _PUBLICATION_FOLDERS)):
        _make_folder(path, publication.uid, publication.gid, 0o755)
        _chown_all(path, publication)
    folder.chmod(0o711)
    for path in (*folder.glob("*.toml"), folder / CLOCK_NAME):
        # Settings, profiles of diseases, the last trusted time.
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            path.chmod(_mode_of(path.name))
    for name, part in _STORES.items():
        _chown_store(folder, name, office.uid, users[part].gid)
    _chown_secrets(folder / "keys", users)
    _protect_authority(authority_folder(folder))
    if SIGNER not in os.environ:
        _chown_signer(folder, users["signer"])
    public = users["public"]
    _make_folder(folder / CANARY_FOLDER, public.uid, public.gid, 0o755)
    _chown_all(folder / CANARY_FOLDER, public)
    run = folder / RUN_FOLDER
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(mode=0o711)
    run.chmod(0o711)
    for part in _URLS:
        _make_folder(run / part, users[part].uid, users[part].gid, 0o711)


def _mode_of(folder: str) -> int:
    if folder in (*_PUBLISHED, SIGNER_FOLDER, CANARY_FOLDER):
        return 0o755
    if folder in _SHARED:
        return 0o711
    return 0o700


def copy_tls_file(path: Path, folder: Path, user: User, name: str) -> Path:
    """Copy a file for TLS so that a user may read it; returns the path of the copy."""
    target = folder / RUN_FOLDER / name
    new_path = target.with_name(f".{name}")
    new_path.unlink(missing_ok=True)
    descriptor = os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(path.read_bytes())
        os.fchown(file.fileno(), user.uid, user.gid)
    new_path.replace(target)
    return target


def _chown_all(folder: Path, user: User) -> None:
    """Give a folder and its content to a user, except the parts that `assign_owners` gives to others."""
    os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    for path in folder.iterdir():
        if path.name in (STORES_FOLDER, SIGNER_FOLDER, RUN_FOLDER, CANARY_FOLDER, *_PUBLICATION_FOLDERS):
            continue
        if path.suffix == SUFFIX and path.lstat().st_uid == 0:
            # A backup with the signer's keys; a user who has the daily backup keys could open it.
            continue
        if path.is_dir() and not path.is_symlink():
            _chown_all(path, user)
        elif path.is_symlink() or path.stat().st_nlink == 1:
            # A file with several hard links may belong to someone else.
            os.chown(path, user.uid, user.gid, follow_symlinks=False)


def _chown_store(folder: Path, name: str, uid: int, gid: int) -> None:
    place = folder / STORES_FOLDER / name
    _make_folder(folder / STORES_FOLDER, uid, -1, 0o711)
    # With setgid the files that SQLite creates next to the store belong to the same group.
    _make_folder(place, uid, gid, 0o2770)
    for end in ("", "-wal", "-shm"):
        file = folder / f"{name}.sqlite3{end}"
        if file.exists() and not file.is_symlink():
            file.rename(place / file.name)
    for file in place.iterdir():
        if not file.is_symlink() and file.stat().st_nlink == 1:
            os.chown(file, uid, gid, follow_symlinks=False)
            file.chmod(0o660)


def _chown_secrets(keys: Path, users: Mapping[str, User]) -> None:
    if not keys.exists():
        return
    _require_no_link(keys)
    keys.chmod(0o711)
    for path in keys.iterdir():
        if path.is_symlink() or not path.is_file():
            continue
        part = _reader_of(path)
        os.chown(path, users["office"].uid, users[part or "office"].gid)
        if part:
            path.chmod(0o640)
        else:
            path.chmod(0o644 if path.suffix == ".pub" else 0o600)


def _reader_of(secret: Path) -> str | None:
    """The part that may also read a secret of the office, None if only the office may."""
    if secret.name == "pepper":
        return "codes"
    return "pages" if secret.name in _PAGES_SECRETS else None


def _protect_authority(place: Path) -> None:
    """Leave the local authority for TLS to root; its certificate is readable, because a page offers it."""
    if not place.exists():
        return
    _make_folder(place, 0, 0, 0o711)
    for path in place.iterdir():
        if path.is_file() and not path.is_symlink():
            os.chown(path, 0, 0)
            path.chmod(0o644 if path.name == "authority.pem" else 0o600)


def _chown_signer(folder: Path, signer: User) -> None:
    place = folder / SIGNER_FOLDER
    keys = folder / "keys"
    # Others read its socket and the public keys of the week keys.
    _make_folder(place, signer.uid, signer.gid, 0o755)
    _make_folder(place / "keys", signer.uid, signer.gid, 0o700)
    count = 0
    if keys.exists():
        for pattern in SIGNING_FILES:
            for path in keys.glob(pattern):
                if not path.is_symlink():
                    path.rename(place / "keys" / path.name)
                    count += 1
    for path in (*place.iterdir(), *(place / "keys").iterdir()):
        if path.is_file() and not path.is_symlink():
            os.chown(path, signer.uid, signer.gid)
    if (place / RECORD_NAME).exists():
        (place / RECORD_NAME).chmod(0o600)
    if count:
        log_event("keys_given_to_signer", f"only the signer can now read {count} key files that sign for phones")


def _require_no_link(path: Path) -> None:
    """Raise UsersInvalid for a symbolic link: root changes owners only inside the data folder."""
    if path.is_symlink():
        raise UsersInvalid(f"{path.name} in the data folder is a link; its owner must not be changed")


def _make_folder(path: Path, uid: int, gid: int, mode: int) -> None:
    _require_no_link(path)
    path.mkdir(exist_ok=True)
    os.chown(path, uid, gid, follow_symlinks=False)
    path.chmod(mode)
