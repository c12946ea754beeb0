# SPDX-License-Identifier: Apache-2.0
"""Start a unit as systemd would, where no systemd runs: its user, its variables, its socket, its system calls.

Run inside a root by Debian's own python3: `unit.py UNIT PAGE...`. Prints one JSON object: what the unit told its
manager until it was asked to stop, what came of each page, what it wrote, and with what it ended; and what the command
printed that DURING names, which runs beside it as root. Of the sandbox NoNewPrivileges, SystemCallFilter,
MemoryDenyWriteExecute and the bound on capabilities are set here; the file system is for whoever mounts it.
"""

import ctypes
import json
import os
import pwd
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

NO_NEW_PRIVILEGES, DENY_WRITE_EXECUTE, DROP_FROM_BOUND = 38, 65, 24
# As linux/capability.h numbers them; the last of Linux 6 is 40.
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID")
SECONDS = 600
# What bluezone.timekeeping reads before it does what nobody can take back.
READ_CLOCK = """
import ctypes
open("/proc/uptime").read(), open("/proc/sys/kernel/random/boot_id").read()
assert ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(208)) >= 0
"""


def directives(unit):
    """The lines of a unit: name -> values in their order."""
    found = {}
    for line in Path(unit).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def variables(found):
    told = dict(shlex.split(value)[0].split("=", 1) for value in found.get("Environment", []))
    for name in found.get("EnvironmentFile", []):
        for line in Path(name).read_text().splitlines():
            if line and not line.startswith("#"):
                key, value = line.split("=", 1)
                told[key] = " ".join(shlex.split(value))
    return told


def system_calls(group):
    """The names in a group, as systemd itself lists them; a call's own name stands for itself."""
    if not group.startswith("@"):
        return {group}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True)
    names = {line.strip() for line in listed.stdout.splitlines()[1:] if line.strip() and "#" not in line}
    return {one for name in names for one in system_calls(name)}


def allowed_calls(found):
    allowed = set()
    for value in found["SystemCallFilter"]:
        groups = value.removeprefix("~").split()
        named = set().union(*map(system_calls, groups))
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed - (system_calls("@clock") if "yes" in found.get("ProtectClock", []) else set())


def filtered(found):
    """A filter of system calls that this process and its children cannot take off."""
    import seccomp

    rules = seccomp.SyscallFilter(defaction=seccomp.ERRNO(1))
    for name in sorted(allowed_calls(found)):
        try:
            rules.add_rule(seccomp.ALLOW, name)
        except (ValueError, RuntimeError):
            continue  # another processor's
    return rules


def main():
    found = directives(sys.argv[1])
    account = pwd.getpwnam(found["User"][0])
    told = variables(found)
    command = [word for part in shlex.split(found["ExecStart"][0])
               for word in (told.get(part[1:], "").split() if part.startswith("$") else [part])]  # fmt: skip
    rules, libc = filtered(found), ctypes.CDLL(None, use_errno=True)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind("/run/notify")
    os.chmod("/run/notify", 0o777)
    channel.settimeout(SECONDS)
    kept = {CAPABILITIES.index(name.removeprefix("CAP_"))
            for value in found.get("CapabilityBoundingSet", []) for name in value.split()}  # fmt: skip

    def become():
        for number in set(range(41)) - kept:
            libc.prctl(DROP_FROM_BOUND, number, 0, 0, 0)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        os.chdir(account.pw_dir)
        assert libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        if "yes" in found.get("MemoryDenyWriteExecute", []):
            libc.prctl(DENY_WRITE_EXECUTE, 1, 0, 0, 0)
        rules.load()

    write_execute = libc.prctl(66, 0, 0, 0, 0) >= 0
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8",
                   "HOME": account.pw_dir, "USER": account.pw_name, **told, "NOTIFY_SOCKET": "/run/notify",
                   "WATCHDOG_USEC": "4000000"}  # fmt: skip
    clock = subprocess.run([sys.executable, "-c", READ_CLOCK], preexec_fn=become).returncode == 0
    with open("/tmp/said", "wb") as said:
        unit = subprocess.Popen(command, env=environment, preexec_fn=become, stdout=said, stderr=said)
    heard, pages = [], {}
    until = time.monotonic() + SECONDS
    channel.settimeout(1)
    while time.monotonic() < until and unit.poll() is None and not {"READY=1", "WATCHDOG=1"} <= set(heard):
        try:
            heard.append(channel.recv(4096).decode())
        except TimeoutError:
            continue
    for page in sys.argv[2:]:
        try:
            with urllib.request.urlopen(page, timeout=120) as answer:
                pages[page] = [answer.status, answer.read().decode(errors="replace")[:4000]]
        except OSError as error:
            pages[page] = [0, str(error)]
    during = ""
    if os.environ.get("DURING"):
        beside = subprocess.run(shlex.split(os.environ["DURING"]), capture_output=True, text=True, timeout=SECONDS)
        during = beside.stdout or beside.stderr
    if unit.poll() is None:
        unit.send_signal(signal.SIGTERM)
        while unit.poll() is None:
            try:
                heard.append(channel.recv(4096).decode())
            except TimeoutError:
                continue
    ended = unit.wait()
    told = {"heard": heard, "pages": pages, "said": Path("/tmp/said").read_text(), "ended": ended,
            "during": during}  # fmt: skip
    told |= {"user": account.pw_name, "write_execute_denied": write_execute, "clock_readable": clock}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
