# SPDX-License-Identifier: Apache-2.0
"""`bluezone letter`: check the seal of an administrative letter."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import Failed, prints_result

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def letter() -> None:
    """Check the seal of an administrative letter, without the office that sent it."""


def _seal_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{result['issuer']}: {result['number']} of {result['date']}, {result['subject']}"
    yield f"sent to {result['recipients']} agencies; the signer confirmed {result['confirmed']}"
    for file in result["files"]:
        yield f"{file['sha256']}  {file['name'] or 'the PDF with the signature'}  {file['state']}"
    for name in result["others"]:
        yield f"{name} is not a file of this letter"
    verdicts = {None: "compare it by telephone", True: "the key given", False: "NOT the key given"}
    yield f"seal {result['seal']} fits; its key is {result['key']}: {verdicts[result['key_fits']]}"


@letter.command()
@click.argument("seal", type=FILE)
@click.argument("files", nargs=-1, type=FILE)
@click.option("--key", metavar="SHA256", help="The key's SHA-256 as the office gave it; spaces do not matter.")
@prints_result(_seal_lines)
def check(seal: Path, files: tuple[Path, ...], key: str | None) -> dict[str, Any]:
    """Check a letter by its SEAL, a file from the letter's page, and that FILES were sent with it."""
    import hashlib

    from bluezone.letters.files.seals import read_seal

    sealed = read_seal(seal.read_bytes())
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    others = [name for name, digest in digests.items() if digest not in sealed.files]
    expected = "".join((key or "").split()).lower()
    result = {
        "issuer": sealed.letter["issuer"],
        "subject": sealed.letter["subject"],
        "number": f"{sealed.seal['number']}/{sealed.seal['notation']}",
        "date": sealed.seal["date"],
        "recipients": len(sealed.seal["sent_to"]),
        "confirmed": sealed.seal["confirmed"],
        "seal": sealed.digest,
        "files": [
            {"sha256": digest, "name": name, "state": "as sent" if digest in digests.values() else "not given"}
            for digest, name in sealed.files.items()
        ],
        "others": others,
        "key": sealed.fingerprint,
        "key_fits": expected == sealed.fingerprint if expected else None,
    }
    if others or result["key_fits"] is False:
        raise Failed(result)
    return result
