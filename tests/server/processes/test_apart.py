# SPDX-License-Identifier: Apache-2.0
"""A `serve` that root starts: each process is a user of its own, and who takes one over has what is its own alone."""

import contextlib
import functools
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import randbelow
from types import SimpleNamespace

import pytest
from tests.builders.keyserver import Phone, keys_for
from tests.builders.machines import wait_until
from tests.builders.serving import BLUEZONE, HOTLINE, start
from tests.builders.signer import as_user
from tests.builders.stores import prepared_store

from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import Connection, Operation, RemoteKeys, find_signer
from bluezone.protocol.upload import HIGH, Status, UploadKey
from bluezone.protocol.upload.codes import CODE_LENGTH, Credential, new_code
from bluezone.server.front.relay import PartUnavailable, Relay, socket_of
from bluezone.server.processes import users

USERS = {
    "office": 61020,
    "public": 61021,
    "pages": 61022,
    "codes": 61023,
    "admission": 61024,
    "signer": 61025,
    "publication": 61026,
}
# What each process has in its groups beside its own: the office shares each store with the one process that it is for.
GROUPS = {
    "office": (USERS["codes"], USERS["admission"], USERS["pages"]),
    "publication": (USERS["admission"],),
}
SAID = {"BLUEZONE_USERS": ",".join(f"{part}={uid}" for part, uid in USERS.items())}


def others_may_run_this():
    def look():
        return subprocess.run([sys.executable, "-P", "-c", "import bluezone.keyserver.http"], cwd="/").returncode

    return as_user(USERS["public"], look) == 0


pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.getuid() != 0, reason="only root becomes other users"),
]


@pytest.fixture(scope="module")
def city():
    """A city served by processes of seven users; yields what `serve` said and where."""
    if not others_may_run_this():
        pytest.skip("the program lies where other users may not read it")
    base = Path(tempfile.mkdtemp(prefix="bluezone-apart-"))
    base.chmod(0o755)
    try:
        prepared_store(base / "data")
        served = start(base / "data", "--hotline", HOTLINE, environment=SAID)
        try:
            yield served
        finally:
            served.process.send_signal(signal.SIGCONT)
            served.process.terminate()
            served.process.communicate(timeout=120)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def act_as(part, act):
    """What a hostile process in the place of a part brings about."""
    return as_user(USERS[part], act, GROUPS.get(part, ()))


def processes_of(served):
    """The process ids below a `serve`, by part."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        # One that begins is not yet what it will be.
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((path / "stat").read_text().rsplit(")", 1)[1].split()[1]) != served.process.pid:
                continue
            words = (path / "cmdline").read_bytes().decode().split("\0")
            module = words[words.index("-m") + 1].rpartition(".")[2]
            found[words[words.index("-m") + 2] if module in ("part", "origin") else module] = int(path.name)
    return found


def stop(pid):
    """Stop a process, and wait until each of its threads stands: until one has seen the signal, the others go on."""
    os.kill(pid, signal.SIGSTOP)
    while {state_of(path) for path in Path(f"/proc/{pid}/task").glob("*/stat")} != {"T"}:
        time.sleep(0.01)


def state_of(path):
    """The state of a thread by its `stat`, a letter as in `ps`; X if it has ended meanwhile."""
    try:
        return path.read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def get(address):
    host = http.client.HTTPConnection("localhost", int(address.rsplit(":", 1)[1].split("/")[0]), timeout=60)
    try:
        host.request("GET", "/" + address.partition("//")[2].partition("/")[2])
        answer = host.getresponse()
        return answer.status, answer.read()
    finally:
        host.close()


def poster(served, fails=()):
    def post(path, body):
        host = http.client.HTTPConnection("localhost", int(served.public.rsplit(":", 1)[1]), timeout=60)
        try:
            host.request("POST", path, body)
            answer = host.getresponse()
            content = answer.read()
        finally:
            host.close()
        if answer.status in fails:
            raise PartUnavailable(json.loads(content)["error"]["code"])
        assert answer.status == 200, (answer.status, content)
        return content

    return post


def issued_to(served):
    """A code as the office issues it, in a process that is the office's."""

    def issue():
        server = KeyServer.open(served.data)
        onset = datetime.fromtimestamp(time.time(), UTC).date() - timedelta(days=2)
        return server.codes.issue_code("confirmed", onset).code

    code = act_as("office", issue)
    assert isinstance(code, str), code
    return Credential.from_text(code)


