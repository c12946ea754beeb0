# SPDX-License-Identifier: Apache-2.0
"""Some runs of the explorer, and its proof: it finds failures that are put in."""

import os
import shutil
from pathlib import Path

import click
import pytest
import yaml
from tests.builders.keyserver import HOUR
from tests.explore.alerts import PROMTOOL, RULES, Record
from tests.explore.machine import Disk, Forks, Violation, build
from tests.explore.phones import EARLIER
from tests.explore.runs import explore, words
from tests.explore.steps import Step, draw

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs a C compiler")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool: tools/test-packages.sh")
STEPS = 60
# A short run in which phones get nothing for a while.
MONITORED_SEED = 1
MONITORED_STEPS = 20


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
    steps = draw(seed, STEPS, monitor_share=0)
    broken = explore(folder, forks, seed, steps)
    click.echo(f"seed {seed}, {STEPS} steps: {broken or 'ok'}\n{words(steps)}")
    assert broken is None


@needs_promtool
def test_in_a_run_with_faults_an_alert_fires_whenever_phones_get_nothing(forks, folder):
    assert explore(folder, forks, MONITORED_SEED, draw(MONITORED_SEED, MONITORED_STEPS, monitor_share=1)) is None


def rounds_are_refused(rules, code):
    """What a monitor makes of a day without a successful round, while health says `code`."""
    record = Record(0.0, rules)
    for hour in range(24):
        record.note(hour * HOUR, "bluezone_build_info 1\nbluezone_tick_timestamp_seconds 0\n")
    record.require_alert(23 * HOUR, [code])
    return record


@needs_promtool
def test_a_rule_that_is_missing_is_found(tmp_path):
    fewer = yaml.safe_load(RULES.read_text())
    fewer["groups"][0]["rules"] = [rule for rule in fewer["groups"][0]["rules"] if rule["alert"] != "TickLate"]
    changed = tmp_path / "alerts.yml"
    changed.write_text(yaml.safe_dump(fewer))

    assert rounds_are_refused(RULES, "signing_refused").judge(tmp_path) is None
    assert "no alert fires" in rounds_are_refused(changed, "signing_refused").judge(tmp_path)


def test_a_code_that_no_playbook_names_is_found():
    with pytest.raises(Violation, match="no playbook of an alert names unheard_of"):
        rounds_are_refused(RULES, "unheard_of")


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
