# SPDX-License-Identifier: Apache-2.0
"""`bluezone history` and `bluezone recovery-key`: what was published against what is here, and a new epoch where the
two can no longer be brought together. `bluezone signer`: what signs, and the persons who approve what is new.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.output import command_result
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
    "--seen", metavar="KIND=NUMBER", multiple=True, help="What a phone holds, as `handset status` says: exports=5."
)


class RecoveryKeyExists(Refused):
    """The city has a recovery key, which phones keep for good; nothing was made."""

    code = "recovery_key_exists"


class RecoveryKeyInvalid(Refused):
    """What was typed is no recovery key: a digit is missing or wrong."""

    code = "recovery_key_invalid"


class SeenInvalid(Refused):
    """`--seen` is not config, exports or venues, an equals sign and a number."""

    code = "seen_invalid"


def key_text(private: bytes) -> str:
    """A recovery key as it is written on paper: 64 hex digits and 4 that find a slip, in groups of 4."""
    digits = (private + hashlib.sha256(private).digest()[:_CHECK_BYTES]).hex()
    return "-".join(digits[place : place + _GROUP] for place in range(0, len(digits), _GROUP))


def read_key(text: str) -> bytes:
    """The private key, 32 bytes, of a text from paper. Raises RecoveryKeyInvalid."""
    try:
        raw = bytes.fromhex("".join(text.split()).replace("-", ""))
    except ValueError:
        raw = b""
    private = raw[:_KEY_BYTES]
    if len(raw) != _KEY_BYTES + _CHECK_BYTES or hashlib.sha256(private).digest()[:_CHECK_BYTES] != raw[_KEY_BYTES:]:
        raise RecoveryKeyInvalid("this is no recovery key: 17 groups of 4 digits and letters a to f were expected")
    return private


@click.group("recovery-key")
def recovery_key() -> None:
    """The key that alone can lead phones on after a loss; it is kept on paper, never on a server."""


def _new_lines(result: dict[str, Any]) -> Iterable[str]:
    yield "Write this down, twice, and keep it apart from the server. It is shown this once and stored nowhere:"
    yield ""
    yield f"    {result['recovery_key']}"
    yield ""
    yield f"public part, which phones learn with the next config: {result['public']}"


@recovery_key.command()
@data_option
@command_result(_new_lines)
def new(data: str | None) -> dict[str, Any]:
    """Make the city's recovery key, once, before phones come: each keeps the first it is told of."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.city import data_folder, load_city
    from bluezone.keyserver.configuration import RECOVERY_CHECK_FILE, RECOVERY_FILE, recovery_check
    from bluezone.keyserver.keyfolder import write_new, write_whole

    folder = data_folder(data).resolve()
    load_city(folder)
    private = os.urandom(_KEY_BYTES)
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()
    (folder / RECOVERY_FILE).parent.mkdir(mode=0o700, exist_ok=True)
    if not write_new(folder / RECOVERY_FILE, public.encode() + b"\n", mode=0o600):
        raise RecoveryKeyExists(f"there is one already: {RECOVERY_FILE} in the data folder; nothing was made")
    # The office's first day asks for them, so that somebody reads the paper once more.
    shown = key_text(private)
    write_whole(folder / RECOVERY_CHECK_FILE, recovery_check(public, shown[-_GROUP:]), mode=0o600)
    return {"recovery_key": shown, "public": public}


def _signed_lines(result: dict[str, Any]) -> Iterable[str]:
    yield from _epoch_lines(result)
    yield f"wrote {result['file']}: take it to the server, bluezone history open {Path(result['file']).name}"


