# SPDX-License-Identifier: Apache-2.0
"""Units, compose file and chart: what they start exists, and what they start may do no more than it must."""

import re
import shlex
import subprocess
import tomllib

import pytest
import yaml
from tests.ship.conftest import REPOSITORY
from tests.ship.unit import directives

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
    (server,) = composed["services"].values()

    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert server["volumes"] == ["data:/var/lib/bluezone", "heads:/var/lib/bluezone-heads"]
    # HTTPS and the world are for whoever stands in front.
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    serve.make_context("serve", server["command"][1:])


def test_the_values_of_the_chart_are_settings_of_a_city():
    values = yaml.safe_load((DEPLOY / "helm/bluezone/values.yaml").read_text())

    assert values["city"]["hotline"] == "", "no number is made up"
    parse_city({**values["city"], "hotline": "115"})


@pytest.mark.slow
def test_helm_and_compose_take_chart_and_file_and_what_is_rendered_is_contained(shipped):
    linted = subprocess.run([REPOSITORY / "tools/ship/lint.sh", "0209 3 870 943"], capture_output=True, text=True)
    if linted.returncode == 3:
        pytest.skip(linted.stderr.strip())
    assert linted.returncode == 0, linted.stderr
    made = {each["kind"]: each for each in yaml.safe_load_all(linted.stdout)}
    pod = made["StatefulSet"]["spec"]["template"]["spec"]

    assert set(made) == {"ConfigMap", "Service", "StatefulSet", "Ingress"}
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
