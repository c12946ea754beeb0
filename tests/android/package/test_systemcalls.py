# SPDX-License-Identifier: Apache-2.0
"""What the engine asks of the kernel is what Android lets an app ask.

Seen on this machine, with its own CPython and glibc: what CPython asks for on behalf of the engine. What bionic's
CPython calls on a phone is not seen here (docs/android.md).
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.android.package.systemcalls import ALLOWED, BIONIC_CALLS, GLIBC_ALONE, NUMPY

SERVICE = Path(__file__).parents[2] / "handset" / "android" / "service_process.py"
# RFC 8032, the first key of section 7.1; nobody answers at the address.
CITY = ("https://127.0.0.1:9", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def unknown(called: set[str]) -> set[str]:
    return {BIONIC_CALLS.get(name, name) for name in called - GLIBC_ALONE - NUMPY} - ALLOWED


def test_a_phone_that_opens_serves_its_page_and_hears_makes_no_system_call_that_android_kills_an_app_for(apk, tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("needs strace:  sudo apt-get install strace")
    traced = tmp_path / "calls"
    child = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", traced, sys.executable, SERVICE, tmp_path / "app", tmp_path / "keystore", *CITY],
        env={**os.environ, "BLUEZONE_PRIMITIVES": "libcrypto"}, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "heard\n"
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    called = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", traced.read_text(errors="replace"), re.MULTILINE))

    assert {"openat", "socket", "listen", "futex", "pwrite64"} <= called, "little was seen"
    assert unknown(called) == set()


def test_a_call_that_android_does_not_know_would_be_found():
    assert unknown({"openat", "rseq", "keyctl", "setuid"}) == {"keyctl", "setuid"}
