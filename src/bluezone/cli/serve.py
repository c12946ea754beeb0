# SPDX-License-Identifier: Apache-2.0
"""`bluezone serve`: a city's server as a whole or in parts. `bluezone manage COMMAND`: Django's commands on its folder.

`bluezone clock`: whether the server believes this machine's clock; a person can confirm that it is right.
`bluezone settings`: whether this folder's settings are the ones applied last; a person can apply them again.
`bluezone keys`: where the city's keys are.
"""

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import exit_refused, prints_result, system_failed
from bluezone.networks import TLS_VARIABLE
from bluezone.refusal import Refused
from bluezone.server import garbage

LOCK_NAME = "serve.lock"


class HotlineMissing(Refused):
    """A first start without a telephone number that warned people can call."""

    code = "hotline_missing"


class NetworkMissing(Refused):
    """This machine has no address at which a telephone in its network could reach it."""

    code = "network_missing"


class AlreadyServing(Refused):
    """Another `serve` runs on this data folder; two would share its stores, and the second would make new links."""

    code = "already_serving"


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
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--lan", is_flag=True, help="Listen on the local network, and print address and QR code for a telephone.")
@click.option("--public-port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--office-port", default=8001, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--operator-port",
    type=click.IntRange(1, 65535),
    help="Port for /metrics, /live and /ready, on 127.0.0.1 whatever --host says; without it there is none.",
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
    from bluezone.city import data_folder
    from bluezone.keyserver.hosts.sealing import fetch_folder
    from bluezone.keyserver.locks import lock_file
    from bluezone.keyserver.moves import read_move
    from bluezone.server.processes.service import ServeOptions

    logs.configure_logging()
    folder = data_folder(data)
    fetch_folder(folder.resolve())
    host = lan_address() if lan else host
    name = host if lan else "localhost"
    hosts = {"public_host": f"{name}:{public_port}", "office_host": f"{name}:{office_port}"}
    _ensure_city(folder, hosts, **first_start)
    options = ServeOptions(folder, host, public_port, office_port, workers, only, operator_port)
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
                _run_as_office(server.users["office"], "bluezone.cli.serve", str(options.folder.resolve()), office)
            else:
                _print_first_link(options.folder.resolve(), office)
        if secured and secured.mode == "self" and options.runs("public"):
            click.echo(f"how devices trust this server: {options.address('public', True)}trust/", err=True)
        if lan and options.runs("public"):
            _print_lan_address(options, secured is not None)
        announce_ready(options, secured is not None)

    server.run(stop, secured, lambda: _prepare(options, server.users), announce)
    return {"stopped_by": stop.received}


def _print_lan_address(options: Any, secured: bool) -> None:
    """Print the address for telephones, and warn if links and codes lead elsewhere."""
    from bluezone.city import FILE_NAME, load_city
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
    from bluezone.city import FILE_NAME, load_city, unused_settings, write_default
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
    """Certificate and key for both origins. Sets the environment by which Django knows of them."""
    from bluezone.city import load_city
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
    """Make stores, keys and files of key server and office; if processes have their own users, as the office's."""
    from bluezone.keyserver.datafolder import PublicationApart
    from bluezone.keyserver.keys.keyfolder import SignerAway
    from bluezone.keyserver.service import KeyServer
    from bluezone.keyserver.signer.client import remote_keys
    from bluezone.server.preparation import prepare_office

    if users:
        _run_as_office(users["office"], "bluezone.server.preparation", str(options.folder.resolve()))
        # A signer that another user runs does not answer root.
        with contextlib.suppress(SignerAway):
            keys = remote_keys(options.folder.resolve())
            assert keys is not None
            _log_city_key(keys.signing_key)
        return
    server = KeyServer.open(options.folder)
    _log_city_key(server.secrets.signing_key)
    server.close()
    if server.publication is None:
        raise PublicationApart("the published files are another user's; give the folder to this one, or start as root")
    prepare_office(options.folder.resolve())


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


def _print_first_link(folder: Path, office: str) -> None:
    """Print the first administrator's link, once, after the office has started.

    It is not printed for programs that collect logs.
    """
    from django.db import connections
    from django.utils import timezone

    from bluezone import logs
    from bluezone.authority.people.first_admin import first_admin_link, is_first_admin_missing
    from bluezone.server.preparation import preparation_lock

    link = None
    if is_first_admin_missing(timezone.now()):
        # Without the lock, two offices that start at the same moment would make two accounts.
        with preparation_lock(folder):
            link = first_admin_link(timezone.now())
    connections.close_all()
    if link is None:
        return
    another = f"bluezone manage account_link {link.username}"
    if link.token and logs.log_form() != logs.JSON_FORM:
        click.echo(f"first administrator, once and within 72 hours: {office}start/{link.token}/", err=True)
        return
    sentence = f"the first administrator's link was given out before and waits to be used; another one: {another}"
    logs.log_event("first_administrator_missing", sentence, hint=another)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on stdout.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(data: str | None, as_json: bool, arguments: tuple[str, ...]) -> None:
    """Run a management command of the office: verify_audit, account_link NAME, confirm_act, …

    `bluezone manage help` lists them all. Exit 0 ok, 1 refused or failed, 2 usage.
    """
    from bluezone.city import DATA_VARIABLE, data_folder

    folder = data_folder(data).resolve()
    os.environ[DATA_VARIABLE] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluezone.web.settings")
    output = io.StringIO()
    try:
        capture = contextlib.redirect_stdout(output) if as_json else contextlib.nullcontext()
        with capture:
            code = _run(arguments, folder)
    except Refused as refused:
        exit_refused(refused, as_json)
    except OSError as error:
        exit_refused(system_failed(error), as_json)
    if as_json:
        click.echo(json.dumps({"ok": code == 0, "output": output.getvalue()}, ensure_ascii=False))
    sys.exit(code)


def _run(arguments: tuple[str, ...], folder: Path) -> int:
    """Run a management command; returns its exit code. Django has printed its own refusals on stderr.

    Raises CityMissing if no server has made the stores yet, StoreUnreachable if they cannot be used.
    """
    import django
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    from bluezone.city import load_city
    from bluezone.keyserver.storage.store import StoreUnreachable

    try:
        with garbage.collection_paused():
            django.setup()
        execute_from_command_line(["bluezone manage", *arguments])
    except DatabaseError as error:
        load_city(folder)
        raise StoreUnreachable(f"the office store cannot be used: {error}") from error
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _clock_lines(result: dict[str, Any]) -> Iterable[str]:
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
@prints_result(_clock_lines)
def clock(data: str | None, confirm: bool) -> dict[str, Any]:
    """Print the time of this machine's clock and whether the server believes it.

    While it does not, nothing is published, signed, rotated, purged or backed up. --confirm lets it continue from here.
    """
    from bluezone.city import data_folder, load_city
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


def _settings_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"settings {result['applied']} were applied last"
    if result["outdated"]:
        yield "this folder's are others that were applied before; to go back to them: bluezone settings --apply"
    else:
        yield "they are this folder's"


@click.command()
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option("--apply", is_flag=True, help="Go back to the settings of this folder, and of this version.")
@prints_result(_settings_lines)
def settings(data: str | None, apply: bool) -> dict[str, Any]:
    """Print whether this folder's settings are the ones that were applied last, among all hosts on its database.

    New settings are applied at a start. Earlier ones are not, so that a host which still has them signs nothing;
    --apply goes back to them. It covers the phones' config and how files are made.
    """
    from bluezone.city import data_folder, load_city
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


def _keys_lines(result: dict[str, Any]) -> Iterable[str]:
    if result["where"] == "database":
        yield f"keys, configs and settings are in the database: {result['files']} files, sealed under the master key"
    else:
        yield "keys, configs and settings are in the files of this folder"


@click.command()
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
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
    from bluezone.city import data_folder, load_city
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


def main() -> None:
    """`python -m bluezone.cli.serve FOLDER OFFICE`: print the first administrator's link, as the office's user."""
    from bluezone import logs
    from bluezone.server.preparation import open_office

    logs.configure_logging()
    folder = Path(sys.argv[1])
    office = sys.argv[2]
    open_office(folder)
    _print_first_link(folder, office)


if __name__ == "__main__":
    main()
