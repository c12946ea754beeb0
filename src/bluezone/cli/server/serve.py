# SPDX-License-Identifier: Apache-2.0
"""`bluezone serve`: run a city's server, as a whole or one part of it."""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import prints_result
from bluezone.networks import TLS_VARIABLE
from bluezone.refusal import Refused


class HotlineMissing(Refused):
    """The first start needs a telephone number that warned people can call."""

    code = "hotline_missing"


class NetworkMissing(Refused):
    """This machine has no address that a telephone in its network could reach."""

    code = "network_missing"


def _lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"stopped by {result['stopped_by']}"


def lan_address() -> str:
    """This machine's IPv4 address in its own network. Raises NetworkMissing, also if the address is a public one."""
    from bluezone.networks import is_local
    from bluezone.tls import machine_addresses

    address = next((address for address in machine_addresses() if ":" not in address and is_local(address)), None)
    if address is None:
        raise NetworkMissing(
            "this machine has no private IPv4 address; join the network of the telephone, or give --host"
        )
    return address


def print_telephone_qr(address: str, secured: bool) -> None:
    """Print the QR code of a public origin, with a slash at the end, and what a telephone can do there."""
    from bluezone.cli.output import qr_lines

    for line in ["", *qr_lines(address), "", f"on a telephone in this network: {address}"]:
        click.echo(line, err=True)
    if secured:
        click.echo(f"it warns of the certificate until it trusts this server; how: {address}trust/", err=True)
    else:
        click.echo(
            "over plain http it shows the city's pages and what stands behind printed codes. The web edition needs"
            " HTTPS (it encrypts; camera, notices and offline use too): start with --tls self for that",
            err=True,
        )