@recovery_key.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path))
@command_result(_signed_lines)
def sign(file: Path, out: Path) -> dict[str, Any]:
    """Sign the record of an epoch, on a machine that is not the server; asks for the key from paper."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.protocol.signed.epoch import decode_epoch, sign_epoch

    epoch = decode_epoch(file.read_bytes())
    for line in _epoch_lines(_told(epoch)):
        click.echo(line, err=True)
    private = read_key(click.prompt("Recovery key", hide_input=True, err=True))
    out.write_text(sign_epoch(epoch, Ed25519PrivateKey.from_private_bytes(private)) + "\n")
    return {**_told(epoch), "file": str(out)}


@click.group()
def history() -> None:
    """What was published against what this store knows; the playbook "history forked" says when."""


def _shown_lines(result: dict[str, Any]) -> Iterable[str]:
    yield ", ".join(f"{kind} {number}" for kind, number in result["heights"].items())
    for kind, numbers in result["adopted"].items():
        if numbers:
            yield f"{kind} {', '.join(map(str, numbers))} taken over"
    yield "the store knows all that was published, as far as anything here tells"


@history.command()
@data_option
@places_option
@seen_option
@command_result(_shown_lines)
def adopt(data: str | None, places: tuple[str, ...], seen: tuple[str, ...]) -> dict[str, Any]:
    """Compare, and take over what our own keys signed and this store has forgotten.

    Compared with the data folder or bucket, the journal of heads, and the places and phones that are named. Refused
    where that does not bring them together; then nothing is signed, and nothing published is overwritten.
    """
    server = _opened(data)
    try:
        adopted = server.take_over(_places(places), _seen(seen))
        return {"heights": server.history.heights(), "adopted": adopted}
    finally:
        server.close()


def _told(epoch: "Epoch") -> dict[str, Any]:
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
@command_result(_proposed_lines)
def propose(data: str | None, places: tuple[str, ...], seen: tuple[str, ...], out: Path) -> dict[str, Any]:
    """Write the record of a new epoch, to be signed with the recovery key on another machine. Changes nothing."""
    from bluezone.protocol.signed.epoch import encode_epoch

    server = _opened(data)
    try:
        epoch = server.propose_epoch(_seen(seen), _places(places))
    finally:
        server.close()
    out.write_bytes(encode_epoch(epoch))
    return {**_told(epoch), "file": str(out)}


def _opened_lines(result: dict[str, Any]) -> Iterable[str]:
    yield from _epoch_lines(result)
    yield "opened; phones go along at their next look and tell their owners. Codes that were open are revoked."


@history.command("open")
@data_option
@places_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@command_result(_opened_lines)
def open_(data: str | None, places: tuple[str, ...], file: Path) -> dict[str, Any]:
    """Go on in a new epoch whose record the recovery key has signed. Phones go along at most once a week."""
    server = _opened(data)
    try:
        return _told(server.open_epoch(file.read_text("ascii").strip(), _places(places)))
    finally:
        server.close()


def _opened(data: str | None) -> "KeyServer":
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
    """The signer: the process that alone holds what signs for phones, and the persons who approve what is new.

    `serve` starts one of its own as the same user. To give it a user of its own, run it as a service and name its
    socket in BLUEZONE_SIGNER (docs/operating.md, "The signer").
    """


@signer.command("run")
@click.option("--folder", required=True, type=click.Path(path_type=Path), help="Its keys, record and signer.toml.")
@click.option("--socket", "address", required=True, type=click.Path(path_type=Path), help="Where it is asked.")
@click.option(
    "--allow",
    multiple=True,
    metavar="ROLE=USER",
    help="Who may ask: reports=USER and publication=USER (configs= and files=USER together), repeated.",
)
@command_result(lambda result: [f"stopped by {result['stopped_by']}"])
def signer_run(folder: Path, address: Path, allow: tuple[str, ...]) -> dict[str, Any]:
    """Run a signer until SIGTERM."""
    import signal

    from bluezone import logs
    from bluezone.keyserver.signer.daemon import Daemon, allowed_users
    from bluezone.servicemanager import ServiceManager

    logs.begin()
    manager, stopped = ServiceManager(), []
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    daemon = Daemon(folder / "keys", folder, address, folder, allowed_users(allow))

    def stop(number: int, _frame: object) -> None:
        stopped.append(signal.Signals(number).name)
        daemon.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    logs.say("signer_ready", f"signer: ready at {address}")
    manager.ready()
    daemon.run(manager.alive)
    manager.stopping()
    return {"stopped_by": stopped[0] if stopped else None}


@signer.command("take")
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option("--folder", required=True, type=click.Path(path_type=Path), help="The signer's folder.")
@click.option("--user", required=True, help="Whose it shall be.")
@command_result(lambda result: [f"moved {result['moved']} files"])
def signer_take(data: str | None, folder: Path, user: str) -> dict[str, Any]:
    """Move what signs for phones out of a data folder into one of another user. As root, with every host stopped."""
    import pwd

    from bluezone.city import data_folder
    from bluezone.keyserver.keyfolder import erase, read_secret, signing_folder, write_whole
    from bluezone.keyserver.sealing import MasterKeyInvalid, master_key
    from bluezone.keyserver.signer.client import FOLDER_NAME, SIGNING_FILES
    from bluezone.keyserver.signer.record import FILE_NAME

    if master_key() is not None:
        raise MasterKeyInvalid("keys that are sealed in the database are signed with by the signer of `serve`")
    try:
        owner = pwd.getpwnam(user)
    except KeyError:
        raise click.UsageError(f"this machine has no user {user!r}") from None
    source = data_folder(data).resolve()
    keys = signing_folder(source / "keys")
    files = [path for pattern in SIGNING_FILES for path in sorted(keys.glob(pattern))]
    record, moved = source / FOLDER_NAME / FILE_NAME, []
    targets = {path: folder / "keys" / path.name for path in files}
    if record.exists():
        targets[record] = folder / FILE_NAME
    for place in (folder, folder / "keys"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(place, owner.pw_uid, owner.pw_gid)
    for path, target in targets.items():
        write_whole(target, read_secret(path), mode=0o600)
        os.chown(target, owner.pw_uid, owner.pw_gid)
        moved.append(path)
    # All are there before the first is gone here.
    for path in moved:
        erase(path)
    if keys != source / "keys":
        keys.rmdir()
    return {"moved": len(moved)}


def _asked_signer(data: str | None) -> Any:
    from bluezone.city import data_folder
    from bluezone.keyserver.keyfolder import SignerAway
    from bluezone.keyserver.signer.client import find_signer

    found = find_signer(data_folder(data).resolve())
    if found is None:
        raise SignerAway("no signer runs for this folder, and BLUEZONE_SIGNER names none")
    return found


def _waiting_lines(result: dict[str, Any]) -> Iterable[str]:
    if not result["waiting"]:
        yield "no config waits for approval"
    for told, members in result["waiting"].items():
        yield told
        for name, (before, after) in members.items():
            yield f"  {name}: {json.dumps(before, ensure_ascii=False)} -> {json.dumps(after, ensure_ascii=False)}"


@signer.command("waiting")
@data_option
@command_result(_waiting_lines)
def signer_waiting(data: str | None) -> dict[str, Any]:
    """Show which configs wait for two persons, and what each would change, by the digest that is approved."""
    from bluezone.keyserver.signer.client import Ask

    told: dict[str, list[str]] = json.loads(_asked_signer(data).ask(Ask.WAITING))
    return {"waiting": {digest: _changes(*map(json.loads, payloads)) for digest, payloads in told.items()}}


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    names = sorted((before.keys() | after.keys()) - {"number", "generated_at", "history", "week_keys"})
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


@signer.command("key")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File of the private key; keep it apart.")
@command_result(lambda result: [f"public key, for approvers in signer.toml: {result['public']}"])
def signer_key(out: Path) -> dict[str, Any]:
    """Make the key of one person who approves."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.keyserver.keyfolder import write_new

    made = Ed25519PrivateKey.generate()
    if not write_new(out, made.private_bytes_raw().hex().encode(), mode=0o600):
        raise click.UsageError(f"{out} is there already")
    return {"public": made.public_key().public_bytes_raw().hex()}


@signer.command("approve")
@click.argument("digest")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path, exists=True), help="Your key.")
@data_option
@command_result(lambda result: [f"approved {result['said']}"])
def signer_approve(digest: str, key_file: Path, data: str | None) -> dict[str, Any]:
    """Approve what `bluezone signer waiting` shows under DIGEST; it goes out when two persons have."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from bluezone.keyserver.keyfolder import read_secret
    from bluezone.keyserver.signer.client import Ask
    from bluezone.protocol.signed.envelope import canonical_json, sign_payload

    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(read_secret(key_file).decode("ascii")))
    except ValueError:
        raise click.UsageError(f"{key_file} is no key of `bluezone signer key`") from None
    approval = sign_payload("approval", canonical_json({"said": digest}), key)
    _asked_signer(data).ask(Ask.APPROVE, approval)
    return {"said": digest}
