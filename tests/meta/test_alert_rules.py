# SPDX-License-Identifier: Apache-2.0
"""Prometheus evaluates the alert rules: in a quiet city none fires, and each fires for the fault that it is for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"
RULES = [rule for group in yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool: tools/test-packages.sh")

# A sample each minute, rules each tenth. promtool's clock begins at 0, so a city's times are seconds since then.
MINUTES = 2000
# `0+60x2000`: what happened a moment ago, at every moment. `_`: no sample.
NOW = f"0+60x{MINUTES}"


def steady(value):
    return f"{value}x{MINUTES}"


# A city of two hosts in which nothing is wrong.
QUIET = {
    'up{job="bluezone",instance="a:8002"}': steady(1),
    'up{job="bluezone",instance="b:8002"}': steady(1),
    'bluezone_build_info{instance="a:8002",version="1"}': steady(1),
    'bluezone_build_info{instance="b:8002",version="1"}': steady(1),
    'bluezone_processes{part="public"}': steady(2),
    'bluezone_processes_expected{part="public"}': steady(2),
    'bluezone_process_restarts_total{part="public"}': steady(0),
    'bluezone_store_up{store="keys"}': steady(1),
    "bluezone_tick_timestamp_seconds": NOW,
    "bluezone_clock_doubted": steady(0),
    "bluezone_settings_outdated": steady(0),
    'bluezone_work_timestamp_seconds{work="send_mail"}': NOW,
    "bluezone_worker_leading": steady(1),
    "bluezone_publication_overdue_seconds": steady(0),
    'bluezone_canary_trouble_seconds{address="own",reason=""}': steady(0),
    "bluezone_published_files_damaged": steady(0),
    "bluezone_history_forked": steady(0),
    "bluezone_witnesses_absent": steady(0),
    'bluezone_index_timestamp_seconds{index="exports"}': NOW,
    'bluezone_requests_total{route="files",status="2xx"}': f"0+6000x{MINUTES}",
    'bluezone_requests_total{route="files",status="503"}': f"0+60x{MINUTES}",
    'bluezone_request_duration_seconds_bucket{route="files",le="0.05"}': f"0+6000x{MINUTES}",
    'bluezone_request_duration_seconds_bucket{route="files",le="10"}': f"0+6060x{MINUTES}",
    'bluezone_request_duration_seconds_bucket{route="files",le="+Inf"}': f"0+6060x{MINUTES}",
    'bluezone_report_refusals_total{reason="kid_refused"}': steady(5),
    "bluezone_guessing_hours_last_day": steady(0),
    "bluezone_disk_bytes": steady("1e11"),
    "bluezone_disk_free_bytes": steady("5e10"),
    "bluezone_disk_inodes": steady("6e6"),
    "bluezone_disk_free_inodes": steady("5e6"),
    "bluezone_certificate_end_timestamp_seconds": steady("9e6"),
    "bluezone_week_keys_end_timestamp_seconds": steady("9e6"),
    'bluezone_outbox_oldest_seconds{outbox="mail"}': steady(60),
    'bluezone_outbox_oldest_seconds{outbox="sms"}': steady(60),
    'bluezone_outbox_oldest_seconds{outbox="exchange"}': steady(60),
    'bluezone_outbox_waiting{outbox="push"}': steady(0),
    "bluezone_backup_timestamp_seconds": NOW,
    "bluezone_drill_timestamp_seconds": NOW,
    "bluezone_drill_ok": steady(1),
}
# What is different, for each alert; None for a series that is missing.
FAULTS = {
    "ServerGone": {name: None for name in QUIET if name.startswith("bluezone_build_info")},
    "HostGone": {'up{job="bluezone",instance="b:8002"}': steady(0)},
    "ProcessMissing": {'bluezone_processes{part="public"}': steady(1)},
    "ProcessDiesAgain": {'bluezone_process_restarts_total{part="public"}': f"0+1x{MINUTES}"},
    "StoreDown": {'bluezone_store_up{store="keys"}': steady(0)},
    "TickLate": {"bluezone_tick_timestamp_seconds": steady(0)},
    "ClockDoubted": {"bluezone_clock_doubted": steady(1)},
    "SettingsOutdated": {"bluezone_settings_outdated": steady(1)},
    "WorkFails": {'bluezone_work_timestamp_seconds{work="send_mail"}': steady(0)},
    "PublicationOverdue": {"bluezone_publication_overdue_seconds": NOW},
    "CanaryLate": {'bluezone_canary_trouble_seconds{address="own",reason="index_rolled_back"}': NOW},
    "PublishedFileDamaged": {"bluezone_published_files_damaged": steady(1)},
    "HistoryForked": {"bluezone_history_forked": steady(1)},
    "WitnessesAbsent": {"bluezone_witnesses_absent": steady(1)},
    "IndexStale": {'bluezone_index_timestamp_seconds{index="exports"}': steady(0)},
    "AnswersFail": {'bluezone_requests_total{route="files",status="503"}': f"0+600x{MINUTES}"},
    "AnswersSlow": {'bluezone_request_duration_seconds_bucket{route="files",le="0.05"}': f"0+3000x{MINUTES}"},
    "ReportsRefused": {'bluezone_report_refusals_total{reason="kid_refused"}': f"0+5x{MINUTES}"},
    "CodesGuessed": {"bluezone_guessing_hours_last_day": steady(1)},
    "DiskFull": {"bluezone_disk_free_inodes": steady(1000)},
    "CertificateEnds": {"bluezone_certificate_end_timestamp_seconds": steady("1e6")},
    "WeekKeysEnd": {"bluezone_week_keys_end_timestamp_seconds": steady("1e6")},
    "MailServerDown": {'bluezone_outbox_oldest_seconds{outbox="mail"}': steady(3600)},
    "SmsCentreDown": {'bluezone_outbox_oldest_seconds{outbox="sms"}': steady(3600)},
    "ExchangeLate": {'bluezone_outbox_oldest_seconds{outbox="exchange"}': steady(20_000)},
    "PushLate": {'bluezone_outbox_waiting{outbox="push"}': steady(3)},
    "BackupOld": {"bluezone_backup_timestamp_seconds": steady(0)},
    "DrillFailed": {"bluezone_drill_ok": steady(0)},
    "DrillOld": {"bluezone_drill_timestamp_seconds": steady("-4e6")},
}  # fmt: skip


def case(name, series, firing):
    """A test of promtool at the last minute: which alerts fire."""
    group = {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": metric, "values": values} for metric, values in series.items() if values],
        "alert_rule_test": [],
    }
    for rule in RULES:
        count = f'count(ALERTS{{alertname="{rule["alert"]}",alertstate="firing"}}) > 0 or on () vector(0)'
        samples = [{"labels": "{}", "value": int(rule["alert"] in firing)}]
        group.setdefault("promql_expr_test", []).append(
            {"expr": f"({count}) > bool 0", "eval_time": f"{MINUTES}m", "exp_samples": samples}
        )
    return group


def run_promtool(folder, groups):
    file = folder / "alerts-test.yml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(DOCS / "alerts.yml")], "evaluation_interval": "10m", "tests": groups})
    )
    return subprocess.run([PROMTOOL, "test", "rules", str(file)], capture_output=True, text=True)


def test_prometheus_reads_the_rules():
    done = subprocess.run([PROMTOOL, "check", "rules", str(DOCS / "alerts.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rules" in done.stdout


def test_in_a_quiet_city_none_fires_and_for_its_fault_each_fires_alone(tmp_path):
    assert FAULTS.keys() == {rule["alert"] for rule in RULES}
    groups = [case("quiet", QUIET, set())]
    groups += [case(alert, {**QUIET, **changed}, {alert}) for alert, changed in FAULTS.items()]
    done = run_promtool(tmp_path, groups)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_a_city_that_answers_does_not_make_hosts_of_another_city_count_as_lost_of_it(tmp_path):
    """Two cities of one cluster share the job's name; a city of which no host answers is ServerGone, not HostGone."""
    labels = 'job="bluezone",service="city-bluezone-metrics"'
    cities = {
        f'up{{{labels},namespace="north",instance="a:8002"}}': steady(1),
        f'up{{{labels},namespace="south",instance="b:8002"}}': steady(0),
    }
    hostless = {name: values for name, values in QUIET.items() if not name.startswith("up")}
    done = run_promtool(tmp_path, [case("two cities", {**hostless, **cities}, set())])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_itself_can_fail(tmp_path):
    done = run_promtool(tmp_path, [case("wrong", {**QUIET, **FAULTS["StoreDown"]}, set())])
    assert done.returncode != 0
    assert "StoreDown" in done.stdout + done.stderr


def test_every_metric_of_a_rule_has_a_series_in_the_quiet_city():
    known = {name.partition("{")[0] for name in QUIET}
    named = {name for rule in RULES for name in re.findall(r"\bbluezone_\w+", rule["expr"])}
    assert named <= known