@click.command()
@data_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--lan", is_flag=True, help="Listen on the local network, and print address and QR code for a telephone.")
@click.option("--public-port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--office-port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--operator-port",
    type=click.IntRange(1, 65535),
    help="Port for /metrics, /live and /ready; without it there is none.",
)
@click.option(
    "--operator-host",
    default="127.0.0.1",
    show_default=True,
    help="Address for the operator port, whatever --host says; one that others can reach needs a token.",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes of each origin.")
@click.option(
    "--only",
    type=click.Choice(["keyserver", "office", "worker"]),
    help="Run one part alongside others on the same stores: the public origin, the office, or the worker.",
)
@click.option(
    "--tls",
    metavar="self|CERT,KEY",
    help="Speak HTTPS: with a local authority that people trust once, or with the city's own certificate.",
)
@click.option(
    "--hotline",
    envvar="BLUEZONE_HOTLINE",
    help="First start: number of the local health authority that warned people call.",
)
@click.option("--city", "city_name", envvar="BLUEZONE_CITY", help="First start: name of the city in Vietnamese.")
@click.option(
    "--city-en", "city_name_en", envvar="BLUEZONE_CITY_EN", help="First start: its name in English, if it differs."
)
@prints_result(_lines)
def serve(
    data: str | None,
    host: str,
    lan: bool,
    public_port: int,
    office_port: int,
    operator_port: int | None,
    operator_host: str,
    workers: int,
    only: str | None,
    tls: str | None,
    **first_start: str | None,
) -> dict[str, Any]:
    """Start the public origin, the office origin and the worker; stop them together.

    Makes the data folder, keys, stores and the first administrator's link as needed. Events go to stderr; `ready`
    is printed when both origins answer. A process that dies is started again. SIGHUP replaces all processes by new
    ones without losing a request.
    """
    from bluezone import logs
    from bluezone.city_settings import data_folder
    from bluezone.keyserver.hosts.sealing import fetch_folder
    from bluezone.keyserver.locks import lock_file
    from bluezone.keyserver.moves import read_move
    from bluezone.server.processes.serve_lock import LOCK_NAME, AlreadyServing
    from bluezone.server.processes.service import ServeOptions

    logs.configure_logging()
    folder = data_folder(data)
    fetch_folder(folder.resolve())
    host = lan_address() if lan else host
    name = host if lan else "localhost"
    hosts = {"public_host": f"{name}:{public_port}", "office_host": f"{name}:{office_port}"}
    _ensure_city(folder, hosts, **first_start)
    options = ServeOptions(folder, host, public_port, office_port, workers, only, operator_port, operator_host)
    note = read_move(folder)
    if note is not None and note.state == "moving":
        from bluezone.server.processes.closed import serve_closed
        from bluezone.server.processes.users import find_users, switch_to_user

        secured = _secure(tls, folder, host) if tls else None
        users = find_users()
        if users:
            switch_to_user(users["office"])
        return {"stopped_by": serve_closed(options, secured)}
    with lock_file(folder / LOCK_NAME, wait=False, shared=only is not None) as alone:
        if not alone:
            raise AlreadyServing(f"another serve is running on {folder}; stop that one first, or give --data")
        return _serve(options, tls, lan)


def _serve(options: Any, tls: str | None, lan: bool) -> dict[str, Any]:
    """Start the processes and stop them together. The caller has locked the folder, alone or with other parts."""
    from bluezone.cli.server.first_link import print_first_link
    from bluezone.server.processes.service import Server, announce_ready
    from bluezone.server.processes.supervisor import StopSignals

    server = Server(options)
    os.environ.setdefault(TLS_VARIABLE, "0")
    secured = _secure(tls, options.folder, options.host) if tls else None
    allowed = [os.environ.get("BLUEZONE_ALLOWED_HOSTS"), options.host]
    os.environ["BLUEZONE_ALLOWED_HOSTS"] = ",".join(filter(None, allowed))
    stop = StopSignals(on_terminal=sys.stdin.isatty())

    def announce() -> None:
        if options.runs("office"):
            office = options.address("office", secured is not None)
            if server.users:
                folder = str(options.folder.resolve())
                _run_as_office(server.users["office"], "bluezone.cli.server.first_link", folder, office)
            else:
                print_first_link(options.folder.resolve(), office)
        if secured and secured.mode == "self" and options.runs("public"):
            click.echo(f"how devices trust this server: {options.address('public', True)}trust/", err=True)
        if lan and options.runs("public"):
            _print_lan_address(options, secured is not None)
        announce_ready(options, secured is not None)

    server.run(stop, secured, lambda: _prepare(options, server.users), announce)
    return {"stopped_by": stop.received}


def _print_lan_address(options: Any, secured: bool) -> None:
    """Print the address for telephones, and warn if links and codes lead elsewhere."""
    from bluezone.city_settings import FILE_NAME, load_city
    from bluezone.logs import log_event

    here = f"{options.host}:{options.public_port}"
    public_host = load_city(options.folder).public_host
    print_telephone_qr(options.address("public", secured), secured)
    if public_host != here:
        sentence = f"warning: links and codes lead to {public_host}, as public_host in {FILE_NAME} says, not to {here}"
        log_event("links_elsewhere", sentence, 30, public_host=public_host)


def _ensure_city(
    folder: Path, hosts: dict[str, str], hotline: str | None, city_name: str | None, city_name_en: str | None
) -> None:
    """Write city.toml at the first start, with questions if there is a terminal; print what weakens privacy."""
    from bluezone.city_settings import FILE_NAME, load_city, unused_settings, write_default
    from bluezone.keyserver.configs.recoverykey import read_recovery_key
    from bluezone.logs import log_event

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
        log_event("settings_written", f"wrote {folder / FILE_NAME}")
    if read_recovery_key(folder) is None:
        log_event(
            "recovery_key_missing", "warning: no recovery key yet: bluezone recovery-key new, before phones come", 30
        )
    for sentence in load_city(folder).warnings():
        log_event("privacy_weakened", f"warning: {sentence}", 30, setting=sentence.split()[0])
    for setting, sentence in unused_settings(folder).items():
        log_event("setting_left_over", f"warning: {sentence}", 30, setting=setting)


def _secure(option: str, folder: Path, host: str) -> Any:
    """Certificate and key for both origins, according to `--tls`. Sets the variables that Django's settings read."""
    from bluezone.city_settings import load_city
    from bluezone.logs import log_event
    from bluezone.tls import SELF, Tls, machine_addresses, names_of

    addresses = machine_addresses()
    secured = Tls(option, folder.resolve(), names_of(load_city(folder), host), addresses)
    os.environ[TLS_VARIABLE] = secured.mode
    if secured.mode == SELF:
        hosts = [f"[{address}]" if ":" in address else address for address in addresses]
        allowed = [os.environ.get("BLUEZONE_ALLOWED_HOSTS"), *hosts]
        os.environ["BLUEZONE_ALLOWED_HOSTS"] = ",".join(filter(None, allowed))
        sentence = f"local authority, compare before trusting it: SHA-256 {secured.fingerprint}"
        log_event("local_authority", sentence, sha256=secured.fingerprint)
    return secured


def _prepare(options: Any, users: Any) -> None:
    """Make the stores, keys and files of key server and office.

    users: if each process has a separate user, this is done as the user of the office.
    """
    from bluezone.keyserver.datafolder import PublicationApart
    from bluezone.keyserver.keys.keyfolder import SignerAway
    from bluezone.keyserver.service import KeyServer
    from bluezone.keyserver.signer.client import remote_keys
    from bluezone.server.opening import open_stores
    from bluezone.server.preparation import prepare_office

    if users:
        _run_as_office(users["office"], "bluezone.server.preparation", str(options.folder.resolve()))
        # A signer that the operator runs as a separate user does not answer root; then the key is not logged.
        with contextlib.suppress(SignerAway):
            keys = remote_keys(options.folder.resolve())
            assert keys is not None
            _log_city_key(keys.signing_key)
        return
    folder = options.folder.resolve()
    server = open_stores(lambda: KeyServer.open(options.folder))
    _log_city_key(server.secrets.signing_key)
    server.close()
    if server.publication is None:
        raise PublicationApart(
            "the published files belong to another user; give the folder to this user, or start as root"
        )
    open_stores(lambda: prepare_office(folder))


def _log_city_key(signing_key: Any) -> None:
    from bluezone.logs import log_event

    key = signing_key.public_key().public_bytes_raw().hex()
    log_event("city_key", f"city key, with which phones are set up (--trust): {key}", key=key)


def _run_as_office(user: Any, *arguments: str) -> None:
    """Run one of our modules as the office's user. Raises PreparingFailed; the reason is in the log."""
    import subprocess

    from bluezone.server.processes.children import python_command, user_arguments
    from bluezone.server.processes.supervisor import PreparingFailed

    done = subprocess.run(python_command(user, *arguments), stdin=subprocess.DEVNULL, **user_arguments(user))  # noqa: S603 - our own
    if done.returncode:
        raise PreparingFailed("the stores cannot be brought up to date; the reason is printed above")
