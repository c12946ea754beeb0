# SPDX-License-Identifier: Apache-2.0
"""Three pods as the chart renders them, as real processes in network namespaces, under phones that fetch and report.

One is killed, one is cut off, all are restarted one after another by the chart's rules: no phone is refused for longer
than it would try again, every acknowledged key is published once, and each loss is an alert. There is no
cluster here: what the kubelet would do is done by this test, with the commands, variables, probes and signals
of the rendered manifest.
"""

import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from tests.builders.hosts import hosts_apart
from tests.builders.machines import City, Databases, Machine, wait_until
from tests.builders.objectserver import BUCKET, object_server
from tests.builders.relay import Relay
from tests.builders.serving import BLUEZONE
from tests.ship.conftest import REPOSITORY

from bluezone.keyserver.service import KeyServer

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(3000)]
TOKEN = "0123456789abcdef" * 2
LED_AGAIN_SECONDS = 20.0
# A phone that gets no answer tries again for much longer than this.
RETRY_SECONDS = 60.0
REQUESTS_A_SECOND = 200
# Of the chart's ServiceMonitor, and the scrapes in the two minutes after which HostGone fires, with one to begin them.
SCRAPE_SECONDS = 15
MISSED = 10
SERVICE = 'namespace="default",service="city-bluezone-metrics"'
CLIENTS = 8
VALUES = {
    "replicas": 3,
    "workers": 1,
    "database.secret": "database",
    "bucket.secret": "bucket",
    "masterKey.secret": "master-key",
    "metrics.enabled": "true",
    "metrics.tokenSecret": "metrics",
    "metrics.serviceMonitor": "true",
    "metrics.rules": "true",
    "environmentSecret": "more",
    "city.publish_period_seconds": 0,
    "city.padding_mean": 5,
    "city.verify_to_upload_seconds": 0,
}


