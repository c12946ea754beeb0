# SPDX-License-Identifier: Apache-2.0
"""`bluezone serve`: one command starts everything, and everything ends with it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.builders.serving import BLUEZONE, HOTLINE, free_port, serving, start
from tests.builders.stores import prepared_store

from bluezone.cli.output import qr_lines
from bluezone.cli.server.serve import NetworkMissing, lan_address


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        error.add_note(error.read(2000).decode(errors="replace"))
        raise


def family(process):
    """The process ids of a `serve` and of everything below it, read from the kernel."""
    below, found = {}, [process.pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        below.setdefault(int(fields[1]), []).append(int(path.parent.name))
    for pid in found:
        found += below.get(pid, [])
    return found


def gone(pid):
    """Whether a process has ended; one that only waits for its parent to notice has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def wait_until_gone(pids, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not all(gone(pid) for pid in pids):
        assert time.monotonic() < deadline, [pid for pid in pids if not gone(pid)]
        time.sleep(0.05)


TAKE_ACCOUNT = """
import sys
from pathlib import Path
from bluezone.server.preparation import open_office
open_office(Path(sys.argv[1]))
from django.utils import timezone
from bluezone.identity.account_links import set_first_password
set_first_password(sys.argv[2], "Hoàng Thị Mai", "suối chảy qua bản nhỏ", timezone.now())
"""


def serve(*arguments):
    return subprocess.run(
        [BLUEZONE, "serve", *arguments], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("serve") / "data") as running:
        yield running


def test_both_origins_answer_and_are_apart(served):
    assert get(f"{served.public}/v1/health")[0] == 200
    assert "Bluezone" in get(f"{served.public}/")[1].decode()
    assert get(f"{served.office}/sign-in/")[0] == 200
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{served.office}/v1/config")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{served.public}/sign-in/")


def bluezone(served, *arguments):
    command = [BLUEZONE, *arguments, "--data", served.data, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout)


def test_what_is_printed_opens_as_it_is_served(served):
    onset = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date().isoformat()
    links = [
        bluezone(served, "codes", "issue", "--class", "confirmed", "--onset", onset)["link"],
        bluezone(served, "venues", "code", "--registration", "1", "--name", "Quán phở")["link"],
        re.search(r"curl -s (\S+)/app/main.js", get(f"{served.public}/transparency/")[1].decode())[1] + "/k",
    ]

    for link in links:
        assert link.startswith(f"{served.public}/"), link
        assert get(link)[0] == 200


def test_a_telephone_of_the_network_is_told_where_to_go_and_gets_in(tmp_path):
    try:
        address = lan_address()
    except NetworkMissing:
        pytest.skip("this machine has no address in a private network")
    with serving(tmp_path / "data", "--lan") as running:
        public = running.public.replace("localhost", address)
        assert f"on a telephone in this network: {public}/" in running.output
        assert "\n".join(qr_lines(f"{public}/")) in running.output
        assert "The web edition needs HTTPS" in running.output
        assert f"curl -s {public}/app/main.js" in get(f"{public}/transparency/")[1].decode()


