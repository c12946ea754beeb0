# SPDX-License-Identifier: Apache-2.0
"""`bluezone codes book`: make code books on a machine apart, and register them with the signer of the city."""

import datetime
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import prints_result
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.keyserver.signer.client import Connection

_EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW = click.Path(path_type=Path)
_key_option = click.option("--key", "key_file", required=True, type=_EXISTING, help="The key of `codes book key`.")
PUBLIC_PART = "book.json"


class BookFileInvalid(Refused):
    """A file of a code book is damaged, is there already, or does not contain what is looked for in it."""

    code = "book_file_invalid"


@click.group()
def book() -> None:
    """Codes made before there is a case: made on a machine apart, printed, and handed out without any server."""


@book.command("key")
@click.option("--out", required=True, type=_NEW, help="File of the private key; it stays on this machine.")
@prints_result(lambda result: [f"public key, for book_makers in signer.toml: {result['public']}"])
def make_key(out: Path) -> dict[str, Any]:
    """Create the key of the maker of code books."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.keyserver.securefiles import write_new_file

    private = Ed25519PrivateKey.generate()
    if not write_new_file(out, private.private_bytes_raw().hex().encode(), mode=0o600):
        raise BookFileInvalid(f"{out} is there already")
    return {"public": private.public_key().public_bytes_raw().hex()}


def _made_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"book {result['book']}: {result['slips']} slips, last day {result['last_day']}"
    yield f"to register at the city: {result['list']}"
    for name, file in result["facilities"].items():
        yield f"{file}: {name}"


@book.command("make")
@click.option(
    "--facilities", "facilities_file", required=True, type=_EXISTING, help="CSV: facility,confirmed,clinical."
)
@_key_option
@click.option("--city", "city_text", required=True, help="The city's public key, 64 hex digits, as its site shows it.")
@click.option("--origin", required=True, help="The public origin for links: https://HOST.")
@click.option("--begins", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day, a Monday.")
@click.option(
    "--days", default=14, show_default=True, type=click.IntRange(7, 28), help="Life; two more days are grace."
)
@click.option("--keys", default=4096, show_default=True, type=click.IntRange(1, 65_536), help="Keys of each class.")
@click.option("--reserve", default=50, show_default=True, type=click.IntRange(1), help="Spare slips of each class.")
@click.option("--part", default=0, show_default=True, type=click.IntRange(0, 15), help="From 1: a book to keep sealed.")
@click.option("--out", required=True, type=_NEW, help="New folder for the book.")
@prints_result(_made_lines)
def make(
    facilities_file: Path, key_file: Path, city_text: str, origin: str, begins: datetime.datetime, days: int, keys: int,
    reserve: int, part: int, out: Path,
) -> dict[str, Any]:  # fmt: skip
    """Make a book: the list to register, and for each facility slips to print and a sealed file.

    A slip takes a tenth of a second of a core. The slips and keys of facilities are secret until they are handed out;
    of them only the list goes to the city.
    """
    from bluezone.codebooks.making import RESERVE, Facility, first_book_day, make_book, read_facilities
    from bluezone.codebooks.sealing import key_text, new_key, seal_slips
    from bluezone.codebooks.sheets import sheets_pdf
    from bluezone.keyserver.securefiles import write_atomically
    from bluezone.protocol.upload.books import sign_book

    facilities = [*read_facilities(facilities_file), Facility(RESERVE, reserve, reserve)]
    number = first_book_day(begins.date())
    made = make_book(facilities, _city_key(city_text), number, days, keys, part)
    out.mkdir(mode=0o700)
    list_path = out / f"{made.list.name}.list"
    write_atomically(list_path, sign_book(made.list, _read_key(key_file)))
    write_atomically(out / PUBLIC_PART, json.dumps(made.public_part(), ensure_ascii=False).encode(), mode=0o600)
    files = {}
    for place, name in enumerate(made.slips, start=1):
        key = new_key()
        files[name] = f"{place:03d}.pdf"
        write_atomically(out / files[name], sheets_pdf(made, name, origin), mode=0o600)
        write_atomically(out / f"{place:03d}.sealed", seal_slips(made.by_day(name, origin), key), mode=0o600)
        write_atomically(out / f"{place:03d}.key.txt", f"{name}\n{key_text(key)}\n".encode(), mode=0o600)
    slips = sum(map(len, made.slips.values()))
    members = {"book": made.list.name, "slips": slips, "last_day": made.last_day.isoformat()}
    return {**members, "list": str(list_path), "facilities": files}


@book.command("register")
@click.argument("file", type=_EXISTING)
@data_option
@prints_result(lambda result: [f"registered: book {result['book']}"])
def register(file: Path, data: str | None) -> dict[str, Any]:
    """Register the list of a book, also one that was kept sealed, with the signer; from then on its slips count."""
    from bluezone.keyserver.signer.client import Operation

    name = _signer(data).request_operation(Operation.REGISTER_BOOK, file.read_bytes())
    return {"book": name.decode()}


@book.command("revoke")
@click.argument("slips", nargs=-1, metavar="[SLIP]...")
@_key_option
@click.option("--book", "book_file", required=True, type=_EXISTING, help="book.json of the book.")
@click.option("--facility", help="All slips of this facility.")
@click.option("--all", "whole", is_flag=True, help="The whole book.")
@click.option("--out", required=True, type=_NEW, help="File for `codes book end` at the city.")
@prints_result(lambda result: [f"{result['keys'] or 'all'} to revoke: {result['file']}"])
def revoke(
    slips: tuple[str, ...], key_file: Path, book_file: Path, facility: str | None, whole: bool, out: Path
) -> dict[str, Any]:
    """Write down which slips no longer count: digits or links, those of a facility, or a whole book."""
    from bluezone.keyserver.securefiles import write_new_file
    from bluezone.protocol.upload.books import Revocation, sign_revocation
    from bluezone.protocol.upload.slips import book_begin, read_slip

    if sum(map(bool, (slips, facility, whole))) != 1:
        raise click.UsageError("give slips, or --facility, or --all")
    members = _read_public_part(book_file)
    city = bytes.fromhex(members["city"])
    begins = book_begin(members["book"])
    keys = {read_slip(text, city, begins).public for text in slips}
    if facility:
        keys = _keys_of(members, facility)
    known = set().union(*(_keys_of(members, name) for name in members["facilities"]))
    if not keys <= known:
        raise BookFileInvalid(f"{book_file} has no such slip; is it of another book?")
    revocation = Revocation(members["book"], members["part"], city, tuple(sorted(keys)))
    if not write_new_file(out, sign_revocation(revocation, _read_key(key_file))):
        raise BookFileInvalid(f"{out} is there already")
    return {"keys": len(keys), "file": str(out)}


@book.command("end")
@click.argument("file", type=_EXISTING)
@data_option
@prints_result(lambda result: [f"revoked: {result['revoked']} keys that were open"])
def end(file: Path, data: str | None) -> dict[str, Any]:
    """Hand the signer what `codes book revoke` wrote; a slip that was used stays used."""
    from bluezone.keyserver.signer.client import Operation

    return {"revoked": int(_signer(data).request_operation(Operation.REVOKE_SLIPS, file.read_bytes()))}


@book.command("spent")
@click.argument("name", metavar="BOOK")
@click.option("--out", required=True, type=_NEW, help="File for the maker of the book.")
@data_option
@prints_result(lambda result: [f"{result['spent']} keys were used: {result['file']}"])
def spent(name: str, out: Path, data: str | None) -> dict[str, Any]:
    """Write which keys of an ended BOOK (such as 2970-0) were used, without time or order, for 14 days."""
    from bluezone.keyserver.securefiles import write_new_file
    from bluezone.keyserver.signer.client import Operation
    from bluezone.protocol.upload.books import split_keys

    keys = split_keys(_signer(data).request_operation(Operation.SPENT, name.encode()))
    if not write_new_file(out, "".join(f"{key.hex()}\n" for key in keys).encode(), mode=0o600):
        raise BookFileInvalid(f"{out} is there already")
    return {"spent": len(keys), "file": str(out)}


def _count_lines(result: dict[str, Any]) -> Iterable[str]:
    for name, counts in result["facilities"].items():
        yield f"{counts['used']:5d} of {counts['slips']:5d}  {name}"


@book.command("count")
@click.argument("file", type=_EXISTING)
@click.option("--book", "book_file", required=True, type=_EXISTING, help="book.json of the book.")
@prints_result(_count_lines)
def count(file: Path, book_file: Path) -> dict[str, Any]:
    """Count how many slips of each facility were used, from what `codes book spent` wrote."""
    members = _read_public_part(book_file)
    try:
        used = {bytes.fromhex(line) for line in file.read_text("ascii").split()}
    except ValueError:
        raise BookFileInvalid(f"{file} is not a list of keys of `codes book spent`") from None
    facilities = {}
    for name in members["facilities"]:
        keys = _keys_of(members, name)
        facilities[name] = {"used": len(keys & used), "slips": len(keys)}
    return {"facilities": facilities}


def _city_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise click.UsageError("--city is not a public key: 64 hex digits were expected")
    return key


def _read_key(path: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.keyserver.securefiles import read_secret

    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(read_secret(path).decode("ascii")))
    except ValueError:
        raise BookFileInvalid(f"{path} is not a key of `bluezone codes book key`") from None


def _read_public_part(path: Path) -> dict[str, Any]:
    try:
        members: dict[str, Any] = json.loads(path.read_text("utf-8"))
        complete = {"book", "part", "city", "facilities"} <= members.keys()
    except (ValueError, AttributeError):
        complete = False
    if not complete:
        raise BookFileInvalid(f"{path} is not the {PUBLIC_PART} of a code book")
    return members


def _keys_of(members: dict[str, Any], facility: str) -> set[bytes]:
    classes = members["facilities"].get(facility)
    if classes is None:
        raise BookFileInvalid(f"the book has no facility {facility!r}")
    return {bytes.fromhex(key) for keys in classes.values() for key in keys}


def _signer(data: str | None) -> "Connection":
    from bluezone.city_settings import data_folder
    from bluezone.keyserver.keys.keyfolder import SignerAway
    from bluezone.keyserver.keys.masterkey import MasterKeyInvalid, read_master_key
    from bluezone.keyserver.signer.client import find_signer

    if read_master_key() is not None:
        # Each host then has a signer, and a slip would count once at each of them.
        raise MasterKeyInvalid(
            "code books need one signer; with keys that are sealed in the database there are several"
        )
    client = find_signer(data_folder(data).resolve())
    if client is None:
        raise SignerAway("no signer runs for this folder, and BLUEZONE_SIGNER names none")
    return client
