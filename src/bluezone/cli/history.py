# SPDX-License-Identifier: Apache-2.0
"""`bluezone history` and `bluezone recovery-key`: compare what was published with the store, and begin a new epoch if
the two cannot be reconciled. `bluezone signer`: the process that signs, and the persons who approve new configs.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.output import prints_result
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer
    from bluezone.protocol.signed.epoch import Epoch

_KEY_BYTES = 32
_CHECK_BYTES = 2
_GROUP = 4

data_option = click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
places_option = click.option(
    "--from", "places", metavar="PLACE", multiple=True, help="Another data folder, or a mirror's address."
)
seen_option = click.option(
    "--seen", metavar="KIND=NUMBER", multiple=True, help="What a phone has, as `handset status` prints: exports=5."
)


class RecoveryKeyExists(Refused):
    """The city already has a recovery key, which phones store for good; nothing was made."""

    code = "recovery_key_exists"


class RecoveryKeyInvalid(Refused):
    """The typed text is not a recovery key: a digit is missing or wrong."""

    code = "recovery_key_invalid"


class SeenInvalid(Refused):
    """`--seen` is not config, exports or venues, an equals sign and a number."""

    code = "seen_invalid"


def key_text(private: bytes) -> str:
    """A recovery key as it is written on paper: 64 hex digits and 4 check digits, in groups of 4."""
    digits = (private + hashlib.sha256(private).digest()[:_CHECK_BYTES]).hex()
    return "-".join(digits[place : place + _GROUP] for place in range(0, len(digits), _GROUP))


def read_key(text: str) -> bytes:
    """The private key, 32 bytes, from the text on paper. Raises RecoveryKeyInvalid."""
    try:
        raw = bytes.fromhex("".join(text.split()).replace("-", ""))
    except ValueError:
        raw = b""
    private = raw[:_KEY_BYTES]
    if len(raw) != _KEY_BYTES + _CHECK_BYTES or hashlib.sha256(private).digest()[:_CHECK_BYTES] != raw[_KEY_BYTES:]:
        raise RecoveryKeyInvalid("this is not a recovery key: 17 groups of 4 digits and letters a to f were expected")
    return private


@click.group("recovery-key")
def recovery_key() -> None:
    """The only key that can lead phones to a new epoch after a loss; it is kept on paper, never on a server."""


def _new_lines(result: dict[str, Any]) -> Iterable[str]:
    yield "Write this down, twice, and keep it apart from the server. It is shown only once and not stored:"
    yield ""
    yield f"    {result['recovery_key']}"
    yield ""
    yield f"public part, which phones learn with the next config: {result['public']}"


@recovery_key.command()
@data_option
@prints_result(_new_lines)
def new(data: str | None) -> dict[str, Any]:
    """Make the city's recovery key, once, before the first phones: each phone trusts the first that it learns."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.city import data_folder, load_city
    from bluezone.keyserver.configs.recoverykey import RECOVERY_CHECK_FILE, RECOVERY_FILE, hash_last_group
    from bluezone.keyserver.securefiles import write_new, write_whole

    folder = data_folder(data).resolve()
    load_city(folder)
    private = os.urandom(_KEY_BYTES)
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()
    (folder / RECOVERY_FILE).parent.mkdir(mode=0o700, exist_ok=True)
    if not write_new(folder / RECOVERY_FILE, public.encode() + b"\n", mode=0o600):
        raise RecoveryKeyExists(f"there is one already: {RECOVERY_FILE} in the data folder; nothing was made")
    # The office's first day asks for the check digits, so that someone reads the paper once more.
    text = key_text(private)
    write_whole(folder / RECOVERY_CHECK_FILE, hash_last_group(public, text[-_GROUP:]), mode=0o600)
    return {"recovery_key": text, "public": public}


def _signed_lines(result: dict[str, Any]) -> Iterable[str]:
    yield from _epoch_lines(result)
    yield f"wrote {result['file']}: take it to the server, bluezone history open {Path(result['file']).name}"


