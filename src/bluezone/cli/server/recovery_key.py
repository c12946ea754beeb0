# SPDX-License-Identifier: Apache-2.0
"""`bluezone recovery-key`: the key on paper, which signs the record of a new epoch."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import prints_result
from bluezone.cli.server.history import epoch_as_json, epoch_lines
from bluezone.refusal import Refused

_KEY_BYTES = 32
_CHECK_BYTES = 2
_GROUP = 4


class RecoveryKeyExists(Refused):
    """The city already has a recovery key, which phones never replace; nothing was made."""

    code = "recovery_key_exists"


class RecoveryKeyInvalid(Refused):
    """The typed text is not a recovery key: a digit is missing or wrong."""

    code = "recovery_key_invalid"


def key_text(private: bytes) -> str:
    """A recovery key as it is written on paper: 64 hex digits and 4 check digits, in groups of 4."""
    digits = (private + hashlib.sha256(private).digest()[:_CHECK_BYTES]).hex()
    return "-".join(digits[place : place + _GROUP] for place in range(0, len(digits), _GROUP))


def read_key(text: str) -> bytes:
    """The private key, 32 bytes, from the text on paper. Raises RecoveryKeyInvalid."""
    try:
        raw = bytes.fromhex("".join(text.split()).replace("-", ""))
    except ValueError:
        raw = b""
    private = raw[:_KEY_BYTES]
    if len(raw) != _KEY_BYTES + _CHECK_BYTES or hashlib.sha256(private).digest()[:_CHECK_BYTES] != raw[_KEY_BYTES:]:
        raise RecoveryKeyInvalid("this is not a recovery key: 17 groups of 4 digits and letters a to f were expected")
    return private


@click.group("recovery-key")
def recovery_key() -> None:
    """The only key that can lead phones to a new epoch after a loss; it is kept on paper, never on a server."""


def _new_lines(result: dict[str, Any]) -> Iterable[str]:
    yield "Write this down, twice, and keep it apart from the server. It is shown only once and not stored:"
    yield ""
    yield f"    {result['recovery_key']}"
    yield ""
    yield f"public part, which phones learn with the next config: {result['public']}"


@recovery_key.command()
@data_option
@prints_result(_new_lines)
def new(data: str | None) -> dict[str, Any]:
    """Make the city's recovery key, once, before the first phones: each phone trusts the first that it learns."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.city_settings import data_folder, load_city
    from bluezone.keyserver.configs.recoverykey import RECOVERY_CHECK_FILE, RECOVERY_FILE, hash_last_group
    from bluezone.keyserver.securefiles import write_atomically, write_new_file

    folder = data_folder(data).resolve()
    load_city(folder)
    private = os.urandom(_KEY_BYTES)
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()
    (folder / RECOVERY_FILE).parent.mkdir(mode=0o700, exist_ok=True)
    if not write_new_file(folder / RECOVERY_FILE, public.encode() + b"\n", mode=0o600):
        raise RecoveryKeyExists(f"there is one already: {RECOVERY_FILE} in the data folder; nothing was made")
    # The office's first day asks for the check digits, so that someone reads the paper once more.
    text = key_text(private)
    write_atomically(folder / RECOVERY_CHECK_FILE, hash_last_group(public, text[-_GROUP:]), mode=0o600)
    return {"recovery_key": text, "public": public}


def _signed_lines(result: dict[str, Any]) -> Iterable[str]:
    yield from epoch_lines(result)
    yield f"wrote {result['file']}: take it to the server, bluezone history open {Path(result['file']).name}"


@recovery_key.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path))
@prints_result(_signed_lines)
def sign(file: Path, out: Path) -> dict[str, Any]:
    """Sign the record of an epoch, on a machine that is not the server; asks for the key from paper."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.protocol.signed.epoch import decode_epoch, sign_epoch

    epoch = decode_epoch(file.read_bytes())
    for line in epoch_lines(epoch_as_json(epoch)):
        click.echo(line, err=True)
    private = read_key(click.prompt("Recovery key", hide_input=True, err=True))
    out.write_text(sign_epoch(epoch, Ed25519PrivateKey.from_private_bytes(private)) + "\n")
    return {**epoch_as_json(epoch), "file": str(out)}
