# SPDX-License-Identifier: Apache-2.0
"""The service's life: started, killed, started again, erased; and what the owner and the lock screen are told."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.builders.androidphone import wait_for
from tests.builders.handset import meet_phone, publish_reports, report_patient

from bluezone.handset import Handset
from bluezone.handset.android.device import KeystoreSealing
from bluezone.handset.clocks import boot_id_of
from bluezone.refusal import Refused

LOCK_SCREEN = {"vi": "Bluezone có thông báo mới. Mở để xem.", "en": "Bluezone has news for you. Open to read."}
CHILD = Path(__file__).parent / "service_process.py"


def asked(url: str, path: str = "status.json", given: dict | None = None):
    """A call of the phone's page, as its own page makes it."""
    parts = urlsplit(url)
    token = parse_qs(parts.query)["token"][0]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if given is None else json.dumps(given).encode()
    request = urllib.request.Request(f"{parts.scheme}://{parts.netloc}{parts.path}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())


def opened(phone, **options) -> Handset:
    """The phone's store beside the app, as a test may look at it or prepare it."""
    return Handset.open(
        phone.folder / "handset", phone.city.server, phone.clock, radio_model="android:double", trust=phone.city.trust,
        sealing=KeystoreSealing(phone.keystore), **options,
    )  # fmt: skip


def noted(phone) -> dict:
    """What Java reads before Python is there."""
    return json.loads((phone.folder / "setup.json").read_text())


def heard(phone) -> int:
    seen = opened(phone, reading=True)
    try:
        return sum(seen.encounters.identifiers_per_day().values())
    finally:
        seen.close()


def test_the_service_serves_the_page_to_whoever_has_the_token_and_to_nobody_else(phone):
    tracing, _device, _ = phone.process()
    tracing.start()
    url = wait_for(lambda: tracing.url)

    assert url.startswith("http://127.0.0.1:")
    assert asked(url, "api/state")["started"] is True
    assert noted(phone)["running_in"] == boot_id_of(phone.clock)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url.partition("?")[0] + "api/state", timeout=120)
    assert refused.value.code == 403
    tracing.stop()
    assert tracing.url is None
    assert not tracing.running
    assert noted(phone)["running_in"] is None


def test_a_full_disk_at_the_start_is_told_and_tried_again(phone, full_disk):
    tracing, device, setup = phone.process()
    with full_disk():
        tracing.start()
        wait_for(lambda: tracing.problem == "handset_disk_full")
        assert device.running[-1].title == "Bluezone đang dừng"
        assert device.wake_lock.alarm is not None, "Android is asked to wake the phone for another try"
    wait_for(lambda: tracing.url)
    assert tracing.problem is None
    assert not setup.answers.killed, "nobody killed it: it could not start"
    with full_disk():
        tracing.stop()
    assert not tracing.running


def test_the_permanent_notice_says_running_only_once_another_phone_was_heard(phone):
    tracing, device, _ = phone.process()
    tracing.start()
    wait_for(lambda: device.running and device.running[-1].title == "Bluezone đang bật")
    before = [notice.title for notice in device.running]
    device.fed.hear(bytes(range(20)))
    wait_for(lambda: device.running[-1].title == "Bluezone đang chạy")

    assert not [title for title in before if "đang chạy" in title]


