# SPDX-License-Identifier: Apache-2.0
"""Two machines on one database, of which the leading one is cut off or frozen without a word."""

import os
import signal
import sys
from urllib.parse import urlsplit

import pytest
from tests.builders.hosts import hosts_apart
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.machines import Machine, master_key, share, wait_until
from tests.builders.relay import Relay
from tests.builders.stores import prepared_store

from bluezone.keyserver.keys.masterkey import FILE_VARIABLE

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(1800)]


def test_a_leader_that_is_cut_off_or_frozen_is_followed_and_stands_by_when_it_is_back(tmp_path, capsys):
    server = postgresql_server()
    with hosts_apart(2) as (gateway, hosts), postgresql_database(server) as url:
        parts = urlsplit(url)
        relay = Relay("127.0.0.1", parts.port, gateway)
        address = parts._replace(netloc=f"{parts.username}@{gateway}:{relay.port}").geturl()
        machines = []
        master_key(tmp_path / "master.key")
        environment = {"BLUEZONE_DATABASE_URL": address, FILE_VARIABLE: str(tmp_path / "master.key")}
        prepared_store(tmp_path / "0")
        try:
            for number, host in enumerate(hosts):
                folder = tmp_path / str(number)
                folder.mkdir(exist_ok=True)
                # The second begins with nothing; published files lie where both see them.
                share(tmp_path / "published", folder, ("exports", "venues"))
                machines.append(Machine(host, folder, environment))
                wait_until(machines[-1].ready)
            wait_until(lambda: any(machine.leads() for machine in machines))
            leader, other = machines if machines[0].leads() else machines[::-1]

            leader.host.cut()
            followed = wait_until(other.leads)
            status, _, waited = leader.ask("office", "/codes/")
            wait_until(lambda: not leader.leads())
            leader.host.mend()
            wait_until(lambda: leader.ask("office", "/codes/")[0] == 200)
            assert [leader.leads(), other.leads()] == [False, True]
            assert leader.ask("public", "/v1/config")[1] == other.ask("public", "/v1/config")[1]
            assert status == 503

            leader, other = other, leader
            leader.signal_all(signal.SIGSTOP)
            frozen = wait_until(other.leads)
            leader.signal_all(signal.SIGCONT)
            wait_until(lambda: not leader.leads())
            assert other.leads()
        finally:
            for machine in machines:
                machine.end()
            relay.close()
    with capsys.disabled():
        sys.stderr.write(
            f"\ncut off: followed after {followed:.0f} s, its office answered {status} in {waited:.1f} s;"
            f" frozen: followed after {frozen:.0f} s (load {os.getloadavg()[0]:.1f})\n"
        )
