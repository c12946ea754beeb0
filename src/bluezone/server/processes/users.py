# SPDX-License-Identifier: Apache-2.0
"""The users that the processes of a `serve` belong to where root starts it, and what of the data folder is whose.

Where a user is missing, or root is not who starts it, all processes have one user and one has all parts. Source:
docs/adr/0024-processes-apart.md.
"""

import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bluezone.backup.copies import SUFFIX
from bluezone.keyserver.datafolder import RUN_FOLDER
from bluezone.keyserver.keyfolder import SIGNER_FOLDER
from bluezone.keyserver.publication.downloads import CONFIGS_FOLDER
from bluezone.keyserver.publication.exports import EXPORTS_FOLDER, PACKAGES_FOLDER
from bluezone.keyserver.publication.journal import journal_folder
from bluezone.keyserver.sealing import COMMAND_VARIABLE, FILE_VARIABLE
from bluezone.keyserver.signer.client import SIGNING_FILES
from bluezone.keyserver.signer.client import VARIABLE as SIGNER
from bluezone.keyserver.signer.record import FILE_NAME as RECORD_NAME
from bluezone.keyserver.storage.sqlite import STORES_FOLDER
from bluezone.logs import say
from bluezone.refusal import Refused
from bluezone.timekeeping import NAME as CLOCK_NAME
from bluezone.tls import authority_folder

# `none`, or for parts whose users are called otherwise `PART=USER,…`.
VARIABLE = "BLUEZONE_USERS"
# The worker is of the office's user: both do what people of the office decide.
NAMES = {
    "office": "bluezone",
    "public": "bluezone-public",
    "pages": "bluezone-pages",
    "codes": "bluezone-codes",
    "admission": "bluezone-admission",
    "publication": "bluezone-publication",
    "signer": "bluezone-signer",
}
# Whose group shares a store with the office.
_STORES = {"codes": "codes", "keys": "admission", "office": "pages"}
_OF_PUBLICATION = (EXPORTS_FOLDER, PACKAGES_FOLDER)
_PUBLISHED = (*_OF_PUBLICATION, CONFIGS_FOLDER, "app")
# What only those may know who need it: addresses of databases and of services hold passwords.
_SECRETS = (*(f"BLUEZONE_{name}" for name in ("SMTP", "SMS", "MASTER_KEY")), "CREDENTIALS_DIRECTORY")
_URLS = {"codes": "CODES", "admission": "KEYS", "pages": "OFFICE", "publication": "KEYS"}


class UsersInvalid(Refused):
    """BLUEZONE_USERS names a part that there is not, a user that this machine does not have, or one user twice; some of
    the users are there and one is not; or a folder that would be given away is a link to elsewhere.
    """

    code = "users_invalid"


@dataclass(frozen=True)
class User:
    """One user, as a process becomes it. groups: beside its own."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def find_users() -> Mapping[str, User] | None:
    """The users by part; None where all processes stay with the user of `serve`. Raises UsersInvalid."""
    said = os.environ.get(VARIABLE, "")
    # Sealed keys are fetched by one user for all.
    if os.geteuid() != 0 or said == "none" or {FILE_VARIABLE, COMMAND_VARIABLE} & os.environ.keys():
        return None
    names = NAMES | dict(_named(said))
    found = {part: user for part, name in names.items() if (user := _user(name))}
    for part in sorted(names.keys() - found.keys()):
        # Those that are there with one user, too, say nothing.
        if said or found.keys() - {"office", "signer"}:
            raise UsersInvalid(f"{VARIABLE}: this machine has no user {names[part]!r} for {part}")
        return None
    if len({user.uid for user in found.values()} | {0}) <= len(found):
        raise UsersInvalid(f"{VARIABLE}: each part has a user of its own, and none is root")
    shared = tuple(found[part].gid for part in _STORES.values())
    office, publication = found["office"], found["publication"]
    return {
        **found,
        "office": User(office.uid, office.gid, shared),
        "publication": User(publication.uid, publication.gid, (found["admission"].gid,)),
    }


def _named(text: str) -> Iterator[tuple[str, str]]:
    for each in filter(None, text.split(",")):
        part, _, name = each.partition("=")
        if part not in NAMES or not name:
            raise UsersInvalid(f"{VARIABLE}: got {each!r}, expected PART=USER with one of {', '.join(NAMES)}")
        yield part, name


def _user(name: str) -> User | None:
    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        # A number needs no name; a container has few.
        return User(int(name), int(name)) if name.isdigit() else None
    return User(entry.pw_uid, entry.pw_gid)


def become(user: User) -> None:
    """Let this process be another user's for good."""
    os.setgroups(user.groups)
    os.setgid(user.gid)
    os.setuid(user.uid)


def environment_of(part: str, folder: Path) -> dict[str, str]:
    """What a process of a part finds in its environment: no address of a store but its own, no password."""
    kept = dict(os.environ)
    kept |= {"BLUEZONE_DATA": str(folder), "HOME": str(folder)}
    if part in ("office", "worker"):
        return kept
    common = kept.pop("BLUEZONE_DATABASE_URL", "")
    own = kept.get(f"BLUEZONE_{_URLS[part]}_URL") or common if part in _URLS else ""
    kept = {name: value for name, value in kept.items() if not name.startswith(_SECRETS)}
    if part not in ("public", "pages", "publication"):
        # Those read or write what was published, perhaps in a bucket.
        kept = {name: value for name, value in kept.items() if not name.startswith("AWS_")}
    for name in _URLS.values():
        kept.pop(f"BLUEZONE_{name}_URL", None)
    if own:
        kept[f"BLUEZONE_{_URLS[part]}_URL"] = own
    return kept