def rendered(**values):
    """The chart's objects by kind, or skips the test if there is no Go to build Helm with."""
    options = [f"--set={name}={value}" for name, value in {**VALUES, **values}.items()]
    done = subprocess.run([REPOSITORY / "tools/ship/lint.sh", *options], capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return {each["kind"]: each for each in yaml.safe_load_all(done.stdout)}


class Pod(Machine):
    """A pod of the rendered StatefulSet: its containers' commands in a host, with the volume in a folder."""

    def __init__(self, host, folder, chart, secrets):
        self.host = host
        self.volume = folder
        self.folder = folder / "data"
        self.log = folder.with_suffix(".log")
        self.spec = chart["StatefulSet"]["spec"]["template"]["spec"]
        (self.container,) = self.spec["containers"]
        self.secrets = secrets
        self.mounts = {"/volume": str(folder), "/settings": str(folder.parent / "settings"),
                       "/master-key": str(folder.parent / "master-key")}  # fmt: skip
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        self.public = f"http://{host.address}:{ports['public']}"
        folder.mkdir()
        # A fresh volume's own folder belongs to the cluster, and everybody may write it.
        folder.chmod(0o777)

    def _here(self, text):
        """A text of the manifest with this machine's paths."""
        for inside, outside in self.mounts.items():
            text = text.replace(f"{inside}/", f"{outside}/")
        return text

    def _environment(self):
        environment = dict(self.secrets[self.container["envFrom"][0]["secretRef"]["name"]])
        for variable in self.container["env"]:
            if "value" in variable:
                environment[variable["name"]] = self._here(variable["value"])
            else:
                named = variable["valueFrom"]["secretKeyRef"]
                environment[variable["name"]] = self.secrets[named["name"]][named["key"]]
        return environment

    def start(self):
        """The init container, then the server."""
        for container in self.spec["initContainers"]:
            subprocess.run([self._here(word) for word in container["command"]], check=True)
        self.log.touch()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.host.command(BLUEZONE, *self.container["args"]),
                stderr=log,
                env={"PATH": os.environ["PATH"], **self._environment()},
            )

    def ready(self):
        """The readiness probe."""
        probe = self.container["readinessProbe"]["httpGet"]
        request = urllib.request.Request(
            self.public + probe["path"], headers={header["name"]: header["value"] for header in probe["httpHeaders"]}
        )
        try:
            with urllib.request.urlopen(request, timeout=self.container["readinessProbe"]["timeoutSeconds"]) as answer:
                return answer.status == 200
        except OSError:
            return False

    def scrape(self):
        """The metrics, as Prometheus in the cluster would fetch them."""
        request = urllib.request.Request(
            f"http://{self.host.address}:8002/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def leads(self):
        """Whether its worker is the leader, by its metrics."""
        try:
            return "\nbluezone_worker_leading 1.0\n" in self.scrape()
        except OSError:
            return False

    def kill(self):
        """End all of its processes at once, as when its machine is lost."""
        self.signal_all(signal.SIGKILL)
        self.process.wait(120)

    def replace(self):
        """What the kubelet does when the pod gets a new template."""
        subprocess.run(self.container["lifecycle"]["preStop"]["exec"]["command"], check=True)
        self.process.terminate()
        # Raises if it takes longer; the kubelet would kill it then.
        self.process.wait(self.spec["terminationGracePeriodSeconds"])
        self.start()
        wait_until(self.ready)

    def end(self):
        """Stop it in any state."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)


class Pods(City):
    """Three pods with one database and one bucket, started in the StatefulSet's order."""

    def __init__(self, folder, stack):
        super().__init__(folder)
        gateway, hosts = stack.enter_context(hosts_apart(3))
        databases = Databases(Path(stack.enter_context(tempfile.TemporaryDirectory())), gateway)
        stack.callback(databases.end)
        primary = int(databases.direct().rsplit(":", 1)[1].partition("/")[0])
        database = Relay("127.0.0.1", primary, gateway)
        stack.callback(database.close)
        (folder / "s3").mkdir()
        server = stack.enter_context(object_server(folder / "s3"))
        bucket = Relay("127.0.0.1", server.port, gateway)
        stack.callback(bucket.close)
        credentials = server.environment()
        secrets = {
            "database": {"uri": f"postgresql://bluezone@{gateway}:{database.port}/city"},
            "bucket": {name: credentials[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
            "metrics": {"token": TOKEN},
            "more": {"BLUEZONE_ALLOWED_HOSTS": ",".join(host.address for host in hosts)},
        }
        self.chart = rendered(**{
            "bucket.url": f"s3://{BUCKET}/city", "bucket.endpoint": f"http://{gateway}:{bucket.port}",
        })  # fmt: skip
        (folder / "settings").mkdir()
        (folder / "settings" / "city.toml").write_text(self.chart["ConfigMap"]["data"]["city.toml"])
        (folder / "master-key").mkdir()
        (folder / "master-key" / "master.key").write_text("ab" * 32)
        self.machines = []
        for number in range(self.chart["StatefulSet"]["spec"]["replicas"]):
            pod = Pod(hosts[number], folder / f"pod-{number}", self.chart, secrets)
            pod.start()
            stack.callback(pod.end)
            wait_until(pod.ready)
            self.machines.append(pod)
        environment = self.machines[0]._environment()
        os.environ.update({name: environment[name] for name in environment if name.startswith(("BLUEZONE_", "AWS_"))})
        self.server = KeyServer.open(self.machines[0].folder)
        stack.callback(self.server.close)


class Monitor:
    """Scrapes the pods as a ServiceMonitor would, and has Prometheus' own program evaluate the chart's rules."""

    def __init__(self, pods, rules):
        self._pods = pods
        self._rules = rules
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._scrape_on_and_on, daemon=True)
        self.ups = {pod: [] for pod in pods}

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _scrape_on_and_on(self):
        due = time.monotonic()
        while not self._stop.is_set():
            # All at once, so that one which is cut off does not delay the others.
            with ThreadPoolExecutor(len(self._pods)) as pool:
                for pod, up in zip(self._pods, pool.map(self._is_up, self._pods), strict=True):
                    self.ups[pod].append(up)
            due += SCRAPE_SECONDS
            self._stop.wait(max(0.0, due - time.monotonic()))

    @staticmethod
    def _is_up(pod):
        try:
            return "bluezone_build_info" in pod.scrape()
        except OSError:
            return False

    def scrapes(self):
        """How many scrapes of each pod there are."""
        return min(map(len, self.ups.values()))

    def missed(self, pod):
        """How many of the newest scrapes of a pod had no answer, one after another."""
        return list(reversed(self.ups[pod])).index(True)

    def check(self, folder, expected):
        """Fail unless each scrape count in `expected` has exactly these pods as `HostGone`."""
        series = [
            {"series": f'up{{job="bluezone",{SERVICE},instance="{pod.host.address}"}}',
             "values": " ".join(str(int(up)) for up in ups)}
            for pod, ups in self.ups.items()
        ]  # fmt: skip
        gone = {"expr": "count by (instance) (ALERTS{alertname='HostGone',alertstate='firing',instance!=''})"}
        cases = [
            {**gone, "eval_time": f"{count * SCRAPE_SECONDS}s",
             "exp_samples": [{"labels": f'{{instance="{pod.host.address}"}}', "value": 1} for pod in pods]}
            for count, pods in expected.items()
        ]  # fmt: skip
        (folder / "rules.yml").write_text(yaml.safe_dump(self._rules))
        (folder / "test.yml").write_text(yaml.safe_dump({
            "rule_files": ["rules.yml"], "evaluation_interval": f"{SCRAPE_SECONDS}s",
            "tests": [{"interval": f"{SCRAPE_SECONDS}s", "input_series": series, "promql_expr_test": cases}],
        }))  # fmt: skip
        done = subprocess.run(["promtool", "test", "rules", folder / "test.yml"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


class Phones:
    """Phones that fetch the config and the index from any pod, and try again elsewhere until they are answered."""

    def __init__(self, pods):
        self._pods = pods
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.answered = self.retried = 0
        self.failed = []
        self._threads = [threading.Thread(target=self._fetch, args=(seed,), daemon=True) for seed in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _fetch(self, seed):
        draws = random.Random(seed)
        due = time.monotonic()
        while not self._stop.is_set():
            due += CLIENTS / REQUESTS_A_SECOND
            self._stop.wait(max(0.0, due - time.monotonic()))
            path = draws.choice(["/v1/config", "/v1/exports/index.json", "/v1/venues/index.json"])
            started_at = time.monotonic()
            tries = 0
            while not self._is_answered(draws.choice(self._pods), path):
                tries += 1
                if time.monotonic() - started_at > RETRY_SECONDS:
                    self.failed.append(path)
                    break
            with self._lock:
                self.answered += 1
                self.retried += tries > 0

    def _is_answered(self, pod, path):
        try:
            with urllib.request.urlopen(pod.public + path, timeout=5) as answer:
                answer.read()
                return True
        except urllib.error.HTTPError as refused:
            if refused.code != 503:
                self.failed.append((path, refused.code))
            return False
        except OSError:
            return False


def test_three_pods_lose_one_are_cut_off_and_are_replaced_and_no_phone_notices(tmp_path, capsys):
    if not shutil.which("promtool"):
        pytest.skip("needs promtool, of the Debian package prometheus")
    seen, alerts = {}, {}
    with ExitStack() as stack:
        stack.callback(lambda before=dict(os.environ): (os.environ.clear(), os.environ.update(before)))
        city = Pods(tmp_path, stack)
        city.report(2, city.machines)
        wait_until(city.is_published)
        held = city.phone_follows(city.leader)
        phones = stack.enter_context(Phones(city.machines))
        monitor = stack.enter_context(Monitor(city.machines, city.chart["PrometheusRule"]["spec"]))
        wait_until(lambda: monitor.scrapes() >= 2)
        alerts[monitor.scrapes() - 1] = []

        leader = city.leader
        leader.kill()
        seen["killed: led again"] = wait_until(lambda: any(pod.leads() for pod in city.others(leader)))
        with pytest.raises(OSError, match="refused"):
            leader.scrape()
        city.report(2, city.others(leader))
        wait_until(lambda: monitor.missed(leader) >= MISSED)
        alerts[monitor.scrapes() - 1] = [leader]
        leader.start()
        wait_until(leader.ready)
        wait_until(lambda: monitor.missed(leader) == 0)
        alerts[monitor.scrapes() - 1] = []

        leader = city.leader
        leader.host.cut()
        seen["cut off: led again"] = wait_until(lambda: any(pod.leads() for pod in city.others(leader)))
        with pytest.raises(OSError, match=r"timed out|No route|unreachable"):
            leader.scrape()
        city.report(2, city.others(leader))
        wait_until(lambda: monitor.missed(leader) >= MISSED)
        alerts[monitor.scrapes() - 1] = [leader]
        leader.host.mend()
        wait_until(leader.ready)
        wait_until(lambda: monitor.missed(leader) == 0)
        alerts[monitor.scrapes() - 1] = []

        # Rolling update: from the last to the first, each ready before the next.
        for pod in reversed(city.machines):
            pod.replace()
            city.report(1, city.machines)
        wait_until(city.is_published)
        while city.phone_follows(city.leader) <= held:
            pass
        # Pods that were replaced on purpose are no alert.
        alerts[monitor.scrapes() - 1] = []
        monitor.check(tmp_path, alerts)
        phones.__exit__()
        assert phones.failed == []
        assert phones.answered > 1000
        seen["requests"] = phones.answered
        seen["of them tried again"] = phones.retried
        seen["acknowledged keys"] = len(city.acknowledged)
        assert city.server.configs.epoch_number() == 0
    with capsys.disabled():
        facts = "; ".join(f"{what} {value:.0f}" for what, value in seen.items())
        sys.stderr.write(f"\n{facts} (load {os.getloadavg()[0]:.1f})\n")
    for what, value in seen.items():
        if what.endswith("again") and "led" in what:
            assert value < LED_AGAIN_SECONDS * max(1.0, os.getloadavg()[0]), what


def test_the_args_and_variables_of_a_pod_are_what_serve_understands():
    from bluezone.cli.server.serve import serve

    chart = rendered(**{"bucket.url": "s3://files/city", "bucket.endpoint": "https://s3.example.vn"})
    (server,) = chart["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    serve.make_context("serve", server["args"][1:])
    command = next(each["value"] for each in server["env"] if each["name"] == "BLUEZONE_MASTER_KEY_COMMAND")
    assert shlex.split(command)[0] == "/bin/cat"