def phone_of(served, credential, **more):
    keys = RemoteKeys(find_signer(served.data)).week_keys
    server = SimpleNamespace(secrets=SimpleNamespace(week_keys=keys))
    return Phone(poster(served), server, credential, keys=keys_for(time.time(), level=HIGH), **more)


def waiting(served):
    """The keys that wait, as only the test sees them."""
    with contextlib.closing(sqlite3.connect(served.data / "stores" / "keys" / "keys.sqlite3")) as store:
        return {bytes(key) for (key,) in store.execute("SELECT key FROM waiting_key")}


@pytest.mark.parametrize("path", ["/wp-{}.php", "/?utm_source={}", "/news/?x={}"])
def test_the_front_answers_from_its_memory_what_is_the_same_for_all(city, path):
    numbers = itertools.count()

    def is_shared():
        host = http.client.HTTPConnection("localhost", int(city.public.rsplit(":", 1)[1]), timeout=60)
        host.request("GET", path.format(next(numbers)))
        answer = host.getresponse()
        answer.read()
        host.close()
        return answer.getheader("Age") is not None

    wait_until(is_shared)


def test_a_report_goes_through_processes_of_seven_users_and_every_page_is_there(city):
    found = processes_of(city)
    owners = {part: int(Path(f"/proc/{pid}").stat().st_uid) for part, pid in found.items()}
    assert owners == {
        "front": USERS["public"], "office": USERS["office"], "worker": USERS["office"], "pages": USERS["pages"],
        "codes": USERS["codes"], "admission": USERS["admission"], "signer": USERS["signer"],
        "publication": USERS["publication"],
    }  # fmt: skip

    phone = phone_of(city, issued_to(city)).certified()
    assert phone.upload().status is Status.OK
    assert {key.key for key in phone.keys} <= waiting(city)
    assert phone.upload().status is Status.OK, "the same again changes nothing"

    for path in (
        "/v1/health",
        "/v1/health/ready",
        "/v1/config",
        "/v1/exports/index.json",
        "/",
        "/transparency/",
        "/app/",
    ):
        status, content = get(f"{city.public}{path}")
        assert status == 200, (path, content)
    assert get(f"{city.public}/v1/log/checkpoint")[0] == 200
    deadline = time.monotonic() + 600
    while not (exports := [*(city.data / "exports").glob("*.zip")]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert {path.stat().st_uid for path in exports} == {USERS["publication"]}
    assert get(f"{city.public}/v1/nothing")[0] == 404
    assert get(f"{city.office}/sign-in/")[0] == 200
    assert "first administrator" in city.output + next(city.lines, "")


def test_where_some_users_are_there_and_one_is_not_nothing_starts_as_root(monkeypatch):
    monkeypatch.delenv("BLUEZONE_USERS", raising=False)
    there = {part: str(uid) for part, uid in USERS.items()}
    monkeypatch.setattr(users, "NAMES", {**there, "publication": "bluezone-nobody-made-this"})
    with pytest.raises(users.UsersInvalid, match="publication"):
        users.find_users()
    one_user = dict.fromkeys(there, "bluezone-nobody-made-this")
    monkeypatch.setattr(users, "NAMES", {**one_user, "office": there["office"], "signer": there["signer"]})
    assert users.find_users() is None


def openable(top):
    """What a process can read and write below a folder, and in which folders it can make files."""
    read, written, made = set(), set(), set()
    for path in (Path(text) for text in PATHS):
        # Of what lies where a process may not look, nothing can be told.
        if os.path.isdir(path):
            if os.access(path, os.W_OK | os.X_OK):
                made.add(os.path.relpath(path, top))
            continue
        with contextlib.suppress(OSError), open(path, "rb"):
            read.add(os.path.relpath(path, top))
        with contextlib.suppress(OSError), open(path, "r+b"):
            written.add(os.path.relpath(path, top))
    return read, written, made


PATHS: list[str] = []


def test_no_process_opens_a_file_that_is_not_its_own(city):
    journal = city.data.parent / "bluezone-heads"
    tops = [city.data, *city.data.rglob("*"), journal, *journal.iterdir()]
    PATHS[:] = [str(path) for path in tops if not path.is_socket()]
    everything = [os.path.relpath(path, city.data) for path in PATHS if Path(path).is_file()]
    secrets = {path for path in everything if path.startswith(("keys/", "stores/", "signer/keys/"))}
    secrets |= {"signer/signed.jsonl"}
    assert {"keys/pepper", "stores/keys/keys.sqlite3", "signer/keys/signing-ed25519.pem"} <= secrets
    seen = {part: act_as(part, functools.partial(openable, city.data)) for part in USERS}

    read, written, made = seen["public"]
    canary = {path for path in everything if path.startswith("canary/")}
    assert (read & secrets, written, made) == (set(), canary, {"canary"})
    published = {path for path in everything if path.startswith(("exports/", "venues/"))}
    assert {"exports/index.json", "venues/index.json"} <= published <= read, "the attempt itself works"

    def of(*tops):
        return {path for path in secrets if path.startswith(tops)}

    pages = of("stores/office/", "keys/office-django", "keys/office-factors")
    own = {
        "codes": (of("stores/codes/", "keys/pepper"), of("stores/codes/"), {"stores/codes", "run/codes"}),
        "admission": (of("stores/keys/"), of("stores/keys/"), {"stores/keys", "run/admission"}),
        "publication": (
            of("stores/keys/"),
            of("stores/keys/"),
            {"stores/keys", "run/publication", "exports", "venues", "../bluezone-heads"},
        ),
        "pages": (pages, of("stores/office/"), {"stores/office", "run/pages"}),
        "signer": (of("signer/"), of("signer/"), {"signer", "signer/keys"}),
    }
    for part, (may_read, may_write, may_make) in own.items():
        read, written, made = seen[part]
        assert read & secrets == may_read, part
        assert {path for path in written if path in secrets} == may_write, part
        told = ("exports/", "venues/", "run/publication/", "../bluezone-heads/")
        others = {
            path for path in everything if path.startswith({"publication": told, "signer": "signer/"}.get(part, "-"))
        }
        assert written - secrets <= others, part
        assert made == may_make, part
    assert published <= seen["publication"][1]
    read, written, made = seen["office"]
    assert not (read | written) & of("signer/")
    assert not written & published
    assert not made & {"exports", "venues", "run/publication", "../bluezone-heads"}
    assert not {path for path in written if path.startswith("../bluezone-heads/")}


def heard(part, data):
    """Whether a part answers who asks."""
    try:
        Relay(socket_of(data / "run", part), part).request(
            {"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/health/ready", "HTTP_HOST": "localhost"}, b""
        )
    except PartUnavailable:
        return False
    return True


def test_the_parts_hear_the_public_process_and_nobody_else(city):
    for user in USERS:
        found = {
            part for part in ("codes", "admission", "pages") if act_as(user, functools.partial(heard, part, city.data))
        }
        assert found == ({"codes", "admission", "pages"} if user == "public" else set()), user


def test_nobody_puts_a_socket_in_the_place_of_a_killed_part(city):
    def take_the_place(part):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.bind(str(city.data / "run" / part / "other.sock"))
            return "taken"

    for user in USERS:
        for part in ("codes", "admission", "pages"):
            said = act_as(user, functools.partial(take_the_place, part))
            if user == part:
                assert said == "taken"
                (city.data / "run" / part / "other.sock").unlink()
            else:
                assert said[0] == "PermissionError", (user, part)


def test_a_hostile_public_process_admits_no_key_with_all_that_its_user_reaches(city):
    before = waiting(city)
    mine = UploadKey(os.urandom(16), keys_for(time.time())[0].start, 144, HIGH)
    forged = phone_of(city, Credential.from_digits(new_code(randbelow, CODE_LENGTH)))
    forged.keys, forged.kid, forged.signature = (mine,), 1, os.urandom(256)

    def act():
        said = {}
        for part in ("codes", "admission", "pages"):
            relay = Relay(socket_of(city.data / "run", part), part)

            def post(path, body, relay=relay):
                environ = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": str(len(body))}
                environ |= {"REMOTE_ADDR": f"203.0.113.{os.urandom(1)[0]}", "HTTP_HOST": "localhost"}
                status, _, content = relay.request(environ, body)
                return content if status == 200 else b""

            phone = Phone(post, forged.server, forged.credential, keys=(mine,), kid=1, signature=forged.signature)
            answers = []
            for step in (phone.check_code, phone.redeem_code, phone.upload):
                try:
                    answers.append(step().status.name)
                except Exception as error:
                    answers.append(type(error).__name__)
            said[part] = answers
        said["signer"] = {sign(city.data, what) for what in Operation}
        for name in ("keys", "codes", "office"):
            try:
                sqlite3.connect(city.data / "stores" / name / f"{name}.sqlite3").execute("SELECT 1 FROM sqlite_master")
                said[f"store {name}"] = "opened"
            except sqlite3.Error:
                said[f"store {name}"] = "refused"
        return said

    said = act_as("public", act)
    assert said["codes"][:2] == ["CODE_INVALID", "CODE_INVALID"], said
    assert said["admission"][2] in ("SIGNATURE_INVALID", "KID_REFUSED"), said
    assert "OK" not in [answer for part in ("codes", "admission", "pages") for answer in said[part]]
    assert {said[f"store {name}"] for name in ("keys", "codes", "office")} == {"refused"}
    assert said["signer"] == {"SignerAway"}, said
    assert waiting(city) == before

    # The same calls by somebody who has a code are taken: the attempt itself works.
    phone = phone_of(city, issued_to(city)).certified()
    assert phone.upload().status is Status.OK
    assert waiting(city) > before


def sign(data, what, body=b""):
    """What the signer says to who asks: it is not his to ask ("barred"), or what came of it."""
    (path,) = (data / "signer").glob("*.sock")
    try:
        Connection(path).request_operation(what, body)
    except Exception as error:
        return "barred" if "may not request" in str(error) else type(error).__name__
    return "signed"


def test_the_signer_certifies_for_codes_signs_configs_for_the_office_and_files_for_publication_alone(city):
    keys = RemoteKeys(find_signer(city.data))
    now = int(time.time())
    blind = keys.week_keys.current_key(1, now).kid.to_bytes(2, "big") + bytes(255) + b"\x01"
    config, index = (city.data / path for path in ("configs/1.json", "exports/index.json"))
    asked = {
        "certificate": (Operation.BLIND, blind),
        "config": (Operation.SIGN, b"BZ-SIGNED-v1\0config\0{}"),
        "config seen": (Operation.CATCH_UP, b"config\0" + config.read_bytes()),
        "week keys": (Operation.ROTATE, b""),
        "export": (Operation.EXPORT, b"PK"),
        "index": (Operation.SIGN, b"BZ-SIGNED-v1\0exports\0{}"),
        "packages": (Operation.SIGN, b"BZ-SIGNED-v1\0venues\0{}"),
        "checkpoint": (Operation.SIGN, b"none"),
        "index seen": (Operation.CATCH_UP, b"exports\0" + index.read_bytes()),
    }
    # What one may ask for is signed by rules; these are no config, no export and no index.
    rule = "SigningRefused"
    heard = {
        "codes": {"certificate": "signed"},
        "office": {"config": rule, "config seen": "signed", "week keys": "signed"},
        "publication": {"export": rule, "index": rule, "packages": rule, "checkpoint": rule, "index seen": "signed"},
        "admission": {},
        "pages": {},
    }
    for user in USERS:
        said = {
            name: act_as(user, functools.partial(sign, city.data, what, body)) for name, (what, body) in asked.items()
        }
        if user in heard:
            assert said == dict.fromkeys(asked, "barred") | heard[user], user
        else:
            assert set(said.values()) == {"SignerAway"}, user


def test_the_canary_is_the_public_user_s_and_verifies_with_the_city_s_key(city):
    def canaries():
        return json.loads(get(f"{city.public}/v1/health")[1])["canaries"]

    assert (city.data / "city.pub").stat().st_uid == USERS["office"]
    deadline = time.monotonic() + 600
    # While the other parts start, a round may be refused.
    while not canaries()["own"]["export_number"] or canaries()["own"]["reason"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (state,) = (city.data / "canary").glob("*.json")
    assert state.stat().st_uid == USERS["public"]
    # The office's page reads it.
    assert act_as("office", lambda: json.loads(state.read_text())["state"]["number"]) >= 1


def test_a_signer_that_hangs_holds_up_what_it_signs_and_nobody_who_asks_for_something_else(city):
    phone = phone_of(city, issued_to(city))
    assert phone.check_code().status is Status.OK
    signer = processes_of(city)["signer"]
    stop(signer)
    try:
        phone.post = poster(city, fails=(503,))
        with pytest.raises(PartUnavailable, match="signer_away"):
            phone.redeem_code()
        status, content = get(f"{city.public}/v1/health/ready")
        assert (status, json.loads(content)["failing"]) == (503, ["signer_away"])
        assert get(f"{city.public}/v1/config")[0] == 200
    finally:
        os.kill(signer, signal.SIGCONT)
    deadline = time.monotonic() + 600
    while get(f"{city.public}/v1/health/ready")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert phone.redeem_code().status is Status.OK
    assert phone.upload().status is Status.OK


def test_no_process_reads_another_ones_memory_or_what_it_was_started_with(city):
    found = processes_of(city)

    def look(pid):
        seen = []
        for name in ("environ", "mem", "maps"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
                if (name != "mem" and file.read(1)) or name == "mem":
                    seen.append(name)
        return seen

    for user, uid in USERS.items():
        for part, pid in found.items():
            if Path(f"/proc/{pid}").stat().st_uid != uid:
                assert act_as(user, functools.partial(look, pid)) == [], (user, part)
    for part in ("front", "codes", "admission", "pages", "signer", "publication"):
        names = {line.split(b"=")[0] for line in Path(f"/proc/{found[part]}/environ").read_bytes().split(b"\0")}
        assert not names & {b"BLUEZONE_SMTP_URL", b"BLUEZONE_SMS_URL", b"BLUEZONE_DATABASE_URL"}, part


def test_while_a_part_is_gone_reports_wait_with_a_code_and_none_is_lost(city):
    credential = issued_to(city)
    phone = phone_of(city, credential)
    for part, step, wanted in (("codes", phone.certified, None), ("admission", phone.upload, Status.OK)):
        # Nobody starts it again meanwhile.
        stop(city.process.pid)
        os.kill(processes_of(city)[part], signal.SIGKILL)
        phone.post = poster(city, fails=(503,))
        with pytest.raises(PartUnavailable, match="part_away"):
            step()
        assert get(f"{city.public}/v1/config")[0] == 200, "files go on"
        wait_until(lambda: get(f"{city.public}/v1/health/ready")[0] == 503)
        city.process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 600
        while True:
            try:
                answer = step()
                break
            except PartUnavailable:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert wanted is None or answer.status is wanted
    assert {key.key for key in phone.keys} <= waiting(city)


def test_a_backup_that_root_makes_has_the_keys_of_the_signer_and_anothers_has_not(city, tmp_path):
    def backup(out):
        done = subprocess.run(
            [BLUEZONE, "backup", "--data", city.data, "--out", out, "--json"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    def restored(out, to):
        days = city.data / "keys" / "days"
        done = subprocess.run(
            [BLUEZONE, "restore", out, "--data", to, "--day-keys", days, "--json"], capture_output=True, text=True
        )
        return json.loads(done.stdout).get("error"), {path.name for path in (to / "signer" / "keys").glob("*")}

    shared = Path(tempfile.mkdtemp(dir=city.data.parent))
    os.chown(shared, USERS["office"], USERS["office"])
    try:
        backup(tmp_path / "root.bzbackup")
        refused, kept = restored(tmp_path / "root.bzbackup", tmp_path / "from-root")
        assert refused is None
        assert {"signing-ed25519.pem", "export-p256.pem", "week-keys.json"} <= kept
        server = KeyServer.open(tmp_path / "from-root")
        city_key = RemoteKeys(find_signer(city.data)).signing_key.public_key().public_bytes_raw()
        assert server.secrets.signing_key.public_key().public_bytes_raw() == city_key
        server.close()
        said = act_as("office", functools.partial(backup, shared / "office.bzbackup"))
        assert "no key that signs for phones" in said, said
        refused, kept = restored(shared / "office.bzbackup", tmp_path / "from-office")
        assert (refused["code"], kept) == ("store_damaged", set()), "no other city is made of it"
    finally:
        shutil.rmtree(shared)
