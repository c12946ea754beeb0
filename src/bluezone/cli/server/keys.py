# SPDX-License-Identifier: Apache-2.0
"""`bluezone keys`: where the city's keys are, and how they are moved."""

from collections.abc import Iterable
from typing import Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import prints_result


def _keys_lines(result: dict[str, Any]) -> Iterable[str]:
    if result["where"] == "database":
        yield f"keys, configs and settings are in the database: {result['files']} files, sealed under the master key"
    else:
        yield "keys, configs and settings are in the files of this folder"


@click.command()
@data_option
@click.option(
    "--to",
    type=click.Choice(["database", "files"]),
    help="Move them: from this folder into the database, replacing what is sealed there; or only into this folder.",
)
@prints_result(_keys_lines)
def keys(data: str | None, to: str | None) -> dict[str, Any]:
    """Print where the city's keys, configs and settings are, or move them elsewhere.

    If BLUEZONE_MASTER_KEY_FILE or BLUEZONE_MASTER_KEY_COMMAND is set, a start seals them in the database.
    `--to database` seals this folder's files again, for example under another master key. `--to files` deletes what is
    sealed; then unset the variable. Stop every host first.
    """
    from bluezone.city_settings import data_folder, load_city
    from bluezone.keyserver.hosts.sealing import seal_again
    from bluezone.keyserver.service import KeyServer

    folder = data_folder(data).resolve()
    if to == "database":
        load_city(folder)
        return {"where": "database", "files": seal_again(folder)}
    server = KeyServer.open(folder)
    try:
        if server.shared and to == "files":
            server.shared.delete_all()
        where = "database" if server.shared and to is None else "files"
        return {"where": where, "files": server.shared.count() if server.shared else 0}
    finally:
        server.close()
