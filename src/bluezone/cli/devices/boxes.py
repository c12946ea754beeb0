# SPDX-License-Identifier: Apache-2.0
"""`bluezone appliance`: set up and update a box without a screen that is a gate or a loudspeaker."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import prints_result

# Exists until the machine restarts: an update was installed, and no program has been restarted since.
PENDING = Path("/run/bluezone-update/pending")


@click.group()
def appliance() -> None:
    """A gate or a loudspeaker as a box without a screen: its ticket, its versions, its updates."""


def _ticket_lines(result: dict[str, Any]) -> Iterable[str]:
    if result["taken"]:
        yield f"ticket taken: {result['name']}, {result['agency']}; {result['unit']} starts with it"
    else:
        yield "no ticket found"


@appliance.command("take")
@click.option("--from", "places", multiple=True, type=click.Path(path_type=Path), help="Folder to search instead.")
@click.option("--state", type=click.Path(path_type=Path), help="Where the programs keep their data (/var/lib).")
@click.option("--own", is_flag=True, help="For the calling account, not for the program's; start nothing.")
@prints_result(_ticket_lines)
def accept_ticket(places: tuple[Path, ...], state: Path | None, own: bool) -> dict[str, Any]:
    """Take the office's ticket from boot partition, stick or the box's page, and start its program. As root."""
    from bluezone.edge.appliance.intake import PLACES, STATE_FOLDERS, take

    taken = take(time.time(), places or PLACES, state or STATE_FOLDERS, owner_of=(lambda _: None) if own else None)
    if taken is None:
        return {"taken": False}
    if not own:
        _systemctl("enable", taken.unit)
        _systemctl("restart", taken.unit)
    ticket = taken.ticket
    return {"taken": True, "name": ticket.name, "agency": ticket.agency, "kind": ticket.kind, "unit": taken.unit}


def _systemctl(verb: str, unit: str) -> None:
    subprocess.run(["/usr/bin/systemctl", "--no-block", verb, unit], check=False)  # noqa: S603 - a unit of ours


@appliance.command("setup-page")
@click.option("--folder", type=click.Path(path_type=Path), help="Where a ticket is put (/run/bluezone-setup).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page (8019); 0 takes a free one.")
@prints_result(lambda _: ("stopped",))
def setup_page(folder: Path | None, port: int | None) -> dict[str, Any]:
    """Show the page that accepts a ticket, until stopped. Needs only the right to write into its folder."""
    from bluezone.edge.appliance.intake import SETUP_FOLDER, SETUP_PORT, SetupPage

    page = SetupPage(folder or SETUP_FOLDER, time.time, port=SETUP_PORT if port is None else port)
    click.echo(f"ready on port {page.port}", err=True)
    page.serve()
    return {"stopped": True}


@appliance.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--root", type=click.Path(path_type=Path), help="Where the versions are (/var/lib/bluezone-appliance).")
@click.option("--healthy", type=float, help="Seconds that a new version has to run after it was ready (120).")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, required=True)
def run_version(root: Path | None, healthy: float | None, arguments: tuple[str, ...]) -> None:
    """Run `bluezone ARGUMENTS` in the newest working version; one that fails to start three times is given up.

    The count is in the data folder that BLUEZONE_DATA names.
    """
    from bluezone.city_settings import data_folder
    from bluezone.edge.appliance.launcher import HEALTHY_SECONDS, launch
    from bluezone.edge.appliance.slots import ROOT

    seconds = HEALTHY_SECONDS if healthy is None else healthy
    sys.exit(launch(arguments, data_folder(None), root or ROOT, healthy_seconds=seconds))


def _update_lines(result: dict[str, Any]) -> Iterable[str]:
    if result["taken"]:
        yield f"version {result['version']} is taken; programs begin with it at their next start"
    else:
        yield "nothing newer"


@appliance.command("update")
@click.option("--from", "places", multiple=True, type=click.Path(path_type=Path), help="Folder to search instead.")
@click.option("--root", type=click.Path(path_type=Path), help="Where the versions are (/var/lib/bluezone-appliance).")
@click.option("--keys", type=click.Path(path_type=Path), help="Keys of updates (/etc/bluezone/update.keys).")
@click.option("--state", type=click.Path(path_type=Path), help="Where the programs keep their data (/var/lib).")
@click.option("--stick-only", is_flag=True, help="Do not ask the office.")
@click.option("--restart", is_flag=True, help="Restart the running programs with the new version.")
@prints_result(_update_lines)
def accept_update(
    places: tuple[Path, ...], root: Path | None, keys: Path | None, state: Path | None, stick_only: bool, restart: bool
) -> dict[str, Any]:
    """Install a newer version from a stick, or from the office. As root."""
    from bluezone.edge.appliance.intake import PLACES, STATE_FOLDERS
    from bluezone.edge.appliance.slots import ROOT
    from bluezone.edge.appliance.ticket import ACCOUNTS, server_of
    from bluezone.edge.appliance.updates import KEYS_FILE, fetch, install, on_stick, this_machine, trusted_keys

    programs = [(state or STATE_FOLDERS) / account for account in dict.fromkeys(ACCOUNTS.values())]
    machine = this_machine(root or ROOT, programs=programs)
    trusted = trusted_keys(keys or KEYS_FILE)
    update = on_stick(places or PLACES, machine)
    server = next((address for folder in programs if (address := server_of(folder))), None)
    if update is None and server is not None and not stick_only:
        update = fetch(server, machine, trusted)
    manifest = None if update is None else install(update, machine, trusted)
    # By day a newer version waits for the next start; at night a timer calls this with --restart.
    if manifest is not None and PENDING.parent.is_dir():
        PENDING.touch()
    if restart and (manifest is not None or PENDING.exists()):
        PENDING.unlink(missing_ok=True)
        for account in dict.fromkeys(ACCOUNTS.values()):
            _systemctl("try-restart", f"{account}.service")
    if manifest is None:
        return {"taken": False}
    return {"taken": True, "version": manifest.version, "number": manifest.number}


@appliance.command("status")
@click.option("--root", type=click.Path(path_type=Path), help="Where the versions are (/var/lib/bluezone-appliance).")
@prints_result(lambda result: (f"next start: {result['version'] or 'the machine’s own'} ({result['number']})",))
def show_status(root: Path | None) -> dict[str, Any]:
    """Print the version with which the program of BLUEZONE_DATA starts next."""
    from bluezone.city_settings import data_folder
    from bluezone.edge.appliance.slots import ROOT, choose

    slot = choose(root or ROOT, data_folder(None))
    return {"version": slot.version, "number": slot.number, "folder": str(slot.folder)}


@appliance.command("key")
@click.argument("file", type=click.Path(path_type=Path))
@prints_result(lambda result: (f"public key for {result['keys_file']}: {result['public']}",))
def make_key(file: Path) -> dict[str, Any]:
    """Create the key that signs updates. It belongs on a machine without a network, and a copy into a safe."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from bluezone.edge.appliance.updates import KEYS_FILE
    from bluezone.keyserver.securefiles import write_new_file

    key = Ed25519PrivateKey.generate()
    if not write_new_file(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))
    return {"file": str(file), "public": key.public_key().public_bytes_raw().hex(), "keys_file": str(KEYS_FILE)}


