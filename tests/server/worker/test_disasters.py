# SPDX-License-Identifier: Apache-2.0
"""A city on three machines with a primary database, a lagging standby, a pooler and a bucket, of which each is lost.

After each loss somebody leads again soon, the office said 503 instead of hanging, what was acknowledged is published
once, and a phone that followed before follows after.
"""

import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.builders.hosts import hosts_apart
from tests.builders.machines import City, Databases, Machine, master_key, wait_until
from tests.builders.objectserver import BUCKET, object_server
from tests.builders.relay import Relay
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.city_settings import write_default
from bluezone.keyserver.keys.masterkey import FILE_VARIABLE
from bluezone.keyserver.service import KeyServer

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(3000)]
# Of a quiet machine; under load everything takes its multiple.
LED_AGAIN_SECONDS, ANSWERED_SECONDS, BEHIND_SECONDS, CUT_SECONDS = 30.0, 10.0, 8.0, 60.0


class ThreeMachines(City):
    """Three machines with a primary database, a standby, a pooler and a bucket."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        super().__init__(folder)
        gateway, hosts = stack.enter_context(hosts_apart(3))
        open_to_all = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.databases = Databases(open_to_all, gateway)
        stack.callback(self.databases.end)
        (folder / "s3").mkdir()
        bucket = stack.enter_context(object_server(folder / "s3"))
        self.bucket = Relay("127.0.0.1", bucket.port, gateway)
        stack.callback(self.bucket.close)
        self.environment = {
            **self.databases.environment(),
            **bucket.environment(),
            "AWS_ENDPOINT_URL": f"http://{gateway}:{self.bucket.port}",
            "BLUEZONE_EXPORTS_URL": f"s3://{BUCKET}/city",
            FILE_VARIABLE: str(folder / "master.key"),
        }
        master_key(folder / "master.key")
        self.machines = []
        for number, host in enumerate(hosts):
            # A data folder, and so a journal, of its own; all but the first begin with nothing.
            data = folder / str(number) / "data"
            data.mkdir(parents=True, mode=0o700)
            if not number:
                prepared_store(data)
                write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=0,
                              padding_mean=5, verify_to_upload_seconds=0)  # fmt: skip
            self.machines.append(Machine(host, data, self.environment))
            stack.callback(self.machines[-1].end)
            wait_until(self.machines[-1].ready)
        os.environ.update(self.environment)
        self.server = KeyServer.open(folder / "0" / "data")
        stack.callback(self.server.close)


def patience() -> float:
    """How much longer than on a quiet machine things may take now."""
    return max(1.0, os.getloadavg()[0])


def test_whatever_is_lost_somebody_leads_again_and_what_was_acknowledged_is_published_once(tmp_path, capsys):
    seen = {}
    with ExitStack() as stack:
        stack.callback(lambda before=dict(os.environ): (os.environ.clear(), os.environ.update(before)))
        city = ThreeMachines(tmp_path, stack)
        leader = city.leader
        city.report(3, city.machines)
        wait_until(city.is_published)
        held = city.phone_follows(leader)

        def goes_on():
            nonlocal held
            city.report(2, city.others(city.machines[0]) + city.machines[:1])
            wait_until(city.is_published)
            newest = held
            # A machine asks the bucket for its index every ten seconds at most.
            while newest <= held:
                newest = city.phone_follows(city.leader)
            held = newest

        leader.host.cut()
        begun = time.monotonic()
        seen["link cut: led again"] = wait_until(lambda: any(one.leads() for one in city.others(leader)))
        status, _, waited = leader.ask("office", "/codes/")
        seen["link cut: office"] = waited
        assert status == 503
        city.report(2, city.others(leader))
        wait_until(lambda: time.monotonic() - begun > CUT_SECONDS)
        leader.host.mend()
        wait_until(lambda: leader.ask("office", "/codes/")[0] == 200)
        goes_on()

        leader = city.leader
        leader.signal_all(signal.SIGSTOP)
        seen["frozen: led again"] = wait_until(lambda: any(one.leads() for one in city.others(leader)))
        city.report(2, city.others(leader))
        leader.signal_all(signal.SIGCONT)
        goes_on()

        city.bucket.lose_server()
        city.report(2, city.machines)
        status, _, waited = city.leader.ask("office", "/codes/")
        seen["bucket away: office"] = waited
        assert status == 200
        assert city.leader.ask("public", "/v1/health/ready")[0] == 200
        city.bucket.find_server()
        goes_on()

        city.databases.leave_standby_behind()
        behind_since = time.monotonic()
        city.report(3, city.machines)
        wait_until(lambda: city.is_published() and time.monotonic() - behind_since > BEHIND_SECONDS)
        held = city.phone_follows(city.leader)
        city.databases.lose_primary()
        answers = [machine.ask("office", "/codes/") for machine in city.machines]
        assert [status for status, _, _ in answers] == [503] * 3
        seen["no database: office"] = max(waited for _, _, waited in answers)
        city.databases.promote()
        seen["standby promoted: led again"] = wait_until(lambda: any(one.leads() for one in city.machines))
        goes_on()
        assert city.server.configs.epoch_number() == 0, "all of it was found, so there is no new epoch"
    with capsys.disabled():
        told = "; ".join(f"{what} {seconds:.0f} s" for what, seconds in seen.items())
        sys.stderr.write(f"\n{told} (load {os.getloadavg()[0]:.1f})\n")
    for what, seconds in seen.items():
        most = LED_AGAIN_SECONDS if what.endswith("again") else ANSWERED_SECONDS
        assert seconds < most * patience(), what
