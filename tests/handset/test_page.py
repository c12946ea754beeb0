# SPDX-License-Identifier: Apache-2.0
"""The JSON API of the phone's page: every call of the engine contract, against a real phone and a real server."""

import datetime
import http.client
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.builders.androidphone import Voice, wait_for
from tests.builders.handset import meet_phone, publish_reports, report_patient

from bluezone.face.files import static_files
from bluezone.handset.page.api import LocalPage
from bluezone.keyserver.venues.registrar import VenueDescription

PHO = VenueDescription(name="Quán phở Bắc Hồ", address="Tổ 5, phường Sông Cầu", type=4, stay_minutes=60)


@pytest.fixture
def phone(phones):
    return phones.new("phone")


@pytest.fixture
def page(phone):
    page = LocalPage(phone, next_check=lambda: 1_795_620_000.0)
    page.start()
    yield page
    page.stop()


@pytest.fixture
def ask(page):
    """Call the API as the phone's own page does: GET without arguments, POST with them. (status, answer)"""

    def asked(method, **given):
        return raw(page, "POST" if given or method in page.api.changing else "GET", f"api/{method}", json.dumps(given))

    return asked


def raw(page, verb, path, body="", kind="application/json"):
    connection = http.client.HTTPConnection(page.origin.removeprefix("http://"), timeout=120)
    headers = {"Cookie": f"bluezone_token={page.token}", "Origin": page.origin, "Content-Type": kind}
    connection.request(verb, page.base + path, body if verb == "POST" else None, headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, json.loads(text) if response.getheader("Content-Type") == "application/json" else text


def told(ask, method, **given):
    status, answer = ask(method, **given)
    assert status == 200, answer
    return answer


def test_every_method_of_the_contract_is_answered(page):
    contract = static_files()["engine/interface.js"].content.decode()
    methods = set(
        re.findall(r'"([a-zA-Z]+)"', re.search(r"METHODS = Object.freeze\(\[(.*?)\]\)", contract, re.DOTALL)[1])
    )
    # Passes at gates and the change to a newer edition are no calls of this page.
    answered = {*page.api.reading, *page.api.changing}
    assert {"state", "checkIn", "sendReport", "erase"} <= methods
    assert methods - answered - {"subscribe"} <= {"showPass", "hidePass", "pass", "passes"}


def test_the_state_says_that_nobody_agreed_yet_and_remembers_agreement_and_language(ask):
    assert told(ask, "state")["started"] is False
    assert told(ask, "language") == "vi"
    begun = told(ask, "start", language="en")
    assert begun["started"] is True
    assert told(ask, "language") == "en"
    assert ask("setLanguage", code="fr")[1]["error"]["code"] == "language_unknown"
    assert told(ask, "language") == "en"


def test_running_is_said_only_if_bluetooth_sent_and_heard_within_15_minutes(phone, ask, world):
    phone.check()
    boot = phone.clock.boot_seconds()
    phone.encounters.note_radio(boot, None)
    assert told(ask, "state")["bluetooth"]["running"] is False
    assert told(ask, "state")["state"] == "A"
    phone.encounters.note_radio(boot, boot)
    assert told(ask, "state")["bluetooth"]["running"] is True
    world.pass_by(16 * 60)
    assert told(ask, "state")["bluetooth"]["running"] is False
    assert told(ask, "state")["state"] == "B1"


def test_running_since_starts_anew_after_a_gap_of_over_15_minutes(phone, world):
    def since():
        boot = phone.clock.boot_seconds()
        phone.encounters.note_radio(boot, boot)
        return phone.encounters.radio_state.running_since

    first = since()
    world.pass_by(14 * 60)
    assert since() == first
    world.pass_by(16 * 60)
    phone.encounters.note_radio(None, None)
    assert since() == first + 30 * 60


def test_a_wrong_clock_is_told_with_its_size(phone, ask):
    phone.check()
    phone.clock.wall_error = -3 * 3600
    phone.check()
    state = told(ask, "state")
    assert "B3" in state["stops"]
    assert state["clockOffBySeconds"] == pytest.approx(-3 * 3600, abs=120)


def test_a_warning_is_unread_until_it_was_opened_and_has_the_health_authoritys_words(phones, server, world, phone, ask):
    patient = phones.new("patient")
    meet_phone(phone, patient, 25, world=world)
    report_patient(patient, server)
    publish_reports(server, world)
    state = told(ask, "check")
    assert state["state"] == "D"
    (warning,) = state["warnings"]
    assert (warning["day"], warning["minutesBand"], warning["level"]) == ("2026-11-25", "15-30", "high")
    assert (warning["certainty"], warning["nearMinutes"][1]) == ("sure", 25)
    assert warning["watchUntil"] == "2026-12-09"
    assert (warning["read"], state["unread"]) == (False, 1)
    assert state["city"]["hotline"] == "0209 3870 000"
    assert set(state["city"]["texts"]) >= {"step_1", "step_2", "step_3", "lead", "not_known", "doubt"}
    told(ask, "markRead", id=warning["id"])
    state = told(ask, "state")
    assert (state["warnings"][0]["read"], state["unread"]) == (True, 0)


def test_a_visit_goes_from_poster_to_diary_and_out_again(server, phone, ask, world):
    venue = server.key_server.registrar.register_venue("dk-1", PHO)
    phone.check()
    assert told(ask, "readVenue", text=venue.link)["name"] == PHO.name
    visit = told(ask, "checkIn", text=venue.link, remember=True)
    assert (visit["label"], visit["outAt"]) == (PHO.name, None)
    assert told(ask, "state")["openVisits"] == 1
    world.pass_by(20 * 60)
    assert told(ask, "checkOut", id=visit["id"])["outAt"] == world.now
    (day,) = told(ask, "diary")
    assert [one["label"] for one in day["visits"]] == [PHO.name]
    told(ask, "forgetVisit", id=visit["id"])
    assert told(ask, "visits") == []
    assert ask("forgetVisit", id=visit["id"])[1]["error"]["code"] == "visit_missing"


def test_a_report_goes_from_code_to_what_is_sent_to_thanks(server, phone, ask):
    phone.encounters.payload()
    onset = phone.time.today() - datetime.timedelta(days=1)
    code = server.key_server.codes.issue_code("confirmed", onset).code
    draft = told(ask, "prepareReport", code=code)
    assert [day["day"] for day in draft["days"]] == ["2026-11-25"]
    assert server.key_server.codes.status(code) == "open"
    days = [day["utcDay"] for day in draft["days"]]

    preview = told(ask, "previewReport", days=days, visits=[])
    assert preview["bytes"] == 4096
    assert [item["kind"] for item in preview["items"]] == ["key"]
    assert ask("sendReport", days=days, visits=[])[1]["error"]["code"] == "consent_missing"
    assert told(ask, "sentLog")["own"][-1]["what"] == "code_checked"
    answer = told(ask, "sendReport", days=days, visits=[], consent=True)
    assert (answer["state"], answer["withToday"]) == ("sent", True)
    # Published every two hours, and then fetched.
    assert answer["reachAt"] - answer["sendAt"] == 2 * 3600 + phone.city.current.poll_seconds
    sent = told(ask, "sentLog")
    assert [(entry["what"], entry["outcome"], entry["bytes"]) for entry in sent["own"]] == [
        ("code_checked", "accepted", 1024), ("certificate_asked", "accepted", 1024), ("keys_sent", "accepted", 4096),
    ]  # fmt: skip
    assert sent["chaff"] == 0


@pytest.mark.parametrize("code", ["", "123", "<script>alert(1)</script>", "9" * 3000])
def test_a_bad_code_is_refused_with_its_code_and_never_repeated(ask, code):
    status, answer = ask("prepareReport", code=code)
    assert (status, answer["error"]["code"]) == (422, "code_malformed")
    assert code == "" or code not in json.dumps(answer)


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"text": 7}', '{"id": "1; DROP"}', '{"days": ["x"], "visits": []}', "[" * 20_000]
)
def test_a_call_that_is_none_changes_nothing(page, phone, body):
    for method in ("readVenue", "checkOut", "previewReport"):
        status, answer = raw(page, "POST", f"api/{method}", body)
        assert status in (400, 422)
        assert answer["error"]["code"] in ("call_invalid", "report_not_prepared")
    assert raw(page, "POST", "api/check", "{}", kind="text/plain")[0] == 400
    assert phone.stays.all() == []


