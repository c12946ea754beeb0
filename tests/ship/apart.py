# SPDX-License-Identifier: Apache-2.0
"""Look at a `serve` whose processes are users apart, from inside the root it runs in: prints one JSON object.

Run as root by the package's own Python, `apart.py FOLDER PUBLIC`, while bluezone-apart.service runs: whose each process
is, whose each socket is, what each user opens of what is secret, and what came of one report through the public port.
"""

import contextlib
import json
import os
import pwd
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import RemoteKeys, find_signer
from bluezone.protocol import blindrsa
from bluezone.protocol.intervals import day_at, first_interval
from bluezone.protocol.upload import (
    HIGH,
    UploadKey,
    UploadRequest,
    Verify1Request,
    Verify2Request,
    commitment,
    decode_upload_answer,
    decode_verify1_answer,
    decode_verify2_answer,
    encode_upload,
    encode_verify1,
    encode_verify2,
)
from bluezone.protocol.upload.codes import Credential

PARTS = ("public", "pages", "codes", "admission", "publication", "signer")
USERS = ("bluezone", *(f"bluezone-{part}" for part in PARTS))
SECRETS = ("keys/*", "stores/*/*", "signer/keys/*", "signer/signed.jsonl")
PUBLISHED = ("exports/*", "venues/*")


def as_user(name, act):
    """What an act returns to a process of a user, with that user's groups; in text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        account = pwd.getpwnam(name)
        os.setgroups(os.getgrouplist(name, account.pw_gid))
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        try:
            said = act()
        except Exception as error:
            said = type(error).__name__
        os.write(writing, json.dumps(said).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        said = json.loads(file.read() or "null")
    os.waitpid(child, 0)
    return said


def processes():
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            words = (path / "cmdline").read_bytes().decode().split("\0")
            module = words[words.index("-m") + 1].rpartition(".")[2]
            part = words[words.index("-m") + 2] if module in ("part", "origin") else module
            found[part] = pwd.getpwuid(path.stat().st_uid).pw_name
    return found


def openable(paths):
    found = []
    for path in paths:
        for mode in ("rb", "r+b"):
            with contextlib.suppress(OSError), open(path, mode):
                found.append(f"{mode} {path}")
    return found


def report(folder, public):
    """The statuses of the three calls of a report."""

    def issue():
        os.environ["BLUEZONE_DATA"] = folder
        server = KeyServer.open(Path(folder))
        return server.codes.issue_code("confirmed", datetime.now(UTC).date() - timedelta(days=2)).code

    def post(path, body):
        with urllib.request.urlopen(public + path, body, timeout=120) as answer:
            return answer.read()

    credential = Credential.from_text(as_user("bluezone", issue))
    first = decode_verify1_answer(post("/v1/verify", encode_verify1(Verify1Request(credential=credential))))
    key = RemoteKeys(find_signer(Path(folder))).week_keys.find_key(first.kid)
    keys = (UploadKey(os.urandom(16), first_interval(day_at(time.time()) - 1), 144, HIGH),)
    salt, rand = os.urandom(32), os.urandom(32)
    public_key, message = blindrsa.PublicKey(key.n, key.e), rand + commitment(salt, keys, ())
    blinded = blindrsa.blind(public_key, message)
    asked = Verify2Request(credential=credential, kid=first.kid, blinded=blinded.message)
    second = decode_verify2_answer(post("/v1/verify", encode_verify2(asked)))
    signature = blindrsa.finalize(public_key, message, second.blind_signature, blinded.inverse)
    upload = UploadRequest(kid=first.kid, rand=rand, signature=signature, salt=salt, keys=keys)
    third = decode_upload_answer(post("/v1/upload", encode_upload(upload)))
    return [first.status.name, second.status.name, third.status.name]


def main():
    folder, public = sys.argv[1:]
    top = Path(folder)
    secret = sorted(str(path) for pattern in SECRETS for path in top.glob(pattern) if path.is_file())
    sockets = [*top.glob("run/*/*.sock"), *top.glob("signer/*.sock")]
    whose = {
        str(path.relative_to(top)): [path.owner(), oct(path.stat().st_mode & 0o7777), oct(path.parent.stat().st_mode)]
        for path in sockets
    }
    opened = {user: as_user(user, lambda: openable(secret)) for user in USERS}
    published = sorted(str(path) for pattern in PUBLISHED for path in top.glob(pattern) if path.is_file())
    changed = {
        user: [text for text in as_user(user, lambda: openable(published)) if text.startswith("r+b")] for user in USERS
    }
    told = {"processes": processes(), "sockets": whose, "secrets": secret, "opened": opened}
    told |= {"published": published, "changed": changed}
    try:
        told["report"] = report(folder, public)
    except Exception as error:
        told["report"] = repr(error)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