def test_a_service_killed_and_started_again_has_lost_no_encounter_that_was_stored(phone, tmp_path):
    child = subprocess.Popen(
        [sys.executable, CHILD, phone.folder, phone.keystore.file, phone.city.server, phone.city.trust],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "heard\n"
        wait_for(lambda: heard(phone) == 1)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()

    tracing, _, setup = phone.process()
    tracing.start()
    wait_for(lambda: tracing.url)

    assert setup.answers.killed
    assert heard(phone) == 1


def test_a_service_that_was_told_to_end_or_whose_phone_was_restarted_was_not_killed(phone):
    tracing, _, setup = phone.process()
    tracing.start()
    wait_for(lambda: tracing.url)
    tracing.stop()
    again, _, setup = phone.process()
    again.start()
    wait_for(lambda: again.url)
    assert not setup.answers.killed

    setup.note_start("another start of the phone")
    assert not setup.answers.killed


def test_a_pending_upload_goes_on_by_itself_at_the_next_start(phone, server, world):
    before = opened(phone)
    before.encounters.payload()
    before.check()
    draft = before.report.prepare_draft(server.key_server.codes.issue_code("confirmed", before.time.today()).code)
    server.tamper = lambda path, body: b"" if path == "/v1/upload" else body
    with suppress(Refused):
        before.report.submit_report(draft, None, consent=True)
    assert before.report.pending is not None
    before.close()

    server.tamper = lambda _path, body: body
    tracing, _, _ = phone.process()
    tracing.start()
    url = wait_for(lambda: tracing.url)
    wait_for(lambda: asked(url)["uploads"] == 1)
    assert asked(url)["report_upload_at"] is None


def test_news_is_told_once_in_the_words_of_the_lock_screen_and_not_again_after_a_restart(phone, phones, server, world):
    mine, patient = opened(phone), phones.new("patient")
    mine.check()
    meet_phone(mine, patient, 25, world=world)
    report_patient(patient, server)
    publish_reports(server, world)
    mine.check()
    assert mine.risk.level() == "high"
    mine.close()

    for times in (1, 0):
        tracing, device, _ = phone.process()
        tracing.start()
        wait_for(lambda shown=device: len(shown.running) >= 4)
        tracing.stop()
        assert [notice.text for notice in device.news] == [LOCK_SCREEN["vi"]] * times
        said = " ".join(f"{notice.title} {notice.text}" for notice in device.running + device.news).lower()
        assert not [word for word in ("nguy cơ", "covid", "lây", "tiếp xúc", "risk") if word in said]


def test_without_its_keystore_key_the_phone_says_so_keeps_everything_and_begins_anew_when_told(phone):
    tracing, _, _ = phone.process()
    tracing.start()
    wait_for(lambda: tracing.url)
    tracing.stop()
    store = (phone.folder / "handset" / "handset.sqlite3").read_bytes()
    phone.keystore.file.unlink()

    tracing, device, _ = phone.process()
    tracing.start()
    wait_for(lambda: tracing.problem == "keystore_key_lost")
    assert device.running[-1].title == "Bluezone đang dừng"
    assert tracing.url is None
    assert (phone.folder / "handset" / "handset.sqlite3").read_bytes() == store

    tracing.erase_and_restart()
    wait_for(lambda: tracing.url)
    assert tracing.problem is None
    assert phone.keystore.file.exists()
    assert heard(phone) == 0


def test_a_key_store_that_does_not_answer_is_asked_again_and_nothing_is_erased(phone):
    tracing, _, _ = phone.process()
    tracing.start()
    wait_for(lambda: tracing.url)
    tracing.stop()

    phone.keystore.busy = True
    tracing, _, _ = phone.process()
    tracing.start()
    wait_for(lambda: tracing.problem == "keystore_unavailable")
    tracing.erase_and_restart()
    phone.keystore.busy = False
    wait_for(lambda: tracing.url)
    assert phone.keystore.file.exists()


def test_a_fault_of_our_own_is_told_and_the_phone_is_begun_again(phone):
    tracing, device, _ = phone.process()
    fed, failing = device.fed, True
    device.radio = lambda: 1 / 0 if failing else fed
    tracing.start()
    wait_for(lambda: tracing.problem == "fault")
    failing = False
    wait_for(lambda: tracing.url)


def test_erasing_on_the_page_destroys_the_key_takes_the_notices_away_and_asks_for_agreement_again(phone):
    tracing, device, setup = phone.process()
    setup.update(agreed=True, maker_read=True, language="en")
    tracing.start()
    url = wait_for(lambda: tracing.url)
    asked(url, "api/erase", {})
    wait_for(lambda: device.over and not tracing.running)

    assert not phone.keystore.file.exists()
    assert not (phone.folder / "handset" / "handset.sqlite3").exists()
    assert not setup.answers.agreed
    assert setup.answers.language == "en"


def test_a_copied_folder_opens_nothing_without_the_phones_key_store(phone, tmp_path):
    tracing, _, _ = phone.process()
    tracing.start()
    wait_for(lambda: tracing.url)
    tracing.stop()
    kept = (phone.folder / "handset" / "handset.key").read_bytes()
    key = KeystoreSealing(phone.keystore).unseal(kept)

    assert len(key) == 32
    assert key not in kept
    phone.keystore.create()
    tracing, _, _ = phone.process()
    tracing.start()
    wait_for(lambda: tracing.problem == "keystore_key_lost")