def test_a_page_that_cannot_speak_has_the_phone_read_aloud_and_stops_it(phone):
    voice = Voice(outcome=None)
    page = LocalPage(phone, voice=voice)
    page.start()
    with ThreadPoolExecutor(1) as threads:
        said = json.dumps({"language": "vi", "pieces": ["Trang chủ", "Chưa có gì để kiểm tra"]})
        answer = threads.submit(raw, page, "POST", "api/speak", said)
        wait_for(lambda: voice.read or None)
        assert raw(page, "POST", "api/hush", "{}") == (200, None)
        assert answer.result() == (200, {"outcome": "stopped"})
    assert voice.read == [("vi", ["Trang chủ", "Chưa có gì để kiểm tra"])]
    for wrong in ({"pieces": "x"}, {"pieces": [7]}, {"pieces": ["x" * 1001]}, {"pieces": ["x"] * 501}):
        assert raw(page, "POST", "api/speak", json.dumps({"language": "vi", **wrong}))[0] == 400
    page.stop()


def test_a_phone_with_nothing_that_speaks_says_so(ask):
    assert told(ask, "speak", language="vi", pieces=["Trang chủ"]) == {"outcome": "engine_missing"}


def test_the_recordings_of_the_city_are_below_the_page_and_nothing_else_of_the_city_is(page, server):
    recorded = {"/voice/list.json": b'{"tay": ["help"]}', "/voice/tay/help.mp3": b"ID3"}
    server.tamper = lambda path, body: recorded.get(path, body)
    before = len(server.requests)
    assert raw(page, "GET", "voice/list.json") == (200, {"tay": ["help"]})
    assert raw(page, "GET", "voice/tay/help.mp3") == (200, "ID3")
    assert [path for path, _ in server.requests[before:]] == list(recorded)

    for path in ("voice/../v1/config", "voice/tay/help.mp3?x=/", "v1/config", "voice/list.json/", "voice/tay/../../v1"):
        raw(page, "GET", path)
    assert {path for path, _ in server.requests[before:]} == set(recorded)
    server.down = True
    assert raw(page, "GET", "voice/list.json") == (200, None)
    assert raw(page, "GET", "voice/tay/help.mp3")[0] == 404


