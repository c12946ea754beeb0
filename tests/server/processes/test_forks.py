# SPDX-License-Identifier: Apache-2.0
"""A copy of a process begins with what that has loaded, and with nothing else of it."""

import json
import os
import subprocess
import sys

import pytest

from bluezone.server.processes import children

pytestmark = pytest.mark.skipif(not children.AVAILABLE, reason="forks on Linux only")

# The copy's module: says what it has, waits for its parent's end, and ends as it is told.
CHILD = """
import json, os, signal, sys
def main():
    said = {"arguments": sys.argv[1:], "descriptors": [n for n in range(64) if os.path.exists(f"/proc/self/fd/{n}")],
            "session": os.getsid(0) == os.getpid(), "ignored": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
            "loaded": "marked" in sys.modules}
    os.write(int(sys.argv[1]), json.dumps(said).encode())
    os.close(int(sys.argv[1]))
    os.read(0, 1)
    ending = sys.argv[2]
    sys.exit(int(ending)) if ending.isdigit() else {}[ending]
"""
PARENT = """
import json, os, signal, sys, types
sys.path.insert(0, sys.argv[1])
sys.modules["marked"] = types.ModuleType("marked")
from bluezone.server.processes.children import fork_main
signal.signal(signal.SIGTERM, lambda *_: None)
held = open("/dev/null")
read, write = os.pipe()
copy = fork_main(["copied", str(write), sys.argv[2]], [write])
os.close(write)
said = json.loads(os.read(read, 4096))
alive = copy.poll()
if sys.argv[2] == "killed":
    copy.kill()
else:
    copy.stdin.close()
print(json.dumps(said | {"handed": write, "alive": alive, "code": copy.wait(120)}))
"""


@pytest.mark.parametrize(("ending", "code"), [("0", 0), ("7", 7), ("raises", 1), ("killed", -9)])
def test_a_copy_has_what_is_loaded_and_only_the_descriptors_it_was_handed(tmp_path, ending, code):
    (tmp_path / "copied.py").write_text(CHILD)
    ran = subprocess.run(
        [sys.executable, "-c", PARENT, tmp_path, ending], capture_output=True, text=True, timeout=300, env=os.environ
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["descriptors"] == sorted({0, 1, 2, said["handed"]})
    assert said["arguments"] == [str(said["handed"]), ending]
    assert (said["session"], said["ignored"], said["loaded"]) == (True, True, True)
    assert (said["alive"], said["code"]) == (None, code)