def test_it_serves_static_files_that_browsers_may_keep(served):
    page = get(f"{served.office}/sign-in/")[1].decode()
    style = page.split('href="', 2)[2].split('"')[0]
    with urllib.request.urlopen(served.office + style, timeout=120) as answer:
        assert answer.headers["Content-Type"].startswith("text/css")
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_the_folder_and_its_secrets_are_private(served):
    assert served.data.stat().st_mode & 0o077 == 0
    for path in [*(served.data / "keys").iterdir(), *served.data.glob("*.sqlite3")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_port_in_use_is_named_with_the_flag_that_helps(served, tmp_path):
    port = served.office.rsplit(":", 1)[1]
    refused = serve("--data", tmp_path, "--hotline", HOTLINE, "--public-port", str(free_port()), "--office-port", port)

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(f"port_in_use: 127.0.0.1 port {port}")
    assert "--office-port" in refused.stderr


def test_one_port_asked_for_twice_is_refused(tmp_path):
    port = str(free_port())
    asked = ["--data", tmp_path, "--hotline", HOTLINE, "--public-port", str(free_port())]
    refused = serve(*asked, "--office-port", port, "--operator-port", port)

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(f"port_in_use: 127.0.0.1 port {port}")


def test_metrics_that_others_can_reach_need_a_token(tmp_path):
    ports = ["--public-port", str(free_port()), "--office-port", str(free_port()), "--operator-port", str(free_port())]
    refused = serve("--data", tmp_path / "data", "--hotline", HOTLINE, *ports, "--operator-host", "0.0.0.0")

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("operator_token_invalid: ")
    assert "BLUEZONE_OPERATOR_TOKEN" in refused.stderr


def test_a_first_start_without_a_hotline_is_refused_and_makes_nothing(tmp_path):
    refused = serve("--data", tmp_path / "data", "--json")

    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["code"] == "hotline_missing"
    assert "--hotline" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_the_service_manager_hears_that_it_is_ready_alive_and_going(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(120)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
        with serving(tmp_path / "data", environment=told):
            # `start` has returned, so what comes is not from before it was ready.
            assert {channel.recv(99) for _ in range(3)} == {b"READY=1", b"WATCHDOG=1"}
        said = []
        while said[-1:] != [b"STOPPING=1"]:
            said.append(channel.recv(99))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_process_cleanly(tmp_path, number):
    prepared_store(tmp_path / "data")
    running = start(tmp_path / "data", "--hotline", HOTLINE, "--json")
    pids = family(running.process)
    assert len(pids) == 5, "the command, the signer, two origins, the worker"
    running.process.send_signal(number)
    out, _ = running.process.communicate(timeout=120)

    assert running.process.returncode == 0, "".join(running.lines)
    assert json.loads(out) == {"stopped_by": number.name}
    assert all(gone(pid) for pid in pids)


def test_when_the_command_is_killed_no_orphan_stays(tmp_path):
    prepared_store(tmp_path / "data")
    running = start(tmp_path / "data", "--hotline", HOTLINE)
    pids = family(running.process)
    running.process.kill()
    running.process.communicate(timeout=120)

    try:
        wait_until_gone(pids)
    finally:
        for pid in filter(lambda pid: not gone(pid), pids):
            os.kill(pid, signal.SIGKILL)


def test_a_restart_keeps_keys_and_gives_out_no_second_link(tmp_path):
    with serving(tmp_path / "data") as first:
        before, link = get(f"{first.public}/v1/config")[1], first.admin_link
    with serving(tmp_path / "data") as second:
        assert get(f"{second.public}/v1/config")[1] == before
        assert "/start/" not in second.output
        assert "bluezone manage account_link admin" in second.output
        assert get(second.office + "/" + link.split("/", 3)[3])[0] == 200


def test_a_second_one_on_the_same_folder_is_refused_and_makes_no_new_link(served):
    ports = "--public-port", str(free_port()), "--office-port", str(free_port())
    done = serve("--data", str(served.data), *ports)

    assert done.returncode == 1
    assert "another serve is running" in done.stderr
    assert "/start/" not in done.stderr
    assert get(served.office + "/" + served.admin_link.split("/", 3)[3])[0] == 200


def test_once_there_is_an_administrator_a_restart_prints_no_link(tmp_path):
    with serving(tmp_path / "data") as first:
        link = first.admin_link
    done = subprocess.run(
        [sys.executable, "-c", TAKE_ACCOUNT, str(tmp_path / "data"), link.rstrip("/").rsplit("/", 1)[1]],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    with serving(tmp_path / "data") as second:
        assert "first administrator" not in second.output


def test_nothing_of_a_request_is_written_anywhere(tmp_path):
    with serving(tmp_path / "data") as running:
        for path in ("/v1/config?mark=tellingword", "/tellingword", "/v1/exports/tellingword.zip"):
            with socket.create_connection(("127.0.0.1", int(running.public.rsplit(":", 1)[1]))) as client:
                head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: tellingword\r\nConnection: close\r\n\r\n"
                client.sendall(head.encode())
                assert client.recv(64)
        running.process.terminate()
        out, _ = running.process.communicate(timeout=120)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())

    assert "tellingword" not in running.output + out + "".join(running.lines)
    assert b"tellingword" not in stored
