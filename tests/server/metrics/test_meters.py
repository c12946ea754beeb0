# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys
import time
from types import SimpleNamespace

from prometheus_client.parser import text_string_to_metric_families

from bluezone.server.metrics.exposition import HUNG_SECONDS, METRICS, Exposition
from bluezone.server.metrics.measured_application import MeasuredApplication, office_route, public_route
from bluezone.server.metrics.meters import GAUGES, ROUTES, Meters
from bluezone.server.processes.children import Part

HOUR = 3600

COUNT_ELSEWHERE = """
import sys
from bluezone.server.metrics.meters import Meters
row = Meters.attach(int(sys.argv[1])).row(int(sys.argv[2]))
for _ in range(1000):
    row.count("files", 200, 0.02)
"""


def exposition(meters, now=10 * HOUR + 600, parts=()):
    processes = SimpleNamespace(meters=meters, parts=parts, children=[], restarts={}, replaced=0)
    return Exposition(processes, None, now)


def answer(measured, path):
    seen = {}

    def start(line, headers):
        seen.update(status=int(line[:3]), headers=headers)

    body = measured({"PATH_INFO": path}, start)
    return seen["status"], seen["headers"], body


def test_rows_of_several_processes_add_up():
    meters = Meters.make(3)
    several = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT_ELSEWHERE, str(meters.descriptor), str(row)], pass_fds=(meters.descriptor,)
        )
        for row in (0, 1)
    ]
    assert [process.wait(120) for process in several] == [0, 0]
    meters.row(2).count("files", 503, 20.0)
    counts = meters.requests("files")

    assert counts.statuses == [2000, 0, 0, 0, 1]
    assert sum(counts.buckets) == 2001
    assert counts.buckets[-1] == 1
    assert abs(counts.seconds - 60) < 0.01


def test_the_page_is_what_prometheus_reads():
    meters = Meters.make(2)
    meters.row(0).count("reports", 200, 0.003)
    meters.row(0).count("reports", 404, 0.3)
    for gauge in GAUGES:
        meters.set(gauge, 1.5)
    meters.set("worker_leading", 1)
    page = exposition(meters, parts=[Part("worker", ())]).text()
    sample = re.compile(r'bluezone_\w+(\{\w+="[^"\\\n]*"(,\w+="[^"\\\n]*")*\})? [-+.e0-9]+')

    assert page.endswith("\n")
    assert all(line.startswith("# ") or sample.fullmatch(line) for line in page.splitlines())
    assert set(re.findall(r"^# TYPE bluezone_(\w+)", page, re.MULTILINE)) == set(METRICS) - {
        "certificate_end_timestamp_seconds"
    }
    (durations,) = (
        one for one in text_string_to_metric_families(page) if one.name.endswith("request_duration_seconds")
    )
    buckets = [(told.labels["le"], told.value) for told in durations.samples
               if told.name.endswith("_bucket") and told.labels["route"] == "reports"]  # fmt: skip
    assert buckets[0] == ("0.005", 1)
    assert [count for _, count in buckets] == sorted(count for _, count in buckets)
    assert buckets[-1] == ("+Inf", 2)


def test_refusals_show_at_the_turn_of_the_hour_in_multiples_of_five():
    meters = Meters.make(1)
    shown, row = exposition(meters), meters.row(0)

    def at(now):
        shown.refresh(now)
        return int(re.search(r'reason="code_invalid"\} (\d+)', shown.text())[1])

    for _ in range(7):
        row.refuse(1)
    # The hour in which it began is not whole: its refusals come with those of the next.
    assert [at(hour * HOUR) for hour in (10.5, 11.0, 11.9)] == [0, 0, 0]
    assert at(12 * HOUR) == 5
    for _ in range(3):
        row.refuse(1)
    assert at(12.9 * HOUR) == 5
    assert at(13 * HOUR) == 10


def test_an_answer_is_counted_by_class_and_nothing_of_its_address_is_kept():
    meters = Meters.make(1)
    measured = MeasuredApplication(lambda environ, start: start("200 OK", []) or [b""], meters.row(0), public_route)
    for path in ("/v1/exports/12-00ff.zip", "/v1/config", "/bi-mat-nguyen-van-a", "/v1/speakers/plan", "/v1/help"):
        answer(measured, path)
    page = exposition(meters).text()

    counted = {route: sum(meters.requests(route).statuses) for route in ROUTES}
    assert {route: count for route, count in counted.items() if count} == {
        "files": 2, "pages": 1, "devices": 1, "help": 1,
    }  # fmt: skip
    assert "nguyen" not in page
    assert {office_route("/sign-in/"), office_route("/health/ready")} == {"office", "health"}


def test_a_fault_is_an_answer_and_a_line_without_its_words(caplog):
    def fail(environ, start):
        raise ValueError("Nguyễn Văn A, 0912345678")

    meters = Meters.make(1)
    status, _, _ = answer(MeasuredApplication(fail, meters.row(0), public_route), "/v1/config")

    assert status == 500
    assert meters.requests("files").statuses == [0, 0, 0, 1, 0]
    assert [record.event for record in caplog.records] == ["answer_failed"]


def test_a_store_that_a_hanging_worker_asked_long_ago_is_not_said_to_be_up():
    meters = Meters.make(1)
    page = exposition(meters, parts=[Part("worker", ())])
    for name in ("worker_leading", "store_up_keys", "store_up_codes", "store_up_office"):
        meters.set(name, 1)

    def said():
        families = {family.name: family for family in text_string_to_metric_families(page.text())}
        return {sample.value for sample in families["bluezone_store_up"].samples}

    meters.set("measured_timestamp_seconds", time.time())
    assert said() == {1}
    meters.set("measured_timestamp_seconds", time.time() - HUNG_SECONDS)
    assert said() == {0}
