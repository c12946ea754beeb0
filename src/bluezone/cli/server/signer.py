# SPDX-License-Identifier: Apache-2.0
"""`bluezone signer`: the process that signs, and the persons who approve new configs."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import prints_result


@click.group()
def signer() -> None:
    """The signer: the only process with the keys that sign for phones, and the persons who approve new configs.

    `serve` starts its own signer as the same user. To run it as a separate user, run it as a service and name its
    socket in BLUEZONE_SIGNER (docs/operating.md, "The signer").
    """


@signer.command("run")
@click.option("--folder", required=True, type=click.Path(path_type=Path), help="Its keys, record and signer.toml.")
@click.option("--socket", "address", required=True, type=click.Path(path_type=Path), help="Where it answers.")
@click.option(
    "--allow",
    multiple=True,
    metavar="ROLE=USER",
    help="Who may use it: reports=USER and publication=USER (configs= and files=USER together), repeated.",
)
@prints_result(lambda result: [f"stopped by {result['stopped_by']}"])
def run_signer(folder: Path, address: Path, allow: tuple[str, ...]) -> dict[str, Any]:
    """Run a signer until SIGTERM."""
    import signal

    from bluezone import logs
    from bluezone.keyserver.signer.daemon import Daemon, allowed_users
    from bluezone.servicemanager import ServiceManager

    logs.configure_logging()
    manager = ServiceManager()
    stopped: list[str] = []
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    daemon = Daemon(folder / "keys", folder, address, folder, allowed_users(allow))

    def stop(number: int, _frame: object) -> None:
        stopped.append(signal.Signals(number).name)
        daemon.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    logs.log_event("signer_ready", f"signer: ready at {address}")
    manager.ready()
    daemon.run(manager.alive)
    manager.stopping()
    return {"stopped_by": stopped[0] if stopped else None}


@signer.command("take")
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option("--folder", required=True, type=click.Path(path_type=Path), help="The signer's folder.")
@click.option("--user", required=True, help="The user that will own it.")
@prints_result(lambda result: [f"moved {result['moved']} files"])
def signer_take(data: str | None, folder: Path, user: str) -> dict[str, Any]:
    """Move the keys that sign for phones from a data folder to another user's. As root, with all hosts stopped."""
    import pwd

    from bluezone.city_settings import data_folder
    from bluezone.keyserver.keys.keyfolder import signing_folder
    from bluezone.keyserver.keys.masterkey import MasterKeyInvalid, read_master_key
    from bluezone.keyserver.securefiles import erase_file, read_secret, write_atomically
    from bluezone.keyserver.signer.client import FOLDER_NAME, SIGNING_FILES
    from bluezone.keyserver.signer.record import FILE_NAME

    if read_master_key() is not None:
        raise MasterKeyInvalid("keys that are sealed in the database are signed with by the signer of `serve`")
    try:
        owner = pwd.getpwnam(user)
    except KeyError:
        raise click.UsageError(f"this machine has no user {user!r}") from None
    source = data_folder(data).resolve()
    keys = signing_folder(source / "keys")
    targets = {}
    for pattern in SIGNING_FILES:
        for path in sorted(keys.glob(pattern)):
            targets[path] = folder / "keys" / path.name
    record = source / FOLDER_NAME / FILE_NAME
    if record.exists():
        targets[record] = folder / FILE_NAME
    for place in (folder, folder / "keys"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(place, owner.pw_uid, owner.pw_gid)
    for path, target in targets.items():
        write_atomically(target, read_secret(path), mode=0o600)
        os.chown(target, owner.pw_uid, owner.pw_gid)
    # All copies are written before the first original is erased.
    for path in targets:
        erase_file(path)
    if keys != source / "keys":
        keys.rmdir()
    return {"moved": len(targets)}


def _signer_client(data: str | None) -> Any:
    from bluezone.city_settings import data_folder
    from bluezone.keyserver.keys.keyfolder import SignerAway
    from bluezone.keyserver.signer.client import find_signer

    client = find_signer(data_folder(data).resolve())
    if client is None:
        raise SignerAway("no signer runs for this folder, and BLUEZONE_SIGNER names none")
    return client


def _waiting_lines(result: dict[str, Any]) -> Iterable[str]:
    if not result["waiting"]:
        yield "no config waits for approval"
    for digest, members in result["waiting"].items():
        yield digest
        for name, (before, after) in members.items():
            yield f"  {name}: {json.dumps(before, ensure_ascii=False)} -> {json.dumps(after, ensure_ascii=False)}"


@signer.command("waiting")
@data_option
@prints_result(_waiting_lines)
def list_waiting_requests(data: str | None) -> dict[str, Any]:
    """Show which configs wait for the approval of two people, by digest, and what each would change."""
    from bluezone.keyserver.signer.client import Operation

    waiting: dict[str, list[str]] = json.loads(_signer_client(data).request_operation(Operation.WAITING))
    return {"waiting": {digest: _changes(*map(json.loads, payloads)) for digest, payloads in waiting.items()}}


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    names = sorted((before.keys() | after.keys()) - {"number", "generated_at", "history", "week_keys"})
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


@signer.command("key")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File of the private key; keep it apart.")
@prints_result(lambda result: [f"public key, for approvers in signer.toml: {result['public']}"])
def signer_key(out: Path) -> dict[str, Any]:
    """Create the key of one approver."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.keyserver.securefiles import write_new_file

    private = Ed25519PrivateKey.generate()
    if not write_new_file(out, private.private_bytes_raw().hex().encode(), mode=0o600):
        raise click.UsageError(f"{out} is there already")
    return {"public": private.public_key().public_bytes_raw().hex()}


@signer.command("approve")
@click.argument("digest")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path, exists=True), help="Your key.")
@data_option
@prints_result(lambda result: [f"approved {result['said']}"])
def approve_request(digest: str, key_file: Path, data: str | None) -> dict[str, Any]:
    """Approve the config that `bluezone signer waiting` shows under DIGEST; it is published when two persons have."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.keyserver.securefiles import read_secret
    from bluezone.keyserver.signer.client import Operation
    from bluezone.protocol.signed.envelope import canonical_json, sign_payload

    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(read_secret(key_file).decode("ascii")))
    except ValueError:
        raise click.UsageError(f"{key_file} is not a key of `bluezone signer key`") from None
    approval = sign_payload("approval", canonical_json({"said": digest}), key)
    _signer_client(data).request_operation(Operation.APPROVE, approval)
    return {"said": digest}
