# SPDX-License-Identifier: Apache-2.0
"""`bluezone log`: show the city's public log, set its witnesses, and look up the served web edition in the log."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.folder import data_option, open_keyserver
from bluezone.cli.output import Failed, prints_result


@click.group()
def log() -> None:
    """The city's public log and its witnesses; `bluezone witness` is the program that watches."""


@log.command()
@data_option
@prints_result(lambda result: (result["key"],))
def key(data: str | None) -> dict[str, Any]:
    """Print the log's verifier key, for witnesses and for common tools."""
    server = open_keyserver(data)
    try:
        return {"key": str(server.public_log.key)}
    finally:
        server.close()


def _status_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{result['log']}: {result['size']} leaves, quorum {result['quorum'] or 'none: no one watches'}"
    for witness in result["witnesses"]:
        moment = "has not signed the newest checkpoint" if witness["at"] is None else f"signed it at {witness['at']}"
        reads = "reads every leaf" if witness["reads"] else "does not read leaves"
        yield f"  {witness['name']} ({witness['operator']}), {reads}: {moment}"
    yield from (f"waits for a quorum: {name}" for name in result["waiting"])


@log.command()
@data_option
@prints_result(_status_lines)
def status(data: str | None) -> dict[str, Any]:
    """Print the size of the log, who has signed its newest checkpoint, and what waits for a quorum."""
    from bluezone.keyserver.publication.log.witnesses import witnesses_of
    from bluezone.transparency.notes import cosigned_at
    from bluezone.transparency.watch import current_policy

    server = open_keyserver(data)
    try:
        log = server.public_log
        config = server.configs.newest_config()
        newest = log.newest_checkpoint()
        records = config.witnesses if config else ()
        policy = current_policy(records)
        witnesses = [
            {"name": witness.name, "operator": witness.operator, "address": address,
             "reads": witness.reads, "at": cosigned_at(newest[1], witness.verifier) if newest else None}
            for witness, address in witnesses_of(log)
        ]  # fmt: skip
        waiting = ["other witnesses"] if log.policy(len(records)) is not None else []
        return {
            "log": log.key.name, "size": log.size(), "quorum": policy.quorum if policy else None,
            "witnesses": witnesses, "waiting": waiting,
        }  # fmt: skip
    finally:
        server.close()


@log.command("witnesses")
@data_option
@click.option("--quorum", required=True, type=click.IntRange(1, 16), help="How many of them have to sign.")
@click.option(
    "--witness", "texts", metavar="KEY OPERATOR ADDRESS", nargs=3, multiple=True, required=True,
    help="What `bluezone witness new` printed, who runs it, and where it is asked: https://HOST.",
)  # fmt: skip
@click.option(
    "--not-reading",
    metavar="NAME",
    multiple=True,
    help="A witness of version 0.2 or earlier, or another program: it does not read the leaves before it signs.",
)
@prints_result(lambda result: (f"change {result['number']}: phones learn it with the next config",))
def set_(
    data: str | None, quorum: int, texts: tuple[tuple[str, str, str], ...], not_reading: tuple[str, ...]
) -> dict[str, Any]:
    """Set the witnesses. The current ones have to cosign the change first; the first time there are none."""
    from bluezone.keyserver.publication.log.witnesses import set_witnesses
    from bluezone.transparency.notes import WITNESS_KEY, read_verifier_key
    from bluezone.transparency.watch import Policy, Witness

    server = open_keyserver(data)
    try:
        keys = [read_verifier_key(text, WITNESS_KEY) for text, _, _ in texts]
        unknown = set(not_reading) - {key.name for key in keys}
        if unknown:
            raise click.BadParameter(f"{unknown.pop()} is none of these witnesses", param_hint="--not-reading")
        witnesses = tuple(
            Witness(key.name, operator, key.public.hex(), key.name not in not_reading)
            for key, (_, operator, _) in zip(keys, texts, strict=True)
        )
        addresses = {key.name: address for key, (_, _, address) in zip(keys, texts, strict=True)}
        hosts = (server.city.public_host, server.city.office_host)
        policy = Policy(quorum, witnesses)
        return {"number": set_witnesses(server.public_log, policy, addresses, server.data_dir, hosts)}
    finally:
        server.close()


def _checked_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{result['log']}: {result['size']} leaves, signed by {', '.join(result['witnesses']) or 'no witness'}"
    edition = result["edition"]
    if edition is None:
        yield "the city has not published a web edition"
    else:
        yield f"{edition['files']} files of the web edition are those of leaf {edition['leaf']}"
    if not result["problems"]:
        yield "one leaf of each name, without gaps, and all that is served is in the log"
    for problem in result["problems"]:
        yield f"WRONG {problem['code']}: {problem['message']}"
        yield from (f"  {leaf['number']} {leaf['leaf']}" for leaf in problem["leaves"])


@log.command()
@click.option("--trust", required=True, help="The city's public key, as for `bluezone handset`.")
@click.option(
    "--since",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The checkpoint of the last check: the log must continue it. The new one replaces it.",
)
@click.argument("address")
@prints_result(_checked_lines)
def check(trust: str, since: Path | None, address: str) -> dict[str, Any]:
    """Read the whole log of the city at ADDRESS (https://HOST) and its web edition as anyone would.

    The exit code is 1 if something is wrong. Run it from the network of people who might get another edition or log:
    served code cannot check itself.
    """
    from bluezone.handset.city.config import parse_trust
    from bluezone.handset.city.logcheck import check_city
    from bluezone.handset.client import Client

    result = check_city(Client(address), parse_trust(trust), since)
    if result["problems"]:
        raise Failed(result)
    return result
