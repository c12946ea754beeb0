# SPDX-License-Identifier: Apache-2.0
"""`bluezone signer`: the keys move to a folder of their own, and two persons approve what is new."""

import json
import os
import pwd
import signal
import subprocess
import time

import pytest
from click.testing import CliRunner
from tests.builders.keyserver import open_server, report_of
from tests.builders.serving import BLUEZONE

from bluezone.cli.main import root
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import VARIABLE
from bluezone.protocol.upload import Status

NEW_HOTLINE = "0209 3870 999"


def bluezone(*arguments):
    """Exit code and JSON of a command in this process."""
    done = CliRunner().invoke(root, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def apart(tmp_path, monkeypatch):
    """A data folder whose signing keys a signer has that runs beside it, and the keys of three who approve."""
    data, folder = tmp_path / "data", tmp_path / "signer"
    data.mkdir(mode=0o700)
    open_server(data, time.time).close()
    me = pwd.getpwuid(os.getuid()).pw_name
    code, told = bluezone("signer", "take", "--data", data, "--folder", folder, "--user", me)
    assert (code, told["moved"]) == (0, 16)
    public = [bluezone("signer", "key", "--out", tmp_path / f"{name}.key")[1]["public"] for name in "abc"]
    (folder / "signer.toml").write_text(f"approvers = {json.dumps(public)}\n")
    address = tmp_path / "run" / "signer.sock"
    command = ["signer", "run", "--folder", folder, "--socket", address, "--allow", f"reports={me}"]
    process = subprocess.Popen(
        [BLUEZONE, *command, "--allow", f"publication={me}", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert "ready" in process.stderr.readline()
        monkeypatch.setenv(VARIABLE, str(address))
        yield data, tmp_path
    finally:
        process.send_signal(signal.SIGTERM)
        said = json.loads(process.communicate()[0])
    assert (process.returncode, said) == (0, {"stopped_by": "SIGTERM"})


def test_the_keys_leave_the_data_folder_and_two_persons_let_a_new_hotline_out(apart):
    data, keys = apart
    left = {path.name for path in (data / "keys").iterdir() if path.is_file()}
    assert left == {"pepper", "vapid-p256.pem", "venue-ed25519.pem"}
    server = KeyServer.open(data)
    assert report_of(server).upload().status is Status.OK
    assert server.configs.newest_config().hotline != NEW_HOTLINE
    server.close()

    toml = (data / "city.toml").read_text()
    (data / "city.toml").write_text(toml.replace("0209 3870 000", NEW_HOTLINE))
    server = KeyServer.open(data)
    assert server.pages.signing_problem() == "approval_missing"
    ((digest, changes),) = bluezone("signer", "waiting", "--data", data)[1]["waiting"].items()
    assert changes == {"hotline": ["0209 3870 000", NEW_HOTLINE]}
    for name in "ab":
        code, told = bluezone("signer", "approve", digest, "--key", keys / f"{name}.key", "--data", data)
        assert (code, told) == (0, {"said": digest})
    server.tick()
    assert server.configs.newest_config().hotline == NEW_HOTLINE
    server.close()
    assert bluezone("signer", "waiting", "--data", data)[1] == {"waiting": {}}
    code, told = bluezone("signer", "approve", digest, "--key", keys / "c.key", "--data", data)
    assert (code, told["error"]["code"]) == (1, "signing_refused")
