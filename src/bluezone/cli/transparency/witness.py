# SPDX-License-Identifier: Apache-2.0
"""`bluezone witness`: watch the logs of cities from a machine that is not theirs, and cosign logs that only grew."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import prints_result

folder_option = click.option(
    "--folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="The witness's own folder."
)


@click.group()
def witness() -> None:
    """Watch cities' logs on behalf of everyone: never on a city's own machine."""


def _made_lines(result: dict[str, Any]) -> Iterable[str]:
    yield "Give this to each city that you watch; it tells phones by its next config:"
    yield f"    {result['key']}"


@witness.command()
@folder_option
@click.option("--name", required=True, help="HOST or HOST/MORE, the host being the one the witness runs on.")
@prints_result(_made_lines)
def new(folder: Path, name: str) -> dict[str, Any]:
    """Create a witness and its key, once."""
    from bluezone.witness.watcher import Watcher

    return {"key": str(Watcher.create(folder, name).key)}


@witness.command()
@folder_option
@click.argument("key")
@click.argument("address")
@prints_result(lambda result: (f"watching {result['log']}",))
def watch(folder: Path, key: str, address: str) -> dict[str, Any]:
    """Watch the log with KEY, which `bluezone log key` prints, at ADDRESS: https://HOST/v1/log."""
    from bluezone.witness.watcher import Watcher

    return {"log": Watcher(folder).watch(key, address).name}


def _look_lines(result: dict[str, Any]) -> Iterable[str]:
    for origin, size in result["logs"].items():
        yield f"{origin}: {size} leaves, all read, consistent with all that was seen before"


@witness.command()
@folder_option
@click.option("--every", "seconds", type=click.IntRange(1), help="Look again after this many seconds, until stopped.")
@prints_result(_look_lines)
def look(folder: Path, seconds: int | None) -> dict[str, Any]:
    """Fetch each log as anyone would, compare it with what was seen before and read it; exit 1 if it differs."""
    from bluezone.refusal import Refused
    from bluezone.witness.watcher import LogUnreachable, Watcher

    watcher = Watcher(folder)
    while True:
        seen: dict[str, int] = {}
        for watched in watcher.logs():
            try:
                seen[watched.key.name] = watcher.check_log(watched.key.name).size
            except LogUnreachable as refused:
                if not seconds:
                    raise
                click.echo(f"{refused.code}: {refused.message}", err=True)
            except Refused as refused:
                if not seconds:
                    raise
                click.echo(f"ALARM {refused.code}: {refused.message}", err=True)
        if not seconds:
            return {"logs": seen}
        time.sleep(seconds)


def _evidence_lines(result: dict[str, Any]) -> Iterable[str]:
    if not result["evidence"] and not result["second_leaves"]:
        yield "every log only grew and has one leaf of each name, as far as this witness has seen"
    for pair in result["evidence"]:
        yield f"{pair['log']}: two signed checkpoints that do not continue each other:"
        yield pair["held"]
        yield pair["offered"]
    for second in result["second_leaves"]:
        yield f"{second['log']}: two leaves of the name {second['name']}; the first counts:"
        yield from (f"  {leaf['number']} {leaf['leaf']}" for leaf in second["leaves"])


@witness.command()
@folder_option
@prints_result(_evidence_lines)
def evidence(folder: Path) -> dict[str, Any]:
    """Show signed checkpoints that contradict each other, and second leaves of a name: proof without any trust."""
    from bluezone.witness.service import members_of
    from bluezone.witness.watcher import Watcher

    watcher = Watcher(folder)
    pairs = [
        {"at": at, "log": origin, "held": older.decode(), "offered": offered.decode()}
        for at, origin, older, offered in watcher.evidence()
    ]
    return {"evidence": pairs, "second_leaves": [members_of(second) for second in watcher.second_leaves()]}


@witness.command()
@folder_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Behind a proxy that speaks TLS.")
@click.option("--port", default=8470, show_default=True, type=click.IntRange(1, 65535))
@prints_result(lambda _: ("stopped",))
def serve(folder: Path, host: str, port: int) -> dict[str, Any]:
    """Cosign for the cities that ask (`add-checkpoint`), until stopped."""
    from bluezone.witness.service import make_server
    from bluezone.witness.watcher import Watcher

    watcher = Watcher(folder)
    server = make_server(watcher, host, port)
    click.echo(f"{watcher.key.name} answers on {host}:{port}", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return {}
