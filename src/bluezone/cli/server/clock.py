# SPDX-License-Identifier: Apache-2.0
"""`bluezone clock`: show whether the server trusts this machine's clock, and let a person confirm the clock."""

import time
from collections.abc import Iterable
from typing import Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import prints_result


def _clock_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"the clock says {result['now']}"
    yield f"work was last done {result['believed'] or 'never'}"
    if result["doubt"]:
        yield f"not believed: {result['doubt']}"
        yield "if the clock is right all the same: bluezone clock --confirm"
    else:
        yield "confirmed" if result["confirmed"] else "believed"


@click.command()
@data_option
@click.option("--confirm", is_flag=True, help="You have compared the clock with another watch, and it is right.")
@prints_result(_clock_lines)
def clock(data: str | None, confirm: bool) -> dict[str, Any]:
    """Print the time of this machine's clock and whether the server believes it.

    While it does not, nothing is published, signed, rotated, purged or backed up. --confirm lets it continue from here.
    """
    from bluezone.city_settings import data_folder, load_city
    from bluezone.keyserver.service import KeyServer

    folder = data_folder(data).resolve()
    load_city(folder)
    server = KeyServer.open(folder)
    try:
        guard = server.ticks.guard
        now = server.clock()
        assert guard is not None
        believed = guard.believed()
        if confirm:
            guard.confirm(now)
        return {
            "now": _utc(now),
            "believed": _utc(believed.wall) if believed else None,
            "doubt": guard.doubt(now),
            "confirmed": confirm,
        }
    finally:
        server.close()


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