@appliance.command("bundle")
@click.option("--key", required=True, type=click.Path(path_type=Path), help="The key of `bluezone appliance key`.")
@click.option(
    "--tree", required=True, type=click.Path(path_type=Path), help="A version: a package's /usr/lib/bluezone."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the update.")
@prints_result(lambda result: (f"{result['file']}: version {result['version']}, {result['size']} bytes",))
def bundle(key: Path, tree: Path, out: Path) -> dict[str, Any]:
    """Create a signed update of a version."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from bluezone.edge.appliance.bundle import UpdateInvalid, file_name, make_bundle, platform_of
    from bluezone.edge.appliance.slots import RELEASE
    from bluezone.keyserver.securefiles import read_secret

    try:
        private = load_pem_private_key(read_secret(key), None)
        release = json.loads((tree / RELEASE).read_bytes())
        version = str(release["version"])
        number = int(release["number"])
        machine = str(release["architecture"]), str(release["python"])
    except (ValueError, KeyError, TypeError):
        raise UpdateInvalid(f"{key} is not a private key, or {tree} has no {RELEASE} of a package") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UpdateInvalid(f"{key} is not an Ed25519 key")
    out.mkdir(parents=True, exist_ok=True)
    file = out / file_name(platform_of(*machine))
    manifest = make_bundle(tree, file, private, version, number, machine)
    return {"file": str(file), "version": version, "number": number, "size": manifest.size}
