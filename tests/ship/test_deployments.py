# SPDX-License-Identifier: Apache-2.0
"""Units, compose file and chart: what they start exists, and what they start may do no more than it must."""

import json
import re
import shlex
import subprocess
import tomllib

import pytest
import yaml
from tests.ship.conftest import REPOSITORY
from tests.ship.unit import directives
from tools.ship.oci import run_settings

from bluezone.city_settings import parse_city
from bluezone.cli.devices.programs import run_gate_program as run_gate
from bluezone.cli.devices.programs import run_speaker_program as run_speaker
from bluezone.cli.server.serve import serve

DEPLOY = REPOSITORY / "deploy"
UNITS = {
    "bluezone": ("bluezone.env", serve, ["serve"]),
    "bluezone-gate": ("gate.env", run_gate, ["appliance", "run", "--", "gate", "run"]),
    "bluezone-speaker": ("speaker.env", run_speaker, ["appliance", "run", "--", "speaker", "run"]),
}
EACH = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "Type": "notify",
        "SystemCallArchitectures": "native", "StateDirectoryMode": "0700", "WatchdogSec": "60"}  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_a_command_that_there_is_with_options_that_it_has(name):
    file, command, words = UNITS[name]
    unit = directives(DEPLOY / f"debian/{name}.service")
    given = dict(
        line.split("=", 1) for line in (DEPLOY / f"debian/{file}").read_text().splitlines() if re.match(r"\w+=", line)
    )
    program, *rest = shlex.split(unit["ExecStart"][0])
    options = [word for part in rest[len(words) :] for word in shlex.split(given[part.removeprefix("$")])]

    assert [program, *rest[: len(words)]] == ["/usr/bin/bluezone", *words]
    assert unit["EnvironmentFile"] == [f"/etc/bluezone/{file}"]
    # Raises where an option is unknown or its value is none.
    command.make_context(command.name, options)


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_as_a_user_of_its_own_and_may_write_its_own_folder_alone(name):
    unit = directives(DEPLOY / f"debian/{name}.service")

    assert unit["User"] == [name]
    assert {folder.removesuffix("-heads") for folder in unit["StateDirectory"][0].split()} == {name}
    assert {key: unit[key][-1] for key in EACH} == EACH
    assert unit["SystemCallFilter"][0] == "@system-service"
    assert unit["CapabilityBoundingSet"] == (["CAP_NET_ADMIN"] if name == "bluezone-gate" else [""])


def test_the_server_may_read_the_clock_and_the_uptime_that_it_trusts_before_it_forgets():
    unit = directives(DEPLOY / "debian/bluezone.service")

    assert not {"ProcSubset", "ProtectClock"} & unit.keys()
    assert unit["SystemCallFilter"][-1] == "adjtimex clock_adjtime"


def test_the_compose_file_starts_one_server_that_can_write_its_volumes_alone():
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    server = composed["services"]["server"]
    assert [name for name, service in composed["services"].items() if not service.get("profiles")] == ["server"]

    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert server["volumes"] == ["data:/var/lib/bluezone", "heads:/var/lib/bluezone-heads"]
    # HTTPS and the world are for whoever stands in front.
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    serve.make_context("serve", server["command"][1:])


def instructions(name):
    """The arguments of an instruction in the last stage of the Containerfile, as JSON where it is."""
    text = (REPOSITORY / "Containerfile").read_text().replace("\\\n", " ")
    last = text.rpartition("\nFROM ")[2]
    return re.findall(rf"^{name} (.+)$", last, re.MULTILINE)


def test_the_containerfile_makes_what_the_image_of_a_release_is():
    released = run_settings("0")
    health = released["Healthcheck"]["Test"]
    (check,) = instructions("HEALTHCHECK")

    assert instructions("USER") == [released["User"]]
    assert json.loads(instructions("ENTRYPOINT")[0]) == released["Entrypoint"]
    assert json.loads(instructions("CMD")[0]) == released["Cmd"]
    assert set(json.loads(instructions("VOLUME")[0])) == set(released["Volumes"])
    assert {f"{port}/tcp" for port in instructions("EXPOSE")[0].split()} == set(released["ExposedPorts"])
    assert instructions("WORKDIR") == [released["WorkingDir"]]
    assert set(instructions("ENV")[0].split()) == {each for each in released["Env"] if not each.startswith("PATH=")}
    assert json.loads(check.partition("CMD ")[2])[:3] == health[1:4]
    # What is fetched is compared with its hash.
    assert "--require-hashes" in (REPOSITORY / "tools/ship/locked.sh").read_text()


