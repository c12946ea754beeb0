# SPDX-License-Identifier: Apache-2.0
"""A city on three machines with a primary database, a lagging standby, a pooler and a bucket, of which each is lost.

After each loss somebody leads again soon, the office said 503 instead of hanging, what was acknowledged is published
once, and a phone that followed before follows after.
"""

import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.builders.hosts import hosts_apart
from tests.builders.keyserver import Phone, keys_for
from tests.builders.machines import Databases, Machine, master_key, wait_until
from tests.builders.objectserver import BUCKET, object_server
from tests.builders.relay import Relay
from tests.builders.serving import BLUEZONE
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.city_settings import write_default
from bluezone.keyserver.keys.masterkey import FILE_VARIABLE
from bluezone.keyserver.publication.series import EXPORT_FILES
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(3000)]
# Of a quiet machine; under load everything takes its multiple.
LED_AGAIN_SECONDS, ANSWERED_SECONDS, BEHIND_SECONDS, CUT_SECONDS = 30.0, 10.0, 8.0, 60.0


class City:
    """Three machines and what they stand on; `acknowledged`: key data of every report that was taken."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        gateway, hosts = stack.enter_context(hosts_apart(3))
        self.folder, self.acknowledged = folder, []
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

    @property
    def leader(self) -> Machine:
        """The one machine that leads."""
        wait_until(lambda: sum(machine.leads() for machine in self.machines) == 1)
        return next(machine for machine in self.machines if machine.leads())

    def others(self, leader: Machine) -> list[Machine]:
        return [machine for machine in self.machines if machine is not leader]

    def report(self, count: int, among: list[Machine]) -> None:
        """So many people report, each at the first of these machines that answers, and again until it is taken."""
        for _ in range(count):
            wait_until(lambda: self._reported(among))

    def _reported(self, among: list[Machine]) -> bool:
        onset = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)

        def post(path, body):
            for machine in among:
                request = urllib.request.Request(machine.public + path, body)
                try:
                    return urllib.request.urlopen(request, timeout=20).read()
                except urllib.error.HTTPError as refused:
                    if refused.code != 503:
                        raise
                except OSError:
                    continue
            raise TimeoutError("nobody answers")

        try:
            code = self.server.codes.issue_code("confirmed", onset).code
            phone = Phone(post, self.server, Credential.from_text(code), keys=keys_for(time.time(), 3, 1))
            if [phone.check_code().status, phone.redeem_code().status, phone.upload().status] != [Status.OK] * 3:
                return False
        except Exception as error:
            # Nobody was told that it was taken.
            sys.stderr.write(f"not taken: {error!r}\n")
            return False
        self.acknowledged += [key.key for key in phone.keys]
        return True

    def published(self) -> Counter:
        """How often each key is in the files of the published history."""
        index = self.server.indexes.open_index(
            EXPORT_FILES, self.server.publication.published.get(EXPORT_FILES.index_name)
        )
        found: Counter = Counter()
        for entry in index.entries:
            content = self.server.publication.published.get(f"{EXPORT_FILES.folder}/{entry.name}")
            found.update(key.key for key in read_export(content).keys)
        return found

    def is_published(self) -> bool:
        """Whether every acknowledged key is; none ever twice."""
        found = self.published()
        assert max(found.values(), default=0) <= 1, "published twice"
        return all(found[key] == 1 for key in self.acknowledged)

    def phone_follows(self, machine: Machine) -> int:
        """A phone that is always the same looks for new files; the number of the newest it holds."""
        trust = self.server.secrets.signing_key.public_key().public_bytes_raw().hex()
        options = ["--data", self.folder / "phone", "--json"]
        checked = subprocess.run(
            [BLUEZONE, "handset", "check", *options, "--server", machine.public, "--trust", trust,
             "--radio", "virtual:127.0.0.1:1"], capture_output=True, text=True,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stdout + checked.stderr
        status = subprocess.run([BLUEZONE, "handset", "status", *options], capture_output=True, text=True)
        return int(json.loads(status.stdout)["lists"]["exports"])


def patience() -> float:
    """How much longer than on a quiet machine things may take now."""
    return max(1.0, os.getloadavg()[0])


def test_whatever_is_lost_somebody_leads_again_and_what_was_acknowledged_is_published_once(tmp_path, capsys):
    seen = {}
    with ExitStack() as stack:
        stack.callback(lambda before=dict(os.environ): (os.environ.clear(), os.environ.update(before)))
        city = City(tmp_path, stack)
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
