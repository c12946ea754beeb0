# SPDX-License-Identifier: Apache-2.0
"""Some runs of the explorer, and its proof: it finds failures that are put in."""

import os
import shutil
from pathlib import Path

import click
import pytest
from tests.explore.machine import Disk, Forks, build
from tests.explore.phones import EARLIER
from tests.explore.runs import explore, words
from tests.explore.steps import Step, draw

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs a C compiler")
STEPS = 60


@pytest.fixture(scope="module")
def forks(tmp_path_factory):
    forks = Forks(build(tmp_path_factory.mktemp("machine")))
    # Here, because a test that starts programs counts as dear; a seed below has phones of earlier releases.
    for version in EARLIER:
        forks.earlier(version)
    yield forks
    forks.close()


@pytest.fixture
def folder():
    # The path of a socket has at most 107 bytes, and memory is faster than a disk.
    folder = Path("/dev/shm") / f"bluezone-{os.getpid()}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_faults_in_any_order_everything_is_published_once_and_everybody_is_warned(forks, folder, seed):
    steps = draw(seed, STEPS)
    broken = explore(folder, forks, seed, steps)
    click.echo(f"seed {seed}, {STEPS} steps: {broken or 'ok'}\n{words(steps)}")
    assert broken is None


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Disk.NO_SPACE, Disk.NO_INODES, Disk.READ_ONLY])
def test_a_disk_that_takes_no_writes_for_hours_ends_no_process(forks, folder, fault):
    steps = [
        Step("report from the crowd", (2,)),
        Step("disk", (fault,)),
        Step("wait", (360,)),
        Step("disk sound", (0,)),
    ]
    assert explore(folder, forks, 1, steps) is None


@pytest.mark.slow
def test_a_phone_that_met_a_patient_is_warned_after_a_quiet_week(forks, folder):
    quiet = [Step("meet", (1, 2)), Step("wait", (120,)), Step("report", (2,)), Step("wait long", (2880,))]
    assert explore(folder, forks, 1, quiet) is None
