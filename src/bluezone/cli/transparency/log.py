# SPDX-License-Identifier: Apache-2.0
"""`bluezone log`: the city's public log, who watches it, and whether what is served is what it says."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.output import command_result

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer

data_option = click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")


@click.group()
def log() -> None:
    """The city's public log and its witnesses; `bluezone witness` is the program that watches."""


@log.command()
@data_option
@command_result(lambda result: (result["key"],))
def key(data: str | None) -> dict[str, Any]:
    """The log's verifier key, for witnesses and for the tools of the field."""
    server = _opened(data)
    try:
        return {"key": str(server.public_log.key)}
    finally:
        server.close()


def _status_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{result['log']}: {result['size']} leaves, quorum {result['quorum'] or 'none: nobody watches'}"
    for one in result["witnesses"]:
        moment = "has not signed the newest checkpoint" if one["at"] is None else f"signed it at {one['at']}"
        yield f"  {one['name']} ({one['operator']}): {moment}"
    yield from (f"waits for a quorum: {name}" for name in result["waiting"])


@log.command()
@data_option
@command_result(_status_lines)
def status(data: str | None) -> dict[str, Any]:
    """How large the log is, who has signed its newest checkpoint, and what waits for a quorum."""
    from bluezone.keyserver.publication.witnesses import witnesses_of
    from bluezone.transparency.notes import cosigned_at
    from bluezone.transparency.watch import policy_of

    server = _opened(data)
    try:
        told, held, newest = server.public_log, server.configs.newest(), server.public_log.newest()
        records = held.witnesses if held else ()
        policy = policy_of(records)
        witnesses = [
            {"name": one.name, "operator": one.operator, "address": address,
             "at": cosigned_at(newest[1], one.verifier) if newest else None}
            for one, address in witnesses_of(told)
        ]  # fmt: skip
        waiting = ["other witnesses"] if told.policy(len(records)) is not None else []
        return {
            "log": told.key.name, "size": told.size(), "quorum": policy.quorum if policy else None,
            "witnesses": witnesses, "waiting": waiting,
        }  # fmt: skip
    finally:
        server.close()


@log.command("witnesses")
@data_option
@click.option("--quorum", required=True, type=click.IntRange(1, 16), help="How many of them have to sign.")
@click.option(
    "--witness", "told", metavar="KEY OPERATOR ADDRESS", nargs=3, multiple=True, required=True,
    help="What `bluezone witness new` printed, who runs it, and where it is asked: https://HOST.",
)  # fmt: skip
@command_result(lambda result: (f"change {result['number']}: phones learn it with the next config",))
def set_(data: str | None, quorum: int, told: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    """Say who is to watch. Those who watch now have to sign for it first; the first time nobody has to."""
    from bluezone.keyserver.publication.witnesses import set_witnesses
    from bluezone.transparency.notes import WITNESS_KEY, read_verifier_key
    from bluezone.transparency.watch import Policy, Witness

    server = _opened(data)
    try:
        keys = [read_verifier_key(text, WITNESS_KEY) for text, _, _ in told]
        witnesses = tuple(
            Witness(one.name, operator, one.public.hex()) for one, (_, operator, _) in zip(keys, told, strict=True)
        )
        addresses = {one.name: address for one, (_, _, address) in zip(keys, told, strict=True)}
        hosts = (server.city.public_host, server.city.office_host)
        policy = Policy(quorum, witnesses)
        return {"number": set_witnesses(server.public_log, policy, addresses, server.data_dir, hosts)}
    finally:
        server.close()


def _checked_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{result['files']} files of the web edition are those of leaf {result['leaf']} of {result['size']}"
    yield f"signed by {', '.join(result['witnesses']) or 'no witness'}"


@log.command()
@click.option("--trust", required=True, help="The city's public key, as for `bluezone handset`.")
@click.argument("address")
@command_result(_checked_lines)
def check(trust: str, address: str) -> dict[str, Any]:
    """Fetch the web edition at ADDRESS (https://HOST) as anybody would, and look it up in the city's log.

    Run it from the network of whoever might be given another edition: served code cannot check itself.
    """
    from bluezone.handset.city.config import parse_trust
    from bluezone.handset.city.edition import check_edition
    from bluezone.handset.client import Client

    return check_edition(Client(address), parse_trust(trust))


def _opened(data: str | None) -> "KeyServer":
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer

    return KeyServer.open(data_folder(data))
