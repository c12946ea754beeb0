# SPDX-License-Identifier: Apache-2.0
"""What the engine asks of the kernel is what Android lets an app ask.

Seen on this machine, with its own CPython and glibc: what CPython asks for on behalf of the engine. What bionic's
CPython calls on a phone is not seen here (docs/android.md).
"""

import ctypes
import os
import re
import shutil
import signal
import struct
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


HARNESS = Path(__file__).parents[2] / "protocol" / "kernel" / "harness.c"
NUMBERS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
# Of a filter in the kernel's own machine language: load the number, compare, answer.
LOAD, EQUAL, ANSWER = 0x20, 0x15, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2


def confine() -> None:
    """Let this process, and what it becomes, make only the calls of Android's list."""
    numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", NUMBERS.read_text()))
    allowed = [int(numbers[name]) for name in sorted(ALLOWED & numbers.keys())]
    steps = [struct.pack("<HBBI", LOAD, 0, 0, 0)]
    for number in allowed:
        steps += [struct.pack("<HBBI", EQUAL, 0, 1, number), struct.pack("<HBBI", ANSWER, 0, 0, ALLOW)]
    steps.append(struct.pack("<HBBI", ANSWER, 0, 0, KILL))
    code = ctypes.create_string_buffer(b"".join(steps))
    program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    assert libc.prctl(SECCOMP, FILTER, ctypes.byref(program), 0, 0) == 0


def test_the_matcher_of_a_libc_like_androids_runs_under_androids_filter_itself(apk, tmp_path):
    compiler = shutil.which("musl-gcc")
    if compiler is None:
        pytest.skip("needs musl-gcc:  sudo apt-get install musl-tools")
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        pytest.skip("the filter is written for x86-64")
    subprocess.run([compiler, "-static", "-O2", "-o", tmp_path / "harness", HARNESS], check=True)
    forbidden = tmp_path / "forbidden"
    source = "#include <sys/shm.h>\nint main(void) { return shmget(1, 1, 0) == -2; }"
    subprocess.run([compiler, "-static", "-o", forbidden, "-x", "c", "-"], input=source, text=True, check=True)

    done = subprocess.run([tmp_path / "harness", "50"], preexec_fn=confine, capture_output=True, text=True, check=False)
    killed = subprocess.run([forbidden], preexec_fn=confine, capture_output=True, check=False)

    assert done.returncode == 0, done
    assert done.stdout.startswith("50 cases, the same on")
    assert killed.returncode == -signal.SIGSYS


def test_a_call_that_android_does_not_know_would_be_found():
    assert unknown({"openat", "rseq", "keyctl", "setuid"}) == {"keyctl", "setuid"}
