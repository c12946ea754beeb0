# SPDX-License-Identifier: Apache-2.0
"""Write a container image as an OCI layout in one tar, of a root file system: no daemon, same bytes for the same root.

Usage: oci.py ROOT.tar TARGET.tar VERSION ARCHITECTURE SECONDS. Podman, skopeo, containerd and Docker 25 or newer load
what it writes. Source: OCI image specification 1.1 (image-layout, index, manifest, config, layer). `Healthcheck` is
Docker's addition to the config, which others read over; Podman names what it loads by the first annotation, containerd
and Docker by the second.
"""

import datetime
import gzip
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any, BinaryIO

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
USER = "10001:10001"
FOLDER = "/var/lib/bluezone"
# The journal of signed heads, best on another disk.
HEADS = "/var/lib/bluezone-heads"
SECOND = 1_000_000_000
_LIVE = "import urllib.request as asked; asked.urlopen('http://127.0.0.1:8002/live', timeout=5)"


def run_settings(version: str) -> dict[str, Any]:
    """What the image says about how it is run."""
    return {
        "User": USER,
        "ExposedPorts": {"8000/tcp": {}, "8001/tcp": {}},
        "Env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            f"BLUEZONE_DATA={FOLDER}",
            f"BLUEZONE_HEADS={HEADS}",
            f"HOME={FOLDER}",
        ],
        "Entrypoint": ["/usr/bin/bluezone"],
        "Cmd": ["serve", "--host", "0.0.0.0", "--operator-port", "8002"],
        "Volumes": {FOLDER: {}, HEADS: {}},
        "WorkingDir": FOLDER,
        "StopSignal": "SIGTERM",
        "Healthcheck": {
            "Test": ["CMD", "/usr/lib/bluezone/bin/python3", "-I", "-c", _LIVE],
            "Interval": 30 * SECOND,
            "Timeout": 10 * SECOND,
            "StartPeriod": 600 * SECOND,
            "Retries": 3,
        },
        "Labels": {
            "org.opencontainers.image.title": "bluezone",
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.licenses": "Apache-2.0",
        },
    }


def write_layout(root: Path, target: Path, version: str, architecture: str, made_at: int) -> str:
    """Write the image of a root file system and return the digest of its manifest.

    root: a tar, sorted and with clamped times if the image is to be the same again. architecture: as Go calls it
    (amd64, arm64). made_at: Unix seconds.
    """
    layer = target.with_name(target.name + ".layer")
    try:
        whole = _compress(root, layer)
        packed = {"mediaType": LAYER, "digest": _digest_of(layer), "size": layer.stat().st_size}
        created = datetime.datetime.fromtimestamp(made_at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        config = _json(
            {
                "created": created,
                "architecture": architecture,
                "os": "linux",
                "config": run_settings(version),
                "rootfs": {"type": "layers", "diff_ids": [whole]},
                "history": [{"created": created, "created_by": "tools/ship/image.sh"}],
            }
        )
        manifest = _json(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": _described(CONFIG, config), "layers": [packed]}
        )
        entry = _described(MANIFEST, manifest) | {
            "platform": {"architecture": architecture, "os": "linux"},
            "annotations": {
                "org.opencontainers.image.ref.name": f"bluezone:{version}",
                "io.containerd.image.name": f"docker.io/library/bluezone:{version}",
            },
        }
        index = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
        with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
            _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}), made_at)
            _add(archive, "index.json", index, made_at)
            for content in (manifest, config):
                _add(archive, _blob(_digest(content)), content, made_at)
            with layer.open("rb") as file:
                _add_file(archive, _blob(packed["digest"]), file, packed["size"], made_at)
    finally:
        layer.unlink(missing_ok=True)
    return _digest(manifest)


def _compress(root: Path, layer: Path) -> str:
    """Write the layer; returns the digest of what is in it, which the config names."""
    summed = hashlib.sha256()
    with root.open("rb") as source, layer.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        while piece := source.read(1 << 20):
            summed.update(piece)
            packed.write(piece)
    return f"sha256:{summed.hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _described(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _add(archive: tarfile.TarFile, name: str, content: bytes, made_at: int) -> None:
    _add_file(archive, name, io.BytesIO(content), len(content), made_at)


def _add_file(archive: tarfile.TarFile, name: str, file: BinaryIO, size: int, made_at: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, made_at, 0o644
    archive.addfile(entry, file)


def main() -> None:
    """The command."""
    root, target, version, architecture, seconds = sys.argv[1:]
    print(write_layout(Path(root), Path(target), version, architecture, int(seconds)))


if __name__ == "__main__":
    main()
