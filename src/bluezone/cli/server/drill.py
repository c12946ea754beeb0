# SPDX-License-Identifier: Apache-2.0
"""`bluezone drill`: whether the newest backup restores, and phones would follow what it restores."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import Failed, command_result


def _lines(result: dict[str, Any]) -> Iterable[str]:
    if result["ok"]:
        yield f"{result['backup']} restores, and a phone that followed before follows after"
    else:
        yield f"the drill failed: {result['problem']}: {result['message']}"
    for kind, (before, after) in result["followed"].items():
        yield f"{kind}: the phone had file {before}, then {after}"


@click.command()
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option(
    "--day-keys",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the day keys, if not the data folder's own: try the copy on which you will rely.",
)
@click.option(
    "--backup",
    "backup_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A backup in place of the newest one of the folder.",
)
@click.option(
    "--published",
    metavar="PLACE",
    help="Where phones' files are if not in the data folder: an address, when they are in a bucket.",
)
@click.option(
    "--scratch-database",
    metavar="URL",
    help="With stores on PostgreSQL: an empty database; what the drill puts there is dropped.",
)
@command_result(_lines)
def drill(
    data: str | None,
    day_keys: Path | None,
    backup_file: Path | None,
    published: str | None,
    scratch_database: str | None,
) -> dict[str, Any]:
    """Restore the newest backup into a scratch folder, check it, and let a phone follow what it publishes.

    The city's stores are not touched, and the scratch folder is removed. How it went is a metric
    (bluezone_drill_ok) and a line on the office's audit page; exit 1 if it failed.
    """
    import signal

    from bluezone.backup.archive import FOLDER
    from bluezone.backup.drill import hold_drill
    from bluezone.city import data_folder, load_city
    from bluezone.cli.server.backup import end

    signal.signal(signal.SIGTERM, end)
    folder = data_folder(data).resolve()
    load_city(folder)
    keys = (day_keys or folder / FOLDER).resolve()
    held = hold_drill(folder, keys, published or str(folder), scratch_database, backup_file)
    result = asdict(held)
    if not held.ok:
        raise Failed(result)
    return result