def test_the_values_of_the_chart_are_settings_of_a_city():
    values = yaml.safe_load((DEPLOY / "helm/bluezone/values.yaml").read_text())

    assert values["city"]["hotline"] == "", "no number is made up"
    parse_city({**values["city"], "hotline": "115"})


def rendered(*options, expected=0):
    """What `helm template` makes of the chart with these options, by kind; its refusal if one is expected."""
    linted = subprocess.run([REPOSITORY / "tools/ship/lint.sh", *options], capture_output=True, text=True)
    if linted.returncode == 3:
        pytest.skip(linted.stderr.strip())
    if expected:
        assert linted.returncode != 0
        return linted.stderr
    assert linted.returncode == 0, linted.stderr
    return {each["kind"]: each for each in yaml.safe_load_all(linted.stdout)}


@pytest.mark.slow
def test_helm_and_compose_take_chart_and_file_and_what_is_rendered_is_contained():
    made = rendered(
        "--set-string=city.hotline=0209 3 870 943", "--set=city.padding_mean=60", "--set=ingress.tlsSecret=names",
        "--set=city.install_links.linux=https://bluezone.example.vn/linux",
    )  # fmt: skip
    pod = made["StatefulSet"]["spec"]["template"]["spec"]

    assert set(made) == {"ConfigMap", "Service", "StatefulSet", "Ingress", "NetworkPolicy"}
    city = parse_city(tomllib.loads(made["ConfigMap"]["data"]["city.toml"]))
    assert (city.hotline, city.padding_mean) == ("0209 3 870 943", 60)
    assert city.install_links == {"linux": "https://bluezone.example.vn/linux"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod["initContainers"], *pod["containers"]]:
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}  # fmt: skip
    (server,) = pod["containers"]
    serve.make_context("serve", server["args"][1:])
    assert {rule["host"] for rule in made["Ingress"]["spec"]["rules"]} == {city.public_host, city.office_host}
    # Metrics are opened on purpose only.
    assert "metrics" not in {port["name"] for port in server["ports"]}
    assert server["args"][server["args"].index("--operator-host") + 1] == "127.0.0.1"


STORES = "--set=replicas=3,database.secret=d,bucket.url=s3://b/city,bucket.secret=s,masterKey.secret=m"
METRICS = "--set=metrics.enabled=true,metrics.tokenSecret=t,metrics.serviceMonitor=true,metrics.rules=true"


@pytest.mark.slow
def test_several_pods_are_watched_and_taken_away_one_at_a_time():
    made = rendered(STORES, METRICS)

    assert made["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    (endpoint,) = made["ServiceMonitor"]["spec"]["endpoints"]
    assert endpoint["authorization"]["credentials"] == {"name": "t", "key": "token"}
    groups = {group["name"]: group["rules"] for group in made["PrometheusRule"]["spec"]["groups"]}
    assert groups["bluezone"] == yaml.safe_load((REPOSITORY / "docs/alerts.yml").read_text())["groups"][0]["rules"]
    (gone,) = groups["bluezone-pods"]
    mine = 'job="bluezone",namespace="default",service="city-bluezone-metrics"'
    assert " ".join(gone["expr"].split()) == f"(count(up{{{mine}}} == 1) or vector(0)) < 3"
    # The metrics are reached from the namespace of the monitor alone.
    public, metrics = made["NetworkPolicy"]["spec"]["ingress"]
    assert [port["port"] for port in public["ports"]] == ["public", "office"]
    assert [port["port"] for port in metrics["ports"]] == ["metrics"]
    assert metrics["from"]
    # No secret is in what is rendered: only names of Secrets.
    assert "Secret" not in made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "missing"),
    [
        (["--set=replicas=3"], "set database.secret"),
        (["--set=replicas=3,database.secret=d"], "set bucket.url"),
        (["--set=replicas=3,database.secret=d,bucket.url=s3://b/c,bucket.secret=s"], "set masterKey.secret"),
        ([STORES, "--set=persistence.existingClaim=mine"], "leave persistence.existingClaim empty"),
        (["--set=bucket.url=s3://b/c"], "needs bucket.secret"),
        (["--set=masterKey.secret=m"], "set database.secret"),
        (["--set=metrics.enabled=true"], "needs metrics.tokenSecret"),
        (["--set=metrics.rules=true"], "need metrics.enabled"),
        (["--set-string=city.hotline="], "hotline"),
        (["--set=bucket.url=http://b"], "bucket"),
    ],
)  # fmt: skip
def test_values_with_which_the_pods_could_not_run_are_refused_in_a_sentence(options, missing):
    assert missing in rendered(*options, expected=1)
