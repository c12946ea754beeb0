# SPDX-License-Identifier: Apache-2.0
"""Two hosts of one city, or two processes of one host, whose settings differ: only who has the newest signs."""

import shutil

import pytest
from tests.builders.keyserver import HOUR, call, open_server, report_of, set_city

from bluezone.keyserver.configs.applied_settings import SettingsOutdated
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.signed.config import decode_config
from bluezone.protocol.upload import Status

OLD, NEW = "0209 3870 000", "0209 3870 111"


@pytest.fixture
def city(city_folder, clock, database, tmp_path_factory):
    """A city of two hosts with the old settings, of which none has run. On SQLite both are one folder."""
    return City(city_folder, clock, database, tmp_path_factory)


class City:
    def __init__(self, folder, clock, database, folders):
        self.clock = clock
        open_server(folder, clock, hotline=OLD).close()
        self.folders = [folder, folder]
        if database == "postgresql":
            second = folders.mktemp("second")
            shutil.copy(folder / "city.toml", second)
            for name in ("keys", "configs", "exports", "venues"):
                (folder / name).mkdir(exist_ok=True)
                (second / name).symlink_to(folder / name)
            self.folders = [folder, second]
        self._open = []

    def start(self, host, hotline):
        path = self.folders[host] / "city.toml"
        path.write_text(path.read_text().replace(OLD, hotline).replace(NEW, hotline))
        server = KeyServer.open(self.folders[host], self.clock)
        self._open.append(server)
        return server

    def signed(self):
        """The hotline of each config in its order."""
        configs = self._open[-1].configs
        return [decode_config(configs.payload(number)).hotline for number in configs.numbers()]


@pytest.mark.long
def test_a_host_that_was_not_restarted_yet_does_not_sign_the_settings_of_before_again(city):
    waiting = city.start(0, OLD)
    restarted = city.start(1, NEW)
    assert restarted.tick()
    for _ in range(3):
        city.clock.pass_by(HOUR)
        with pytest.raises(SettingsOutdated):
            waiting.tick()
        assert restarted.tick()
    assert city.signed() == [OLD, NEW]


@pytest.mark.long
@pytest.mark.parametrize("first", [0, 1])
def test_in_whatever_order_hosts_are_restarted_each_setting_is_signed_once(city, first):
    servers = {0: city.start(0, OLD), 1: city.start(1, OLD)}
    servers[first] = city.start(first, NEW)
    # The other one comes back once more before it is given the new settings, and then with them.
    servers[1 - first] = city.start(1 - first, OLD)
    assert servers[1 - first].governance.settings_outdated
    with pytest.raises(SettingsOutdated):
        servers[1 - first].tick()
    servers[1 - first] = city.start(1 - first, NEW)
    assert [server.governance.settings_outdated for server in servers.values()] == [False, False]
    assert all(server.tick() for server in servers.values())
    assert city.signed() == [OLD, NEW]


@pytest.mark.long
def test_a_host_with_older_settings_serves_and_takes_reports_and_the_other_publishes_them(city):
    city.start(0, OLD)
    newest = city.start(1, NEW)
    outdated = city.start(0, OLD)
    phone = report_of(outdated)
    assert phone.upload().status is Status.OK
    assert [call(outdated, "GET", f"/v1/{name}").status for name in ("config", "exports/index.json")] == [200, 200]
    city.clock.pass_by(30 * HOUR)
    before = call(outdated, "GET", "/v1/exports/index.json").body
    with pytest.raises(SettingsOutdated):
        outdated.tick()
    assert call(outdated, "GET", "/v1/exports/index.json").body == before
    newest.tick()
    assert call(outdated, "GET", "/v1/exports/index.json").body != before


@pytest.mark.long
def test_what_a_host_sets_for_itself_makes_no_other_outdated(city):
    first = city.start(0, OLD)
    path = city.folders[1] / "city.toml"
    path.write_text(path.read_text().replace("trusted_proxies = []", 'trusted_proxies = ["10.0.0.0/8"]'))
    second = city.start(1, OLD)
    assert second.city.trusted_proxies
    assert first.tick()
    assert second.tick()


@pytest.mark.long
def test_settings_that_were_waiting_while_others_were_applied_do_not_come_after_them(city):
    """Never applied, and still older: somebody has changed the city since this process read them."""
    late = city.start(0, OLD)
    city.start(1, NEW)
    city.start(1, NEW)
    set_city(late, hotline="0209 3870 222")
    with pytest.raises(SettingsOutdated):
        late.tick()
    assert city.signed() == [OLD, NEW]


@pytest.mark.long
def test_a_person_can_go_back_to_the_settings_of_before(city):
    city.start(0, OLD)
    newest = city.start(1, NEW)
    back = city.start(0, OLD)
    assert back.apply_settings() == 3
    assert back.tick()
    with pytest.raises(SettingsOutdated):
        newest.tick()
    assert city.signed() == [OLD, NEW, OLD]