def hand_out(folder: Path, users: Mapping[str, User]) -> None:
    """Give what is in the data folder to whom it belongs, before the processes begin. Safe to repeat.

    Stores go into folders of their own, and what signs for phones to the signer.
    """
    office, publication = users["office"], users["publication"]
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    journal = journal_folder(folder)
    journal.mkdir(mode=0o755, parents=True, exist_ok=True)
    _require_own(folder)
    _give_all(folder, office)
    for path in (journal, *(folder / name for name in _OF_PUBLICATION)):
        _make(path, publication.uid, publication.gid, 0o755)
        _give_all(path, publication)
    folder.chmod(0o711)
    for path in (*folder.glob("*.toml"), folder / CLOCK_NAME):
        # Settings, profiles of diseases, which time was believed.
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755 if path.name in (*_PUBLISHED, SIGNER_FOLDER) else 0o711 if path.name in _PARTED else 0o700)
    for name, part in _STORES.items():
        _give_store(folder, name, office.uid, users[part].gid)
    _give_secrets(folder / "keys", users)
    _keep_authority(authority_folder(folder))
    if SIGNER not in os.environ:
        _give_to_signer(folder, users["signer"])
    run = folder / RUN_FOLDER
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(mode=0o711)
    run.chmod(0o711)
    for part in _URLS:
        _make(run / part, users[part].uid, users[part].gid, 0o711)


_PARTED = (STORES_FOLDER, RUN_FOLDER, "keys")


def lend(path: Path, folder: Path, user: User, name: str) -> Path:
    """A copy of a key for TLS that a user may read, and where it is."""
    target = folder / RUN_FOLDER / name
    aside = target.with_name(f".{name}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(path.read_bytes())
        os.fchown(file.fileno(), user.uid, user.gid)
    aside.replace(target)
    return target


def _give_all(folder: Path, user: User) -> None:
    """Give a folder and what is in it to a user, but what is given to others below."""
    os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    for path in folder.iterdir():
        if path.name in (STORES_FOLDER, SIGNER_FOLDER, RUN_FOLDER, *_OF_PUBLICATION):
            continue
        if path.suffix == SUFFIX and path.lstat().st_uid == 0:
            # A backup that has the signer's keys; who has the keys of the days would open it.
            continue
        if path.is_dir() and not path.is_symlink():
            _give_all(path, user)
        elif path.is_symlink() or path.stat().st_nlink == 1:
            # A file with another name elsewhere may be somebody else's.
            os.chown(path, user.uid, user.gid, follow_symlinks=False)


def _give_store(folder: Path, name: str, uid: int, gid: int) -> None:
    place = folder / STORES_FOLDER / name
    _make(folder / STORES_FOLDER, uid, -1, 0o711)
    # What SQLite puts beside the file belongs to the same group.
    _make(place, uid, gid, 0o2770)
    for end in ("", "-wal", "-shm"):
        file = folder / f"{name}.sqlite3{end}"
        if file.exists() and not file.is_symlink():
            file.rename(place / file.name)
    for file in place.iterdir():
        if not file.is_symlink() and file.stat().st_nlink == 1:
            os.chown(file, uid, gid, follow_symlinks=False)
            file.chmod(0o660)


def _give_secrets(keys: Path, users: Mapping[str, User]) -> None:
    if not keys.exists():
        return
    _require_own(keys)
    keys.chmod(0o711)
    for path in keys.iterdir():
        if path.is_symlink() or not path.is_file():
            continue
        part = "codes" if path.name == "pepper" else "pages" if path.name in _OF_PAGES else None
        os.chown(path, users["office"].uid, users[part].gid if part else users["office"].gid)
        path.chmod(0o640 if part else 0o644 if path.suffix == ".pub" else 0o600)


def _keep_authority(place: Path) -> None:
    """The local authority for TLS stays root's; a page shows its certificate."""
    if not place.exists():
        return
    _make(place, 0, 0, 0o711)
    for path in place.iterdir():
        if path.is_file() and not path.is_symlink():
            os.chown(path, 0, 0)
            path.chmod(0o644 if path.name == "authority.pem" else 0o600)


# What the public pages compare what people send with, and seal it under.
_OF_PAGES = ("office-django", "office-factors")


def _give_to_signer(folder: Path, signer: User) -> None:
    place, keys = folder / SIGNER_FOLDER, folder / "keys"
    # Its socket and the public halves of the week keys are there for others.
    _make(place, signer.uid, signer.gid, 0o755)
    _make(place / "keys", signer.uid, signer.gid, 0o700)
    moved = 0
    for pattern in SIGNING_FILES if keys.exists() else ():
        for path in keys.glob(pattern):
            if not path.is_symlink():
                path.rename(place / "keys" / path.name)
                moved += 1
    for path in (*place.iterdir(), *(place / "keys").iterdir()):
        if path.is_file() and not path.is_symlink():
            os.chown(path, signer.uid, signer.gid)
    if (place / RECORD_NAME).exists():
        (place / RECORD_NAME).chmod(0o600)
    if moved:
        say("keys_given_to_signer", f"{moved} keys that sign for phones are the signer's alone now")


def _require_own(path: Path) -> None:
    """What root gives away lies in the data folder. Raises UsersInvalid."""
    if path.is_symlink():
        raise UsersInvalid(f"{path.name} of the data folder is a link; whose that is shall not be changed")


def _make(path: Path, uid: int, gid: int, mode: int) -> None:
    _require_own(path)
    path.mkdir(exist_ok=True)
    os.chown(path, uid, gid, follow_symlinks=False)
    path.chmod(mode)
