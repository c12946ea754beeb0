# SPDX-License-Identifier: Apache-2.0
"""The canaries of a real `serve`: at its own address over plain HTTP and TLS, and behind a cache."""

import contextlib
import json
import ssl
import urllib.error
import urllib.request

import pytest
from tests.builders.machines import wait_until
from tests.builders.serving import free_port, serving
from tests.builders.staleproxy import stale_proxy
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.canary.state import last_states
from bluezone.city_settings import write_default
from bluezone.server.canary_rounds import VARIABLE

ANY_CERTIFICATE = ssl._create_unverified_context()


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=120, context=ANY_CERTIFICATE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def health(origin):
    status, body = fetch(f"{origin}/v1/health")
    return status, json.loads(body)


def trouble(operator_port):
    """Seconds by address, from the metrics."""
    _, page = fetch(f"http://127.0.0.1:{operator_port}/metrics")
    rows = [line for line in page.splitlines() if line.startswith("bluezone_canary_trouble_seconds{")]
    return {row.split('"')[1]: float(row.rsplit(" ", 1)[1]) for row in rows}


def city(folder, period_seconds):
    folder.mkdir(mode=0o700)
    write_default(folder, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=period_seconds,
                  padding_mean=5)  # fmt: skip
    prepared_store(folder)


@pytest.mark.long
def test_it_follows_at_its_own_address_also_under_a_local_authority_with_two_processes(tmp_path):
    city(tmp_path / "city", 1)
    with serving(tmp_path / "city", "--tls", "self", "--workers", "2", environment={VARIABLE: "none"}) as served:
        origin = served.public.replace("http:", "https:")
        # Each of the two processes says the same; one of them runs the canary.
        wait_until(lambda: all((health(origin)[1]["canaries"]["own"]["export_number"] or 0) > 1 for _ in range(4)))
        assert health(origin)[1]["canaries"].keys() == {"own"}
        ((name, _, state),) = last_states(served.data)
        assert name == f"own-{served.public.rsplit(':', 1)[1]}"
        assert state.problem == ""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_cache_with_old_copies_makes_health_and_the_alert_s_metric_fail_until_it_follows(tmp_path):
    city(tmp_path / "city", 1)
    public, operator = free_port(), free_port()
    options = ("--public-port", str(public), "--operator-port", str(operator))
    with contextlib.ExitStack() as running:
        proxy = running.enter_context(stale_proxy("127.0.0.1", public))
        running.enter_context(serving(tmp_path / "city", *options, environment={VARIABLE: proxy.address}))
        origin = f"http://localhost:{public}"

        def both_follow():
            status, report = health(origin)
            return status == 200 and all(canary["export_number"] for canary in report["canaries"].values())

        wait_until(both_follow)
        proxy.frozen = True
        wait_until(lambda: health(origin)[1]["failing"] == ["canary_late"])
        late = trouble(operator)
        assert late["public"] > 60
        assert health(origin)[1]["canaries"]["public"]["reason"] is None

        proxy.frozen = False
        wait_until(lambda: health(origin)[0] == 200 and trouble(operator)["public"] < 60)
