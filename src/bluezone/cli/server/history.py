# SPDX-License-Identifier: Apache-2.0
"""`bluezone history`: compare what was published with the store; begin a new epoch if the two cannot be reconciled."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.folder import data_option, open_keyserver
from bluezone.cli.output import prints_result
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.publication.folder import PublishedCopy
    from bluezone.protocol.signed.epoch import Epoch

places_option = click.option(
    "--from", "places", metavar="PLACE", multiple=True, help="Another data folder, or a mirror's address."
)
seen_option = click.option(
    "--seen", metavar="KIND=NUMBER", multiple=True, help="What a phone has, as `handset status` prints: exports=5."
)


class SeenInvalid(Refused):
    """`--seen` is not config, exports or venues, an equals sign and a number."""

    code = "seen_invalid"


@contextmanager
def problems_unlogged() -> Iterator[None]:
    """Do not log what opening a server finds wrong with its history: the command's result is about that."""
    logger = logging.getLogger("bluezone.keyserver.ticks")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@click.group()
def history() -> None:
    """Compare what was published with what this store knows; the playbook "history forked" says when."""


def adopted_lines(adopted: dict[str, list[int]]) -> Iterable[str]:
    """Lines for people about the numbers of adopted files, by kind."""
    for kind, numbers in adopted.items():
        if numbers:
            span = f"{min(numbers)} to {max(numbers)}" if len(numbers) > 1 else numbers[0]
            yield f"{kind} {span} taken over from where they were published ({len(numbers)})"


def _history_lines(result: dict[str, Any]) -> Iterable[str]:
    yield ", ".join(f"{kind} {number}" for kind, number in result["heights"].items())
    yield from adopted_lines(result["adopted"])
    yield "the store knows all that was published, as far as anything here tells"


@history.command()
@data_option
@places_option
@seen_option
@prints_result(_history_lines)
def adopt(data: str | None, places: tuple[str, ...], seen: tuple[str, ...]) -> dict[str, Any]:
    """Compare, and adopt what our own keys signed and this store has lost.

    The store is compared with the data folder or bucket, the journal of heads, and the named places and phones. If
    adopting does not reconcile them, the command is refused, nothing is signed, and nothing published is overwritten.
    """
    with problems_unlogged():
        server = open_keyserver(data)
    try:
        adopted = server.ticks.adopt_missing(open_places(places), read_seen(seen))
        return {"heights": server.ticks.history.newest_numbers(), "adopted": adopted}
    finally:
        server.close()


def epoch_as_json(epoch: "Epoch") -> dict[str, Any]:
    """An epoch as a member of a command's result."""
    from dataclasses import asdict

    return {"epoch": asdict(epoch)}


def epoch_lines(result: dict[str, Any]) -> Iterable[str]:
    """Lines for people about the epoch in a command's result."""
    epoch = result["epoch"]
    yield f"epoch {epoch['number']}"
    for kind in ("config", "exports", "venues"):
        yield f"  {kind}: {epoch[kind]['ancestor']} still holds, {epoch[kind]['first']} comes next"


def _proposed_lines(result: dict[str, Any]) -> Iterable[str]:
    yield from epoch_lines(result)
    yield f"wrote {result['file']}: sign it on another machine, bluezone recovery-key sign"


@history.command()
@data_option
@places_option
@seen_option
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path))
@prints_result(_proposed_lines)
def propose(data: str | None, places: tuple[str, ...], seen: tuple[str, ...], out: Path) -> dict[str, Any]:
    """Write the record of a new epoch, to be signed with the recovery key on another machine. Changes nothing."""
    from bluezone.protocol.signed.epoch import encode_epoch

    server = open_keyserver(data)
    try:
        epoch = server.ticks.propose_epoch(read_seen(seen), open_places(places))
    finally:
        server.close()
    out.write_bytes(encode_epoch(epoch))
    return {**epoch_as_json(epoch), "file": str(out)}


def _opened_lines(result: dict[str, Any]) -> Iterable[str]:
    yield from epoch_lines(result)
    yield "opened; phones go along at their next look and tell their owners. Codes that were open are revoked."


@history.command("open")
@data_option
@places_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@prints_result(_opened_lines)
def open_(data: str | None, places: tuple[str, ...], file: Path) -> dict[str, Any]:
    """Begin a new epoch with a record that the recovery key has signed. Phones follow at most once a week."""
    server = open_keyserver(data)
    try:
        return epoch_as_json(server.ticks.open_epoch(file.read_text("ascii").strip(), open_places(places)))
    finally:
        server.close()


def open_places(texts: tuple[str, ...]) -> list["PublishedCopy"]:
    """The places of published files that an operator named."""
    from bluezone.keyserver.publication.bucket import open_named_place

    return [open_named_place(text) for text in texts]


def read_seen(texts: tuple[str, ...]) -> dict[str, int]:
    """The newest numbers that a phone has, by kind. Raises SeenInvalid."""
    from bluezone.protocol.signed.epoch import BRANCHES

    seen = {}
    for text in texts:
        kind, _, number = text.partition("=")
        if kind not in BRANCHES or not number.isdecimal():
            raise SeenInvalid(f"{text!r} is not like exports=5; kinds are {', '.join(BRANCHES)}")
        seen[kind] = int(number)
    return seen
