# SPDX-License-Identifier: Apache-2.0
"""The container image: an OCI layout whose every digest fits, and whose root serves a city as a stranger to root."""

import gzip
import hashlib
import importlib.util
import io
import json
import shutil
import subprocess
import tarfile

import pytest
from tests.ship.conftest import REPOSITORY, bash

# Serves as the image's config says, with nothing that is not in it, until the health check has passed.
SERVE = """
import json, os, pathlib, subprocess, sys, time, urllib.request
config = json.load(open("/given/config.json"))
environment = dict(line.split("=", 1) for line in config["Env"])
user, group = map(int, config["User"].split(":"))
def become():
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    os.chdir(config["WorkingDir"])
healthy = config["Healthcheck"]["Test"][1:]
serve = subprocess.Popen([*config["Entrypoint"], *config["Cmd"]], preexec_fn=become, stderr=subprocess.PIPE, text=True,
                         env={**environment, "BLUEZONE_HOTLINE": "0209 3870 000", "BLUEZONE_CITY": "Bắc Kạn"})
said = ""
for line in serve.stderr:
    said += line
    if line.startswith("ready"):
        break
checked = subprocess.run(healthy, preexec_fn=become, env=environment).returncode
pages = {}
for page in ("http://127.0.0.1:8000/", "http://127.0.0.1:8001/sign-in/"):
    with urllib.request.urlopen(page, timeout=120) as answer:
        pages[page] = answer.status
try:
    pathlib.Path("/usr/written").write_text("")
    read_only = False
except OSError:
    read_only = True
serve.terminate()
_, rest = serve.communicate(timeout=120)
print(json.dumps({"pages": pages, "healthy": checked, "said": said + rest, "ended": serve.returncode,
                  "read_only": read_only}))
"""


def blobs_of(archive):
    """index, manifest, config and the compressed layers of a layout, each checked against the digest that names it."""

    def read(described):
        content = archive.extractfile(f"blobs/{described['digest'].replace(':', '/')}").read()
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == described["digest"]
        assert len(content) == described["size"]
        return content

    assert json.load(archive.extractfile("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    index = json.load(archive.extractfile("index.json"))
    manifest = json.loads(read(index["manifests"][0]))
    config = json.loads(read(manifest["config"]))
    layers = [gzip.decompress(read(layer)) for layer in manifest["layers"]]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    return index, manifest, config, layers


def test_a_layout_names_every_part_by_its_digest_and_is_the_same_again(tmp_path):
    spec = importlib.util.spec_from_file_location("oci", REPOSITORY / "tools/ship/oci.py")
    oci = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(oci)
    root = io.BytesIO()
    with tarfile.open(fileobj=root, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("etc/"), None)
    (tmp_path / "root.tar").write_bytes(root.getvalue())
    made = [oci.write_layout(tmp_path / "root.tar", tmp_path / name, "1.2", "amd64", 1_764_000_000) for name in "ab"]
    with tarfile.open(tmp_path / "a") as archive:
        index, manifest, config, layers = blobs_of(archive)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert made == [index["manifests"][0]["digest"]] * 2
    assert layers == [root.getvalue()]
    assert (config["architecture"], config["os"], config["created"]) == ("amd64", "linux", "2025-11-24T16:00:00Z")
    assert config["config"]["User"].split(":")[0] not in ("", "0", "root")
    assert manifest["layers"][0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["a", "b", "root.tar"]


@pytest.mark.slow
def test_the_root_of_the_image_serves_as_a_user_of_its_own_and_cannot_be_written(shipped, tmp_path):
    found = sorted(shipped.glob("bluezone-*-oci-*.tar"))
    assert len(found) == 1, found
    with tarfile.open(found[0]) as archive:
        _, _, config, layers = blobs_of(archive)
    root = tmp_path / "root"
    root.mkdir()
    for layer in layers:
        subprocess.run(["tar", "-x", "-C", root], input=layer, check=True)
    given, state = tmp_path / "given", tmp_path / "state"
    given.mkdir()
    (given / "config.json").write_text(json.dumps(config["config"]))
    (given / "serve.py").write_text(SERVE)
    # As a container's engine makes a new volume: with owner and mode of the folder in the image.
    shutil.copytree(root / "var/lib/bluezone", state)
    heads = tmp_path / "heads"
    shutil.copytree(root / "var/lib/bluezone-heads", heads)
    owner = (root / "var/lib/bluezone").stat()
    for folder in (state, heads):
        shutil.chown(folder, owner.st_uid, owner.st_gid)
    binds = '--bind "$2:/var/lib/bluezone" --bind "$3:/given" --bind "$4:/var/lib/bluezone-heads"'
    line = f'in_root "$1" {binds} --read-only --no-network python3 /given/serve.py'
    served = json.loads(bash(line, root, state, given, heads).splitlines()[-1])
    shutil.rmtree(root)

    if shutil.which("skopeo"):
        inspected = subprocess.run(["skopeo", "inspect", f"oci-archive:{found[0]}"], capture_output=True, check=True)
        assert json.loads(inspected.stdout)["Os"] == "linux"
    assert owner.st_uid == int(config["config"]["User"].split(":")[0])
    assert served["pages"] == {"http://127.0.0.1:8000/": 200, "http://127.0.0.1:8001/sign-in/": 200}
    assert (served["healthy"], served["ended"], served["read_only"]) == (0, 0, True), served["said"]
    assert list(heads.iterdir()), "the journal of signed heads is kept"
    assert not [path for path in state.rglob("*") if path.stat().st_uid != owner.st_uid]
