# SPDX-License-Identifier: Apache-2.0
"""`bluezone settings`: show whether this folder's settings were applied last, and let a person apply them again."""

from collections.abc import Iterable
from typing import Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import prints_result


def _settings_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"settings {result['applied']} were applied last"
    if result["outdated"]:
        yield "this folder's are others that were applied before; to go back to them: bluezone settings --apply"
    else:
        yield "they are this folder's"


@click.command()
@data_option
@click.option("--apply", is_flag=True, help="Go back to the settings of this folder, and of this version.")
@prints_result(_settings_lines)
def settings(data: str | None, apply: bool) -> dict[str, Any]:
    """Print whether this folder's settings are the ones that were applied last, among all hosts on its database.

    New settings are applied at a start. Earlier ones are not, so that a host which still has them signs nothing;
    --apply goes back to them. It covers the phones' config and how files are made.
    """
    from bluezone.city_settings import data_folder, load_city
    from bluezone.keyserver.service import KeyServer

    folder = data_folder(data).resolve()
    load_city(folder)
    server = KeyServer.open(folder)
    try:
        governance = server.governance
        if apply and governance.settings_outdated:
            server.apply_settings()
        return {"applied": governance.newest_settings(), "outdated": governance.settings_outdated}
    finally:
        server.close()
