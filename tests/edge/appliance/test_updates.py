# SPDX-License-Identifier: Apache-2.0
"""Updates of a box: what is refused, what is rolled back, and that a power cut at any step leaves one that starts."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from tests.builders.appliances import KEY, STRANGER, make_machine, make_update, make_version, trusted_update_keys
from tests.builders.fakeoffice import FakeOffice, serve_fake_office
from tests.builders.serving import BLUEZONE

from bluezone.edge.appliance import slots
from bluezone.edge.appliance.bundle import UpdateInvalid, UpdateUntrusted
from bluezone.edge.appliance.launcher import launch
from bluezone.edge.appliance.updates import (
    UpdateForeign,
    UpdateKeysMissing,
    UpdateOlder,
    UpdateUnreachable,
    fetch,
    install,
    on_stick,
    trusted_keys,
)


@pytest.fixture
def box(tmp_path):
    return make_machine(tmp_path)


def starts_with(box):
    """What the version says with which the program begins next; it is not counted."""
    found = slots.choose(box.root, box.programs[0], box.own)
    return subprocess.run([found.python], capture_output=True, text=True, check=False).stdout.strip()


def begun(box, times=1):
    for _ in range(times):
        slots.begin(box.root, box.programs[0], box.own)


def test_an_update_is_the_next_start_and_the_version_before_stays_beside_it(box, tmp_path):
    assert starts_with(box) == "version 1"
    for number in (2, 3, 4):
        install(make_update(tmp_path, number), box, trusted_update_keys())
        assert starts_with(box) == f"version {number}"
        slots.prove(box.programs[0], slots.choose(box.root, box.programs[0], box.own))

    assert {slots.version_in(box.root / slot).number for slot in slots.SLOTS} == {3, 4}
    assert sorted(path.name for path in box.root.iterdir()) == ["a", "b", "pointers.json"]


def test_an_update_of_somebody_else_is_refused(box, tmp_path):
    with pytest.raises(UpdateUntrusted):
        install(make_update(tmp_path, 2, key=STRANGER), box, trusted_update_keys())
    assert starts_with(box) == "version 1"


def test_every_changed_byte_and_every_half_written_file_is_refused(box, tmp_path):
    file = make_update(tmp_path, 2)
    whole = file.read_bytes()
    places = [*range(40), *range(40, len(whole), max(1, len(whole) // 60)), len(whole) - 1]
    for at in places:
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((UpdateInvalid, UpdateUntrusted)):
            install(file, box, trusted_update_keys())
    for end in places:
        file.write_bytes(whole[:end])
        with pytest.raises((UpdateInvalid, UpdateUntrusted)):
            install(file, box, trusted_update_keys())
    file.write_bytes(whole + b"\0")
    with pytest.raises(UpdateInvalid):
        install(file, box, trusted_update_keys())
    assert starts_with(box) == "version 1"
    assert not (box.root / "a").exists()

    file.write_bytes(whole)
    install(file, box, trusted_update_keys())
    assert starts_with(box) == "version 2"


def test_versions_go_only_up_even_after_one_that_failed(box, tmp_path):
    two, three = make_update(tmp_path, 2), make_update(tmp_path, 3, "exit 1")
    install(two, box, trusted_update_keys())
    slots.prove(box.programs[0], slots.choose(box.root, box.programs[0], box.own))
    install(three, box, trusted_update_keys())
    begun(box, slots.MOST_STARTS)
    assert starts_with(box) == "version 2"
    for old in (two, three):
        with pytest.raises(UpdateOlder):
            install(old, box, trusted_update_keys())
    assert starts_with(box) == "version 2"
    # The next one goes where the failed one was, not where the good one is.
    install(make_update(tmp_path, 4), box, trusted_update_keys())
    assert starts_with(box) == "version 4"
    begun(box, slots.MOST_STARTS)
    assert starts_with(box) == "version 2"


def test_what_came_with_the_machine_is_the_oldest_that_is_taken(tmp_path):
    box = make_machine(tmp_path, own_number=7)
    for number in (6, 7):
        with pytest.raises(UpdateOlder):
            install(make_update(tmp_path, number), box, trusted_update_keys())
    install(make_update(tmp_path, 8), box, trusted_update_keys())
    begun(box, slots.MOST_STARTS)
    assert starts_with(box) == "version 7"


def test_an_update_for_other_machines_is_refused(box, tmp_path):
    with pytest.raises(UpdateForeign):
        install(make_update(tmp_path, 2, platform=("arm64", "3.13")), box, trusted_update_keys())


def test_files_that_say_nothing_sensible_lead_to_the_machine_s_own_version(box, tmp_path):
    install(make_update(tmp_path, 2), box, trusted_update_keys())
    for said in ("", "[]", '{"current": "../../etc", "highest": "x"}', '{"current": 5}'):
        (box.root / "pointers.json").write_text(said)
        assert starts_with(box) == "version 1"
    (box.root / "pointers.json").write_text('{"current": "a", "previous": null, "highest": 2}')
    for said in ("", "null", '{"2": 7}', '{"2": {"starts": "many"}}'):
        (box.programs[0] / "tries.json").write_text(said)
        begun(box)
        assert starts_with(box) == "version 2"


def test_a_full_disk_tries_no_version_for_ever(box, tmp_path):
    install(make_update(tmp_path, 2), box, trusted_update_keys())
    slots.prove(box.programs[0], slots.choose(box.root, box.programs[0], box.own))
    install(make_update(tmp_path, 3, "exit 1"), box, trusted_update_keys())
    # Nothing can be written beside the count.
    (box.programs[0] / ".tries.json.new").mkdir()

    assert slots.begin(box.root, box.programs[0], box.own).number == 2


EVENTS = {
    "open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.symlink", "os.truncate", "os.utime",
    "shutil.copyfile",
}  # fmt: skip
# Written so that they are on the disk when they have their name (slots.put).
DURABLE = {"pointers.json", "release.json"}


def cut(box, file, step):
    """Install in a process that loses its power before its `step`-th act on the files of the box; whether it was cut.

    What was not put onto the disk by then is lost: its files are there, and empty.
    """
    child = os.fork()
    if child == 0:
        seen, root = 0, str(box.root)
        durable = _files(box)

        def lose():
            for path in _files(box) - durable:
                if path.name not in DURABLE:
                    os.truncate(path, 0)
            os._exit(42)

        def hook(event, arguments):
            nonlocal seen
            if seen < step and event in EVENTS and arguments and str(arguments[0]).startswith(root):
                seen += 1
                if seen == step:
                    lose()

        def sync():
            nonlocal durable
            durable = _files(box)

        sys.addaudithook(hook)
        try:
            install(file, box, trusted_update_keys(), sync)
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 42


def _files(box):
    return {path for path in box.root.rglob("*") if path.is_file() and not path.is_symlink()}


def test_a_power_cut_at_any_step_leaves_a_version_that_starts_and_the_next_try_takes_the_update(tmp_path):
    files = [make_update(tmp_path, number) for number in (2, 3, 4)]
    step, cuts, ends = 0, 0, set()
    goes_on = True
    while goes_on:
        step += 1
        folder = tmp_path / f"box-{step}"
        folder.mkdir()
        box = make_machine(folder)
        goes_on = False
        # The first update, the second into the other slot, and the third over the first.
        for file, before, after in zip(files, (1, 2, 3), (2, 3, 4), strict=True):
            if cut(box, file, step):
                cuts, goes_on = cuts + 1, True
                said = starts_with(box)
                assert said in (f"version {before}", f"version {after}"), step
                ends.add(said)
                if said == f"version {before}":
                    install(file, box, trusted_update_keys())
            assert starts_with(box) == f"version {after}", step
            slots.prove(box.programs[0], slots.choose(box.root, box.programs[0], box.own))

    assert cuts > 60
    assert ends == {f"version {number}" for number in (1, 2, 3, 4)}


def launched(box, *arguments):
    return launch(arguments, box.programs[0], box.root, box.own, healthy_seconds=0)


def test_a_version_that_crashes_is_left_after_three_starts(box, tmp_path):
    install(make_update(tmp_path, 2, f"echo two >> {tmp_path}/log; exit 3"), box, trusted_update_keys())
    own = box.own / "bin/python3"
    own.write_text(f"#!/bin/sh\necho own >> {tmp_path}/log\n")
    codes = [launched(box) for _ in range(5)]

    assert codes == [3, 3, 3, 0, 0]
    assert (tmp_path / "log").read_text().split() == ["two"] * 3 + ["own"] * 2


def test_a_version_that_cannot_even_be_started_is_left_too(box, tmp_path):
    install(make_update(tmp_path, 2), box, trusted_update_keys())
    (box.root / "a/bin/python3").unlink()
    codes = [launched(box) for _ in range(4)]

    assert all(codes[:3])
    assert codes[3] == 0


def test_the_real_program_says_ready_through_its_launcher_and_proves_its_version(box, tmp_path):
    """A gate to practise at, in a slot; the test is its service manager."""
    install(make_update(tmp_path, 2, f'exec {sys.executable} "$@"'), box, trusted_update_keys())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(300)
        command = ["gate", "run", "--training", "--radio", "none", "--data", tmp_path / "practice"]
        environment = {
            **os.environ, "BLUEZONE_DATA": str(box.programs[0]), "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "200000",
        }  # fmt: skip
        started = [BLUEZONE, "appliance", "run", "--root", box.root, "--healthy", "0", "--", *command]
        program = subprocess.Popen(started, env=environment, stderr=subprocess.DEVNULL)
        try:
            heard = {manager.recv(4096) for _ in range(4)}
            assert {b"READY=1", b"WATCHDOG=1"} <= heard
            tries = box.programs[0] / "tries.json"
            while b"WATCHDOG=1" in manager.recv(4096):
                if json.loads(tries.read_text()) == {"2": {"starts": 0, "good": True}}:
                    break
            program.send_signal(signal.SIGTERM)
            assert program.wait(120) == 0
        finally:
            program.kill()
            program.wait()


class Office(FakeOffice):
    """Sends 500 bytes at once; from the question `ends` on the network is gone."""

    def do_GET(self):
        path, _, start = self.path.partition("?from=")
        assert path == "/v1/devices/update/amd64-3.13"
        self.server.asked.append(int(start))
        if len(self.server.asked) >= self.server.ends:
            self.close_connection = True
            return
        content = self.server.content[int(start) :][:500]
        self.send_response(200 if self.server.content else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def test_an_update_comes_from_the_office_in_pieces_and_goes_on_where_the_network_ended(box, tmp_path):
    content = make_update(tmp_path, 2).read_bytes()
    with serve_fake_office(Office, content=content + b"more", ends=100, asked=[]) as office:
        server = f"http://127.0.0.1:{office.server_address[1]}"
        office.content = b""
        assert fetch(server, box, trusted_update_keys()) is None
        office.content, office.asked, office.ends = content + b"more", [], 5
        with pytest.raises(UpdateUnreachable):
            fetch(server, box, trusted_update_keys())
        office.asked, office.ends = [], 100
        install(fetch(server, box, trusted_update_keys()), box, trusted_update_keys())
        assert starts_with(box) == "version 2"
        assert office.asked[:2] == [0, 2000]
        office.asked = []
        assert fetch(server, box, trusted_update_keys()) is None
        assert office.asked == [0]
    with pytest.raises(UpdateUnreachable):
        fetch(server, box, trusted_update_keys())


def test_a_stick_has_the_update_of_its_kind_of_machine(box, tmp_path):
    file = make_update(tmp_path, 2)

    assert on_stick([tmp_path / "none", file.parent], box) == file
    assert on_stick([tmp_path], box) is None


def test_keys_of_updates_are_64_digits_a_line(tmp_path):
    for said in (None, "", "abc", "ab" * 31):
        if said is not None:
            (tmp_path / "keys").write_text(said)
        with pytest.raises(UpdateKeysMissing):
            trusted_keys(tmp_path / "keys")
    (tmp_path / "keys").write_text(f"{KEY.public_key().public_bytes_raw().hex()}\n{'ab' * 32}\n")
    assert set(trusted_update_keys()) < set(trusted_keys(tmp_path / "keys"))


def test_a_key_is_made_and_signs_the_same_bytes_for_the_same_version(tmp_path):
    made = make_version(tmp_path / "tree", "true")
    release = {"version": "0.2", "number": 2, "architecture": "amd64", "python": "3.13"}
    (made / "release.json").write_text(json.dumps(release))
    ran = subprocess.run(
        [BLUEZONE, "appliance", "key", tmp_path / "key.pem", "--json"], capture_output=True, text=True, check=True
    )
    public = json.loads(ran.stdout)["public"]
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    files = []
    for number in range(2):
        out = tmp_path / f"out-{number}"
        subprocess.run(
            [BLUEZONE, "appliance", "bundle", "--key", tmp_path / "key.pem", "--tree", made, "--out", out], check=True
        )
        files.append((out / "bluezone-update-amd64-3.13.bundle").read_bytes())
    (tmp_path / "keys").write_text(public)
    (tmp_path / "box").mkdir()
    box = make_machine(tmp_path / "box")
    install(tmp_path / "out-0/bluezone-update-amd64-3.13.bundle", box, trusted_keys(tmp_path / "keys"))

    assert files[0] == files[1]
    assert slots.choose(box.root, box.programs[0], box.own).version == "0.2"
    again = subprocess.run(
        [BLUEZONE, "appliance", "key", tmp_path / "key.pem"], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1, "a key is never written over"
