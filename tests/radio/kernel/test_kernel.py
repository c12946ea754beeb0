# SPDX-License-Identifier: Apache-2.0
"""The hci-socket adapter against a real Linux kernel, as `make test-kernel-bluetooth` runs it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.radio.contract import CHECKS


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_beacons_meet_a_phone_passes_a_gate_and_the_contract_holds_on_a_real_kernels_bluetooth_stack():
    for program in ("qemu-system-x86_64", "busybox", "apt-get"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}; make test-kernel-bluetooth says how to get it")
    run = subprocess.run([Path(__file__).parent / "run.sh"], capture_output=True, text=True, timeout=590, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "test-kernel-bluetooth: passed" in run.stdout
    assert '"gate": "proven"' in run.stdout
    assert all(check.__name__ in run.stdout for check in CHECKS)