@recovery_key.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path))
@prints_result(_signed_lines)
def sign(file: Path, out: Path) -> dict[str, Any]:
    """Sign the record of an epoch, on a machine that is not the server; asks for the key from paper."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.protocol.signed.epoch import decode_epoch, sign_epoch

    epoch = decode_epoch(file.read_bytes())
    for line in _epoch_lines(_as_json(epoch)):
        click.echo(line, err=True)
    private = read_key(click.prompt("Recovery key", hide_input=True, err=True))
    out.write_text(sign_epoch(epoch, Ed25519PrivateKey.from_private_bytes(private)) + "\n")
    return {**_as_json(epoch), "file": str(out)}


@click.group()
def history() -> None:
    """Compare what was published with what this store knows; the playbook "history forked" says when."""


def _adopted_lines(result: dict[str, Any]) -> Iterable[str]:
    yield ", ".join(f"{kind} {number}" for kind, number in result["heights"].items())
    for kind, numbers in result["adopted"].items():
        if numbers:
            yield f"{kind} {', '.join(map(str, numbers))} taken over"
    yield "the store knows all that was published, as far as anything here tells"


@history.command()
@data_option
@places_option
@seen_option
@prints_result(_adopted_lines)
def adopt(data: str | None, places: tuple[str, ...], seen: tuple[str, ...]) -> dict[str, Any]:
    """Compare, and adopt what our own keys signed and this store has lost.

    The store is compared with the data folder or bucket, the journal of heads, and the named places and phones. If
    adopting does not reconcile them, the command is refused, nothing is signed, and nothing published is overwritten.
    """
    server = _open_keyserver(data)
    try:
        adopted = server.ticks.adopt(_places(places), _seen(seen))
        return {"heights": server.ticks.history.heights(), "adopted": adopted}
    finally:
        server.close()


def _as_json(epoch: "Epoch") -> dict[str, Any]:
    from dataclasses import asdict

    return {"epoch": asdict(epoch)}


def _epoch_lines(result: dict[str, Any]) -> Iterable[str]:
    epoch = result["epoch"]
    yield f"epoch {epoch['number']}"
    for kind in ("config", "exports", "venues"):
        yield f"  {kind}: {epoch[kind]['ancestor']} still holds, {epoch[kind]['first']} comes next"


def _proposed_lines(result: dict[str, Any]) -> Iterable[str]:
    yield from _epoch_lines(result)
    yield f"wrote {result['file']}: sign it on another machine, bluezone recovery-key sign"


@history.command()
@data_option
@places_option
@seen_option
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path))
@prints_result(_proposed_lines)
def propose(data: str | None, places: tuple[str, ...], seen: tuple[str, ...], out: Path) -> dict[str, Any]:
    """Write the record of a new epoch, to be signed with the recovery key on another machine. Changes nothing."""
    from bluezone.protocol.signed.epoch import encode_epoch

    server = _open_keyserver(data)
    try:
        epoch = server.ticks.propose_epoch(_seen(seen), _places(places))
    finally:
        server.close()
    out.write_bytes(encode_epoch(epoch))
    return {**_as_json(epoch), "file": str(out)}


def _opened_lines(result: dict[str, Any]) -> Iterable[str]:
    yield from _epoch_lines(result)
    yield "opened; phones go along at their next look and tell their owners. Codes that were open are revoked."


@history.command("open")
@data_option
@places_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@prints_result(_opened_lines)
def open_(data: str | None, places: tuple[str, ...], file: Path) -> dict[str, Any]:
    """Begin a new epoch with a record that the recovery key has signed. Phones follow at most once a week."""
    server = _open_keyserver(data)
    try:
        return _as_json(server.ticks.open_epoch(file.read_text("ascii").strip(), _places(places)))
    finally:
        server.close()


def _open_keyserver(data: str | None) -> "KeyServer":
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer

    return KeyServer.open(data_folder(data))


def _places(texts: tuple[str, ...]) -> list[Any]:
    from bluezone.keyserver.publication.bucket import place_of

    return [place_of(text) for text in texts]


def _seen(texts: tuple[str, ...]) -> dict[str, int]:
    from bluezone.protocol.signed.epoch import BRANCHES

    seen = {}
    for text in texts:
        kind, _, number = text.partition("=")
        if kind not in BRANCHES or not number.isdecimal():
            raise SeenInvalid(f"{text!r} is not like exports=5; kinds are {', '.join(BRANCHES)}")
        seen[kind] = int(number)
    return seen


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
def signer_run(folder: Path, address: Path, allow: tuple[str, ...]) -> dict[str, Any]:
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

    from bluezone.city import data_folder
    from bluezone.keyserver.keys.keyfolder import signing_folder
    from bluezone.keyserver.keys.masterkey import MasterKeyInvalid, read_master_key
    from bluezone.keyserver.securefiles import erase, read_secret, write_whole
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
        write_whole(target, read_secret(path), mode=0o600)
        os.chown(target, owner.pw_uid, owner.pw_gid)
    # All copies are written before the first original is erased.
    for path in targets:
        erase(path)
    if keys != source / "keys":
        keys.rmdir()
    return {"moved": len(targets)}


def _signer_client(data: str | None) -> Any:
    from bluezone.city import data_folder
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
def signer_waiting(data: str | None) -> dict[str, Any]:
    """Show which configs wait for the approval of two people, by digest, and what each would change."""
    from bluezone.keyserver.signer.client import Ask

    waiting: dict[str, list[str]] = json.loads(_signer_client(data).ask(Ask.WAITING))
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

    from bluezone.keyserver.securefiles import write_new

    private = Ed25519PrivateKey.generate()
    if not write_new(out, private.private_bytes_raw().hex().encode(), mode=0o600):
        raise click.UsageError(f"{out} is there already")
    return {"public": private.public_key().public_bytes_raw().hex()}


@signer.command("approve")
@click.argument("digest")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path, exists=True), help="Your key.")
@data_option
@prints_result(lambda result: [f"approved {result['said']}"])
def signer_approve(digest: str, key_file: Path, data: str | None) -> dict[str, Any]:
    """Approve the config that `bluezone signer waiting` shows under DIGEST; it is published when two persons have."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.keyserver.securefiles import read_secret
    from bluezone.keyserver.signer.client import Ask
    from bluezone.protocol.signed.envelope import canonical_json, sign_payload

    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(read_secret(key_file).decode("ascii")))
    except ValueError:
        raise click.UsageError(f"{key_file} is not a key of `bluezone signer key`") from None
    approval = sign_payload("approval", canonical_json({"said": digest}), key)
    _signer_client(data).ask(Ask.APPROVE, approval)
    return {"said": digest}