def test_a_reading_call_is_no_changing_one_and_the_other_way_round(page):
    assert raw(page, "GET", "api/erase")[0] == 404
    assert raw(page, "POST", "api/state", "{}")[0] == 404
    assert raw(page, "GET", "api/forget")[0] == 404


def test_erasing_destroys_key_and_store_and_tells_the_program(phone, phones):
    told = threading.Event()
    page = LocalPage(phone, on_erased=told.set)
    page.start()
    assert raw(page, "POST", "api/erase", "{}") == (200, None)
    # The program is told after its owner was, by the thread that answered, for which stop() does not wait.
    assert told.wait(60)
    page.stop()
    assert not list(Path(phones.folder / "phone").glob("handset.*"))
    phone.close()


def test_news_of_the_city_is_kept_marked_read_and_never_needed_for_a_check(phone, ask):
    phone.check()
    assert told(ask, "inbox") == []
    item = {
        "id": 7,
        "title_vi": "Tin",
        "title_en": "News",
        "body_vi": "a",
        "body_en": "b",
        "published_at": 1_795_600_000,
    }
    phone.store.put("news", [item])
    (news,) = told(ask, "inbox")
    assert (news["id"], news["title"], news["read"]) == ("news/7", "Tin", False)
    told(ask, "markRead", id="news/7")
    assert told(ask, "inbox")[0]["read"] is True


def test_asking_for_help_where_nobody_takes_it_is_told_and_written_down(ask):
    status, answer = ask("askForHelp", contact="0912 345 678", place="Tổ 5", note="")
    assert (status, answer["error"]["code"]) == (422, "server_answer_refused")
    assert [(entry["what"], entry["outcome"]) for entry in told(ask, "sentLog")["own"]] == [("help_asked", "refused")]
