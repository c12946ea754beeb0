# SPDX-License-Identifier: Apache-2.0
"""Under which scheme people reach a host: http where that is served, and never for a name of the world."""

import pytest

from bluezone.networks import TLS_VARIABLE, is_local, origin_of, speaks_tls

LOCAL = [
    "localhost",
    "localhost:8000",
    "127.0.0.1:8000",
    "192.168.1.5:8000",
    "10.0.0.4",
    "raspberrypi:8000",
    "bz.local",
]
NAMED = ["bluezone.gov.vn", "bluezone.gov.vn:8000", "8.8.8.8", "8.8.8.8:8000", "localhost.gov.vn"]


@pytest.mark.parametrize("host", LOCAL)
def test_a_host_of_this_house_is_http_where_nothing_speaks_tls(host):
    assert is_local(host)
    assert origin_of(host, tls=False) == f"http://{host}"
    assert origin_of(host, tls=True) == f"https://{host}"


@pytest.mark.parametrize("host", NAMED)
def test_a_name_of_the_world_is_always_https(host):
    assert not is_local(host)
    assert origin_of(host, tls=False) == f"https://{host}"


def test_a_command_beside_the_server_goes_by_the_local_authority(tmp_path, monkeypatch):
    monkeypatch.delenv(TLS_VARIABLE, raising=False)
    assert not speaks_tls(tmp_path)
    authority = tmp_path / "keys" / "tls" / "authority.pem"
    authority.parent.mkdir(parents=True)
    authority.touch()
    assert speaks_tls(tmp_path)
    monkeypatch.setenv(TLS_VARIABLE, "0")
    assert not speaks_tls(tmp_path)
    monkeypatch.setenv(TLS_VARIABLE, "1")
    assert speaks_tls(tmp_path)
