# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
from pathlib import Path

import pytest
from tests.builders.hpke import point
from tests.builders.keyserver import HOUR, call, open_server, report_of
from tests.builders.signer import signing

from bluezone.keyserver.keys.keyfolder import open_signing_keys
from bluezone.keyserver.signer.token import TokenKeys, TokenUnusable
from bluezone.protocol.exports.files import read_export, verify_export
from bluezone.protocol.upload import Status

MODULES = (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))


@pytest.fixture
def token(tmp_path, monkeypatch):
    """The settings of a fresh SoftHSM token."""
    pytest.importorskip("pkcs11", reason="needs the extra pkcs11")
    found = [path for path in MODULES if path.exists()]
    if not found:
        pytest.skip("needs SoftHSM2 (apt install softhsm2)")
    folder = tmp_path / "token"
    (folder / "tokens").mkdir(parents=True)
    (folder / "conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "conf"))
    label = f"test {os.urandom(4).hex()}"
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "1234", "--so-pin", "5678"]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "pin").write_text("1234\n")
    (folder / "pin").chmod(0o600)
    return {"module": str(found[0]), "label": label, "pin_file": str(folder / "pin")}


@pytest.mark.long
def test_a_token_replaces_no_key_of_files_and_with_keys_of_its_own_reports_reach_phones(token, city_folder, clock):
    # One test: the library looks for tokens once in a process.
    open_signing_keys(city_folder / "keys")
    with pytest.raises(TokenUnusable, match="phones know"):
        TokenKeys(token, city_folder / "keys")
    for name in ("signing-ed25519.pem", "export-p256.pem"):
        (city_folder / "keys" / name).unlink()
    settings = "".join(f'{name} = "{value}"\n' for name, value in token.items())
    (city_folder / "signer").mkdir()
    (city_folder / "signer" / "signer.toml").write_text(f"[token]\n{settings}")
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        server.tick()
        phone = report_of(server)
        assert phone.upload().status is Status.OK
        clock.pass_by(2 * HOUR)
        server.tick()
        entry = server.indexes.read_index().entries[-1]
        export = read_export(call(server, "GET", f"/v1/exports/{entry.name}").body)
        assert verify_export(export, point(server.secrets.export_key.public_key())) == "verified"
        assert {key.key for key in phone.keys} <= {key.key for key in export.keys}
        server.close()
    assert not (city_folder / "keys" / "export-p256.pem").exists()

    with pytest.raises(TokenUnusable, match="module"):
        TokenKeys({"module": token["module"]}, city_folder / "keys")
    with pytest.raises(TokenUnusable, match="cannot be used"):
        TokenKeys({**token, "label": "another"}, city_folder / "keys")
