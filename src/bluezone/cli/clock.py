# SPDX-License-Identifier: Apache-2.0
"""`bluezone clock`: whether the server believes this machine's clock, and a person's word that it is right."""

import time
from collections.abc import Iterable
from typing import Any

import click

from bluezone.cli.output import command_result


def _lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"the clock says {result['now']}"
    yield f"work was last done {result['believed'] or 'never'}"
    if result["doubt"]:
        yield f"not believed: {result['doubt']}"
        yield "if the clock is right all the same: bluezone clock --confirm"
    else:
        yield "confirmed" if result["confirmed"] else "believed"


@click.command()
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option("--confirm", is_flag=True, help="You have compared the clock with another watch, and it is right.")
@command_result(_lines)
def clock(data: str | None, confirm: bool) -> dict[str, Any]:
    """Say what the clock of this machine says and whether the server believes it.

    While it does not, nothing is published, signed, rotated, forgotten or backed up. --confirm lets it go on from here.
    """
    from bluezone.city import data_folder, load_city
    from bluezone.keyserver.service import KeyServer

    folder = data_folder(data).resolve()
    load_city(folder)
    server = KeyServer.open(folder)
    try:
        guard, now = server.guard, server.clock()
        assert guard is not None
        believed = guard.believed()
        if confirm:
            guard.confirm(now)
        return {
            "now": _said(now),
            "believed": _said(believed.wall) if believed else None,
            "doubt": guard.doubt(now),
            "confirmed": confirm,
        }
    finally:
        server.close()


def _said(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
