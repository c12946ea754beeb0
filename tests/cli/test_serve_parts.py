# SPDX-License-Identifier: Apache-2.0
"""`serve --only`: parts beside each other on one folder, as the machines of a province run them."""

import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from tests.builders.serving import BLUEZONE, free_port, serving

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]


def get(url):
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.status


def leads(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as answer:
        return "\nbluezone_worker_leading 1.0\n" in answer.read().decode()


def wait_for(running, line):
    return next(said for said in running.lines if said.startswith(line))


def test_the_parts_of_a_city_run_apart_and_a_second_worker_takes_over(tmp_path):
    data, first, second = tmp_path / "data", free_port(), free_port()
    with serving(data, "--only", "keyserver") as keyserver:
        assert "first administrator" not in keyserver.output
        whole = subprocess.run([BLUEZONE, "serve", "--data", data], capture_output=True, text=True, timeout=300)
        assert "already_serving" in whole.stderr
        with (
            serving(data, "--only", "office") as office,
            serving(data, "--only", "worker", "--operator-port", str(second)) as waiting,
        ):
            assert office.admin_link
            assert get(f"{keyserver.public}/v1/config") == 200
            assert get(f"{office.office}/health/ready") == 200
            for silent in (f"{keyserver.office}/sign-in/", f"{office.public}/v1/config"):
                with pytest.raises(urllib.error.URLError, match="refused"):
                    get(silent)
            if "worker: at work" not in waiting.output:
                wait_for(waiting, "worker: at work")
            with serving(data, "--only", "worker", "--operator-port", str(first)) as later:
                assert not leads(first)
                assert get(f"http://127.0.0.1:{first}/ready") == 200
                waiting.process.kill()
                wait_for(later, "worker: at work")
                # It says so a moment before it is measured.
                looked = threading.Event()
                while not leads(first):
                    looked.wait(0.1)
