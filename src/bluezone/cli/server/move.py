# SPDX-License-Identifier: Apache-2.0
"""`bluezone move`: the stores of a city from SQLite to PostgreSQL, or back."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import prints_result
from bluezone.refusal import Refused

_BAR = 30


class MoveTargetMissing(Refused):
    """It is not known where to move the stores, or where they are now."""

    code = "move_target_missing"


def _lines(result: dict[str, Any]) -> Iterable[str]:
    if result["abandoned"]:
        yield "given up: the old stores are the city's, as before"
        if result["to"] == "postgresql":
            yield "before the next move: DROP SCHEMA office, codes, keys CASCADE; in the database that was being filled"
        return
    yield f"moved {result['rows']} rows of {len(result['tables'])} tables; each is the same in the new stores"
    if result["to"] == "postgresql":
        yield "before `bluezone serve`, for every process: BLUEZONE_DATABASE_URL=(the address you gave with --to)"
        yield f"the old stores, which nothing opens any more: {', '.join(result['old'])}"
        yield "once the city runs and has a backup, remove them: rm " + " ".join(result["old"])
    else:
        yield "before `bluezone serve`, for every process: unset BLUEZONE_DATABASE_URL (and BLUEZONE_OFFICE_URL, …)"
        yield "the old stores, on which no serve starts any more: the schemas office, codes and keys"
        yield "once the city runs and has a backup, remove them: DROP SCHEMA office, codes, keys CASCADE;"


@click.command()
@data_option
@click.option(
    "--to",
    metavar="URL|sqlite",
    help="postgresql://USER@HOST/DATABASE, an empty database; or sqlite, back into the data folder.",
)
@click.option("--abandon", is_flag=True, help="Give up a move that is not finished; the old stores stay the city's.")
@prints_result(_lines)
def move(data: str | None, to: str | None, abandon: bool) -> dict[str, Any]:
    """Move the stores to another database: office, codes and keys, compared row by row before the switch.

    Stop `bluezone serve` first, on every machine. If you start it during the move, it says on both addresses that the
    city is being moved. The same command continues an interrupted move. A password does not belong on a command line:
    leave it out of the address and set PGPASSWORD.
    """
    from bluezone.city_settings import data_folder, load_city
    from bluezone.keyserver.locks import lock_file
    from bluezone.server.processes.serve_lock import LOCK_NAME, AlreadyServing
    from bluezone.server.relocation import move as relocation

    folder = data_folder(data).resolve()
    load_city(folder)
    with lock_file(folder / LOCK_NAME, wait=False) as alone:
        if not alone:
            raise AlreadyServing(f"a serve or another move is running on {folder}; stop it first")
        if abandon:
            note = relocation.abandon_move(folder)
            return {"to": note.to, "abandoned": True, "rows": 0, "tables": {}, "old": []}
        if not to:
            raise MoveTargetMissing("say where the stores shall go: --to postgresql://… or --to sqlite")
        urls = relocation.postgresql_addresses() if to == relocation.SQLITE else dict.fromkeys(relocation.STORES, to)
        if urls.keys() != set(relocation.STORES):
            raise MoveTargetMissing(
                "the stores are not on PostgreSQL: BLUEZONE_DATABASE_URL does not say where they are"
            )
        direction = relocation.SQLITE if to == relocation.SQLITE else relocation.POSTGRESQL
        tables = relocation.Move(folder, direction, urls, _progress()).run()
        return {
            "to": direction,
            "abandoned": False,
            "rows": sum(tables.values()),
            "tables": tables,
            "old": _old(folder, direction),
        }


def _old(folder: Path, direction: str) -> list[str]:
    from bluezone.keyserver.moves import read_move

    note = read_move(folder)
    if direction == "sqlite" or note is None:
        return []
    return sorted(str(path) for path in folder.rglob(f"*.sqlite3.moved-{note.move}*"))


def _progress() -> Any:
    """A function that prints progress: a bar on a terminal, otherwise a line for each step and each 5 percent."""
    terminal = sys.stderr.isatty()
    last = "", -1

    def say(what: str, done: int, of: int) -> None:
        nonlocal last
        percent = 100 * done // of if of else 0
        if last == (what, percent // 5) and not terminal:
            return
        last = what, percent // 5
        if terminal:
            full = _BAR * percent // 100
            click.echo(
                f"\r[{'#' * full}{'.' * (_BAR - full)}] {percent:3} % {what:<60.60}", nl=done >= of > 0, err=True
            )
        else:
            click.echo(f"{percent:3} % {what}", err=True)

    return say
