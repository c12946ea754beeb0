# SPDX-License-Identifier: Apache-2.0
"""`bluezone serve`: the whole server of a city with one command."""

import datetime
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import command_result
from bluezone.refusal import Refused

LOCK_NAME = "serve.lock"


class HotlineMissing(Refused):
    """A first start without a telephone number that warned people can call."""

    code = "hotline_missing"


class AlreadyServing(Refused):
    """Another `serve` runs on this data folder; two would share its stores, and the second would make new links."""

    code = "already_serving"


def _lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"stopped by {result['stopped_by']}"


@click.command()
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--public-port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--office-port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--tls",
    metavar="self|CERT,KEY",
    help="Speak HTTPS: with a local authority that people trust once, or with a certificate of the city's own.",
)
@click.option("--hotline", help="First start: number of the local health authority that warned people call.")
@click.option("--city", "city_name", help="First start: name of the city in Vietnamese.")
@click.option("--city-en", "city_name_en", help="First start: its name in English, if it differs.")
@command_result(_lines)
def serve(
    data: str | None, host: str, public_port: int, office_port: int, tls: str | None, **first_start: str | None
) -> dict[str, Any]:
    """Start the public origin, the office origin and the tick; stop them together.

    Makes the data folder, keys, stores and the first administrator's link as needed. Events go to stderr; `ready`
    is printed when both origins answer.
    """
    from bluezone.city import data_folder
    from bluezone.keyserver.lock import only_one

    folder = data_folder(data)
    hosts = {"public_host": f"localhost:{public_port}", "office_host": f"localhost:{office_port}"}
    _ensure_city(folder, hosts, **first_start)
    with only_one(folder / LOCK_NAME, wait=False) as alone:
        if not alone:
            raise AlreadyServing(f"another serve is running on {folder}; stop that one first, or give --data")
        return _serve(folder, host, public_port, office_port, tls)


def _serve(folder: Path, host: str, public_port: int, office_port: int, tls: str | None) -> dict[str, Any]:
    """Start the three processes and stop them together; the folder is ours alone."""
    from bluezone.web.supervising import Processes, StopSignals, check_port

    check_port(host, public_port, "--public-port")
    check_port(host, office_port, "--office-port")
    secured = _secure(tls, folder, host) if tls else None
    os.environ["BLUEZONE_ALLOWED_HOSTS"] = ",".join(filter(None, [os.environ.get("BLUEZONE_ALLOWED_HOSTS"), host]))
    stop = StopSignals()
    token = _prepare(folder)
    processes = Processes()
    try:
        files = (str(secured.certificate), str(secured.key)) if secured else ()
        processes.start("public", "bluezone.web.origin", "public", host, str(public_port), *files)
        processes.start("office", "bluezone.web.origin", "office", host, str(office_port), *files)
        processes.start("tick", "bluezone.web.ticking")
        _run(processes, stop, (host, public_port, office_port), token, secured)
    finally:
        processes.stop()
    return {"stopped_by": stop.received}


def _ensure_city(
    folder: Path, hosts: dict[str, str], hotline: str | None, city_name: str | None, city_name_en: str | None
) -> None:
    """Write city.toml on the first start, asking where somebody is there to answer; print what weakens privacy."""
    from bluezone.city import FILE_NAME, load_city, write_default

    if not (folder / FILE_NAME).exists():
        if hotline is None and sys.stdin.isatty():
            city_name = city_name or click.prompt("City", default="Bắc Kạn", err=True)
            hotline = click.prompt("Number of the local health authority that warned people call", err=True)
        if not hotline:
            raise HotlineMissing(
                "warned people need a number to call; start with: bluezone serve --hotline NUMBER"
                f" (stored in {folder / FILE_NAME}, where it can be changed)"
            )
        name = city_name or "Bắc Kạn"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_default(folder, name_vi=name, name_en=city_name_en or name, hotline=hotline, **hosts)
        click.echo(f"wrote {folder / FILE_NAME}", err=True)
    for sentence in load_city(folder).warnings():
        click.echo(f"warning: {sentence}", err=True)


def _secure(option: str, folder: Path, host: str) -> Any:
    """Certificate and key for both origins, and what Django has to know of it."""
    from bluezone.city import load_city
    from bluezone.web.tls import SELF, Tls, machine_addresses, names_of

    addresses = machine_addresses()
    secured = Tls(option, folder.resolve(), names_of(load_city(folder), host), addresses)
    os.environ["BLUEZONE_TLS"] = secured.mode
    if secured.mode == SELF:
        shown = [f"[{address}]" if ":" in address else address for address in addresses]
        allowed = [os.environ.get("BLUEZONE_ALLOWED_HOSTS"), *shown]
        os.environ["BLUEZONE_ALLOWED_HOSTS"] = ",".join(filter(None, allowed))
        click.echo(f"local authority, compare before trusting it: SHA-256 {secured.fingerprint}", err=True)
    return secured


def _prepare(folder: Path) -> str | None:
    """Stores, keys and files of both halves; the first administrator's token while one is needed."""
    from bluezone.keyserver.service import KeyServer
    from bluezone.web.preparing import prepare_office

    server = KeyServer.open(folder)
    key = server.secrets.signing_key.public_key().public_bytes_raw().hex()
    click.echo(f"city key, with which phones are set up (--trust): {key}", err=True)
    server.close()
    prepare_office(folder.resolve())
    from django.utils import timezone

    from bluezone.accounts.inviting import first_admin_token

    return first_admin_token(timezone.now())


def _run(processes: Any, stop: Any, where: tuple[str, int, int], token: str | None, secured: Any) -> None:
    """Say when everything answers, then wait for a signal; raises ProcessEnded when a process ends by itself."""
    from bluezone.web.supervising import answers, wait_until

    host, public_port, office_port = where
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else host  # noqa: S104 - compared, not bound

    def both_answer() -> bool:
        tls = secured is not None
        return answers(host, public_port, "/v1/health", tls) and answers(host, office_port, "/sign-in/", tls)

    if not wait_until(both_answer, processes, stop):
        return
    public, office = (f"{'https' if secured else 'http'}://{shown}:{port}/" for port in (public_port, office_port))
    if token:
        click.echo(f"first administrator, once and within 72 hours: {office}start/{token}/", err=True)
    if secured and secured.mode == "self":
        click.echo(f"how devices trust this server: {public}trust/", err=True)
    click.echo(f"ready public {public} office {office}", err=True)
    while not stop.event.wait(0.5):
        processes.check()
        if secured and secured.renewed(datetime.datetime.now(datetime.UTC)):
            processes.reload("public", "office")
