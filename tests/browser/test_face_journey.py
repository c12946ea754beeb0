# SPDX-License-Identifier: Apache-2.0
"""What a phone says after a warning and after a report, at 360 pixels: nothing more than is known, on every day."""

import datetime
import itertools

import pytest
from tests.browser.test_face_venue_warning import (
    HOUR,
    MINUTE,
    checked_in,
    checked_out,
    pass_by,
    reported,
    typed,
)
from tests.browser.test_face_web import agreed, browser_of
from tests.builders.face import assert_fit, open_face, plain
from tests.builders.handset import city_with_phones, meet_phone, publish_reports
from tests.builders.handset import report_patient as reported_by_phone
from tests.builders.webedition import issue_code, publish_venue, web_city

from bluezone.keyserver import declarations
from bluezone.protocol.declarationkey import new_private_key, public_key_pem

pytestmark = pytest.mark.browser

DAY = 86_400
# The city's clock now and a minute later, "19:20|19:21".
THIS_MINUTE = """() => [0, 60_000].map((later) => new Date(Date.now() + later).toLocaleTimeString(
  'vi-VN', { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Ho_Chi_Minh' })).join('|')"""
ANOTHER_TAB_CHANGED = """() => {
  window.before = document.querySelector('main');
  new BroadcastChannel('bluezone-web').postMessage('changed');
}"""
PLACES = ("Trạm y tế phường Đức Xuân, 0209 387 0943",)


@pytest.fixture
def served(tmp_path):
    with web_city(tmp_path, test_places=PLACES) as server:
        yield server


def press(face, selector):
    """Press it in one event: a screen that follows what changes may be made anew between a button's down and up."""
    face.page.locator(selector).first.dispatch_event("click")


def looked(face, state):
    """The state of home after a look at the city's files, which must be this one."""
    face.go("/about")
    face.go("/")
    minute = face.page.evaluate(THIS_MINUTE)
    press(face, "text=Kiểm tra ngay")
    # Home may show this state before the look has ended.
    face.page.wait_for_selector(f'[data-state={state}] small.num:text-matches("lúc ({minute}) hôm nay")')


def card(face):
    """The classes of home's card: its colour."""
    return face.page.get_attribute("[data-state]", "class").split()


@pytest.fixture
def two(chromium, served):
    """A visitor and a patient who were at one place; the patient has reported, the visitor has been warned."""
    poster = publish_venue(served)
    faces = [browser_of(chromium, served) for _ in range(2)]
    for face in faces:
        agreed(face)
        face.page.wait_for_selector("[data-state=nothing]")
        typed(face, poster)
        checked_in(face, poster)
    pass_by(served, 40 * MINUTE, *faces)
    for face in faces:
        checked_out(face)
    pass_by(served, 3 * HOUR, *faces)
    visitor, patient = faces
    reported(patient, served)
    pass_by(served, HOUR, *faces)
    served.key_server.tick()
    looked(visitor, "D")
    yield visitor, patient
    for face in faces:
        assert face.complaints == []
        face.page.context.close()


def day_by_day(server, face, days):
    """So many days pass; the city signs anew, as it does every hour, and the phone looks."""
    pass_by(server, days * DAY, face)
    server.key_server.tick()


def test_a_phone_with_nothing_to_check_is_not_green(chromium, served):
    face = browser_of(chromium, served)
    agreed(face)
    face.page.wait_for_selector("[data-state=nothing]")

    assert plain(face.heading()) == "Chưa có gì để kiểm tra"
    assert "ok" not in card(face)
    assert_fit(face)
    face.page.context.close()


def test_a_place_is_green_only_after_a_check_that_came_after_the_stay_and_says_when(chromium, served):
    poster = publish_venue(served)
    face = browser_of(chromium, served)
    agreed(face)
    face.page.wait_for_selector("[data-state=nothing]")
    typed(face, poster)
    checked_in(face, poster)
    assert "ok" not in face.page.get_attribute("main .state", "class").split()
    face.go("/")
    face.page.wait_for_selector("[data-state]")
    assert "ok" not in card(face)
    assert face.page.get_attribute("[data-state]", "data-state") == "unchecked"
    assert plain(face.heading()) == "Chưa so với danh sách của thành phố"
    assert "Chưa có địa điểm nào" not in face.text()
    assert_fit(face)

    pass_by(served, 20 * MINUTE, face)
    looked(face, "unchecked")
    pass_by(served, 20 * MINUTE, face)
    checked_out(face)
    face.go("/")
    assert face.page.get_attribute("[data-state]", "data-state") == "unchecked"
    pass_by(served, MINUTE, face)
    looked(face, "A")
    assert "đến lần kiểm tra lúc 19:41 hôm nay, chưa có người xác nhận mắc" in face.text()
    assert_fit(face)
    pass_by(served, 5 * HOUR, face)
    face.go("/about")
    face.go("/")
    assert "đến nay" not in face.text()
    face.page.context.close()


def test_a_place_is_not_green_by_a_check_that_began_before_the_stay_was_over(chromium, served):
    poster = publish_venue(served)
    face = browser_of(chromium, served)
    agreed(face)
    face.page.wait_for_selector("[data-state=nothing]")
    typed(face, poster)
    checked_in(face, poster)
    pass_by(served, 20 * MINUTE, face)
    face.go("/")
    face.page.wait_for_selector("[data-state=unchecked]")
    served.answers.clear()
    press(face, "text=Kiểm tra ngay")
    # The check has started once its first call waits.
    assert served.waits.wait(120)
    pass_by(served, 20 * MINUTE, face)
    checked_out(face)
    served.answers.set()
    face.go("/")
    face.page.wait_for_selector('[data-state] small.num:has-text("lúc 19:20 hôm nay")')

    assert face.page.get_attribute("[data-state]", "data-state") == "unchecked"
    face.page.context.close()


def test_what_a_handset_heard_is_green_only_after_a_check_that_came_after_it(chromium, tmp_path):
    with city_with_phones(tmp_path) as (_, phones, world):
        phone, other = phones.new("phone"), phones.new("other")
        phone.check()
        world.pass_by(HOUR)
        meet_phone(phone, other, 10, world=world)
        phone.encounters.note_radio(phone.clock.boot_seconds(), phone.clock.boot_seconds())
        with open_face(chromium, phone) as face:
            assert face.page.get_attribute("[data-state]", "data-state") == "unchecked"
            assert "ok" not in card(face)
            assert "Những gì máy đã ghi chưa được so với danh sách của thành phố" in face.text()
            assert_fit(face)
            press(face, "text=Kiểm tra ngay")
            face.page.wait_for_selector("[data-state=A]")
            assert "đến lần kiểm tra lúc 20:10 hôm nay, máy chưa ghi nhận" in face.text()
            assert_fit(face)


def test_a_patient_is_never_green_and_reads_until_when_and_whom_to_call(served, two):
    _, patient = two
    looked(patient, "positive")

    assert "ok" not in card(patient)
    assert plain(patient.heading()).startswith("Nghỉ ngơi và ở riêng đến hết ")
    assert "Còn 14 ngày nữa" in patient.text()
    assert_fit(patient)
    press(patient, "text=Xem việc cần làm")
    patient.page.wait_for_selector("ol.steps")
    assert patient.page.locator("ol.steps > li").count() == 3
    assert patient.page.get_attribute(".calls a", "href") == "tel:02093870000"
    assert_fit(patient)

    day_by_day(served, patient, 14)
    looked(patient, "positive")
    assert "Hôm nay là ngày cuối" in patient.text()
    day_by_day(served, patient, 1)
    looked(patient, "over")
    assert "ok" not in card(patient)
    assert "hãy hỏi trạm y tế" in patient.text()
    press(patient, "text=Tôi đã đọc")
    patient.page.wait_for_selector("[data-state=nothing]")


def test_a_warning_asks_for_what_its_day_asks_for_and_its_end_is_told(served, two):
    visitor, _ = two
    assert "alert" in card(visitor)
    assert "Gọi trạm y tế" in visitor.text()
    assert "Chợ Bắc Kạn" in visitor.text(), "a warning says where, unless its owner did not want that"

    day_by_day(served, visitor, 6)
    looked(visitor, "D")
    assert "Xét nghiệm lúc này đã có ý nghĩa" in visitor.text()
    day_by_day(served, visitor, 7)
    looked(visitor, "watch")
    assert "alert" not in card(visitor)
    assert "Còn 1 ngày nữa" in visitor.text()
    press(visitor, "text=Xem việc nên làm")
    visitor.page.wait_for_selector("ol.steps")
    assert "Ở nguyên tại nhà hoặc nơi đang ở" not in visitor.text()
    assert_fit(visitor)
    day_by_day(served, visitor, 2)
    looked(visitor, "over")
    assert plain(visitor.heading()) == "Đã hết thời gian theo dõi"
    assert_fit(visitor)
    press(visitor, "text=Tôi đã đọc")
    visitor.page.wait_for_selector("[data-state=nothing]")


def test_a_call_and_a_negative_test_are_noted_and_end_nothing(served, two):
    visitor, _ = two
    press(visitor, "text=Xem 3 việc cần làm")
    visitor.page.wait_for_selector("ol.steps")
    press(visitor, "summary:has-text('Nơi xét nghiệm')")
    visitor.wait(PLACES[0])
    press(visitor, "text=Tôi đã gọi")
    visitor.wait("Bạn đã gọi ngày")
    press(visitor, "text=Đã lấy mẫu, chờ kết quả")
    visitor.wait("Đang chờ kết quả xét nghiệm")
    assert_fit(visitor)
    press(visitor, "text=Xét nghiệm âm tính")
    visitor.wait("vẫn theo dõi đến hết")
    assert "trước" in visitor.text(), "a test before the fifth day is early, and the screen says so"
    assert_fit(visitor)
    visitor.go("/")
    assert visitor.page.get_attribute("[data-state]", "data-state") == "negative"
    assert "ok" not in card(visitor)

    press(visitor, ".noted li:last-child button")
    visitor.page.wait_for_selector("[data-state=waiting]")


def test_a_warning_that_comes_after_a_negative_test_shows(chromium, served):
    """Two places on two days: the patient of the later day reports first, and the visitor tests negative."""
    market, pharmacy = publish_venue(served), publish_venue(served, "2", name="Nhà thuốc")
    visitor, first, second = (browser_of(chromium, served) for _ in range(3))
    for face in (visitor, first, second):
        agreed(face)
        face.page.wait_for_selector("[data-state=nothing]")
    for poster, patient in ((market, first), (pharmacy, second)):
        for face in (visitor, patient):
            typed(face, poster)
            checked_in(face, poster)
        pass_by(served, 40 * MINUTE, visitor, first, second)
        for face in (visitor, patient):
            checked_out(face)
        pass_by(served, DAY, visitor, first, second)
    reported(second, served)
    pass_by(served, HOUR, visitor, first, second)
    served.key_server.tick()
    looked(visitor, "D")
    press(visitor, ".acts button:has-text('Tôi đã gọi')")
    visitor.wait("Bạn đã gọi ngày")
    press(visitor, ".acts button:has-text('Xét nghiệm âm tính')")
    visitor.page.wait_for_selector("[data-state=negative]")

    reported(first, served)
    pass_by(served, HOUR, visitor)
    served.key_server.tick()
    looked(visitor, "D")
    assert "đã ở Chợ Bắc Kạn cùng lúc" in visitor.text()
    assert "Gọi trạm y tế" in visitor.page.inner_text(".today"), "the call was about the other warning"
    assert_fit(visitor)
    press(visitor, ".acts button:has-text('Xét nghiệm âm tính')")
    visitor.page.wait_for_selector("[data-state=negative]")
    assert visitor.page.locator(".state a[href^='tel:']").count() == 1, "a warned person can still call"
    for face in (visitor, first, second):
        assert face.complaints == []
        face.page.context.close()


def test_an_early_negative_test_hides_nothing_once_a_test_means_something(served, two):
    visitor, _ = two
    press(visitor, ".acts button:has-text('Xét nghiệm âm tính')")
    visitor.page.wait_for_selector("[data-state=negative]")
    day_by_day(served, visitor, 4)
    looked(visitor, "negative")

    day_by_day(served, visitor, 1)
    looked(visitor, "D")
    assert "Xét nghiệm lúc này đã có ý nghĩa" in visitor.text()
    press(visitor, ".acts button:has-text('Xét nghiệm âm tính')")
    visitor.page.wait_for_selector("[data-state=negative]")
    visitor.go("/journal")
    assert_fit(visitor)


def test_a_list_that_was_unfolded_stays_so_when_the_screen_is_made_anew(two):
    visitor, _ = two
    press(visitor, "text=Xem 3 việc cần làm")
    visitor.page.wait_for_selector("ol.steps")
    press(visitor, "summary:has-text('Nơi xét nghiệm')")
    visitor.wait(PLACES[0])

    visitor.page.evaluate(ANOTHER_TAB_CHANGED)
    visitor.page.wait_for_function("() => document.querySelector('main') !== window.before")

    visitor.wait(PLACES[0])


def test_who_notes_a_positive_test_is_a_patient_and_is_led_to_the_code(two):
    visitor, _ = two
    press(visitor, ".acts button:has-text('Xét nghiệm dương tính')")
    visitor.page.wait_for_selector("main > .state.care")
    assert visitor.page.evaluate("location.hash") == "#/care"
    assert plain(visitor.heading()).startswith("Nghỉ ngơi và ở riêng đến hết ")
    assert "Nhập mã báo tin" in visitor.text()
    assert_fit(visitor)
    visitor.go("/")
    assert visitor.page.get_attribute("[data-state]", "data-state") == "positive"


def test_symptoms_are_kept_day_by_day_on_this_device(served, two):
    visitor, _ = two
    visitor.go("/symptoms")
    visitor.page.check("#symptom-fever")
    visitor.page.check("#symptom-breath")
    press(visitor, "main button[type=submit]")
    visitor.wait("gọi 115 ngay")
    assert_fit(visitor)
    day_by_day(served, visitor, 1)
    visitor.go("/diary")
    visitor.go("/symptoms")
    assert not visitor.page.is_checked("#symptom-fever")
    assert "Sốt từ 38 độ, Khó thở" in visitor.text()


def test_a_declaration_is_offered_only_where_somebody_can_receive_it(served, two):
    visitor, _ = two
    press(visitor, "text=Xem 3 việc cần làm")
    visitor.page.wait_for_selector("ol.steps")
    assert "Gửi khai báo" not in visitor.text()

    declarations.publish_declaration_key(served.key_server.data_dir, public_key_pem(new_private_key()))
    pass_by(served, HOUR, visitor)
    served.key_server.tick()
    looked(visitor, "D")
    press(visitor, "text=Xem 3 việc cần làm")
    visitor.wait("Gửi khai báo")


@pytest.mark.parametrize("minutes", [2, 9, 20])
def test_who_is_still_at_the_place_can_report_it(chromium, served, minutes):
    poster = publish_venue(served)
    face = browser_of(chromium, served)
    agreed(face)
    face.page.wait_for_selector("[data-state=nothing]")
    typed(face, poster)
    checked_in(face, poster)
    pass_by(served, minutes * MINUTE, face)
    face.go("/report")
    face.page.fill("#code", issue_code(served, days_ago=0))
    press(face, "form button[type=submit]")
    face.page.wait_for_selector("fieldset")

    assert "Chợ Bắc Kạn" in face.text()
    assert f"19:00 – 19:{minutes:02}" in plain(face.text())
    assert "ngày khởi phát" in face.text()
    press(face, "form button[type=submit]")
    face.page.wait_for_selector("main details")
    press(face, "text=Đồng ý và gửi")
    face.wait("Đã gửi. Cảm ơn bạn")

    face.page.context.close()


# Evidence is "none", "kept" and not yet compared, or "compared" by a check that came after it.
EVIDENCE = """async ([acts, agreed, warned, checked, evidence, stops, ago, lastEnded]) => {
    const {journeyOf, nameOf} = await import('/app/journey.js');
    const {later} = await import('/app/dates.js');
    const today = '2026-11-28';
    const day = (ago) => later(today, -ago);
    const warnings = warned
        ? [{id: 'w', day: day(ago), level: warned, minutesBand: '15-30', watchUntil: later(day(ago), 14)}] : [];
    const marksOf = (at, before) => before || at > ago ? [] : warnings.map(nameOf);
    const state = {
        city: {care: {watchDays: 14, homeDays: 10, isolationDays: 14, testFromDay: 5, testPlaces: []}},
        acts: acts.map(([kind, at, before]) => ({kind, day: day(at), at: 0, marks: marksOf(at, before)})),
        agreedAt: typeof agreed === 'number' ? 100 - agreed : null,
        pendingReport: agreed === 'pending' ? {state: 'begun', sendAt: null, reachAt: null} : null,
        warnings,
        lastWarning: lastEnded === null ? null : {day: day(lastEnded + 14), watchUntil: day(lastEnded)},
        checkedAt: checked ? 1 : null, hasEvidence: evidence !== 'none', compared: evidence === 'compared', stops,
    };
    const {name, look} = journeyOf(state, today, (seconds) => day(100 - seconds));
    return [name, look];
}"""


def test_no_state_says_more_than_is_known(chromium, served):
    """Every combination of what a phone can know: green in one case only, and a patient before all else."""
    page = chromium.new_context().new_page()
    page.goto(served.url + "/blank")
    tests = [
        [["tested", 1]],
        [["tested", 2], ["negative", 1]],
        [["positive", 3]],
        [["positive", 15]],
        [["negative", 1, "before the warning"]],
        [["negative", 5]],
    ]
    acts = [[], [["called", 0]], *tests]
    rows = itertools.product(
        acts, (None, 0, 14, 15, "pending"), (None, "low", "high"), (False, True),
        ("none", "kept", "compared"), ([], ["B1"], ["B2"], ["B3"]), (3, 6, 10, 11, 14, 15), (None, 7, 8),
    )  # fmt: skip
    rows = list(rows)
    found = page.evaluate(f"(rows) => Promise.all(rows.map({EVIDENCE}))", rows)
    for row, (name, look) in zip(rows, found, strict=True):
        noted, sent, warned, checked, evidence, stops, ago, ended = row
        patient = ["positive", 3] in noted or sent in (0, 14, "pending")
        live = warned is not None and ago <= 14
        about = [act for act in noted if act[1] <= ago and len(act) == 2]
        # A test before the fifth day counts until the fifth day.
        kinds = [kind for kind, at in about if ago < 5 or at <= ago - 5]
        assert (name == "positive") is patient, row
        assert (look == "ok") is (name == "A"), row
        if name == "A":
            assert (patient, live, checked, evidence, stops) == (False, False, True, "compared", []), row
        if live and not patient:
            expected = "negative" if "negative" in kinds else "waiting" if "tested" in kinds else None
            expected = expected or ("C" if warned == "low" else "D" if ago <= 10 else "watch")
            assert name == expected, row
        if name == "over":
            assert not live, row
            assert ended == 7 or sent == 15 or ["positive", 15] in noted or (warned and ago == 15), row
        if not patient and not live and name not in ("over", "A"):
            assert name == (stops[0] if stops else "nothing" if evidence == "none" else "unchecked"), row
    assert {name for name, _ in found} == {
        "positive", "negative", "waiting", "D", "watch", "C", "over", "B1", "B2", "B3", "nothing", "unchecked", "A",
    }  # fmt: skip
    page.context.close()


SAYING = """async ([code, web, running, rows]) => {
    const {Words} = await import('/app/words.js');
    const {Dates, later} = await import('/app/dates.js');
    const {STATES, journeyOf, nameOf} = await import('/app/journey.js');
    const {titleOf, stateTexts} = await import('/app/telling.js');
    const words = await Words.load(code);
    const today = '2026-11-28';
    const noon = Date.parse('2026-11-28T05:00:00Z') / 1000;
    const dates = new Dates(words, 'Asia/Ho_Chi_Minh', () => noon);
    const warning = {
        id: 'w', day: later(today, -3), watchUntil: later(today, 11), label: 'Quán phở', minutesBand: '15-30',
        nearMinutes: [10, 20], certainty: 'likely', read: true,
    };
    const said = rows.map(([kind, level, acts, stops, checked, evidence, ended]) => {
        const warnings = level ? [{...warning, kind, level}] : [];
        const state = {
            city: {care: {watchDays: 14, homeDays: 10, isolationDays: 14, testFromDay: 5, testPlaces: []}},
            acts: acts.map((act) => ({kind: act, day: today, at: noon, marks: warnings.map(nameOf)})), agreedAt: null,
            warnings,
            lastWarning: ended ? {day: later(today, -15), watchUntil: later(today, -1)} : null,
            checkedAt: checked ? noon : null, listMadeAt: checked ? noon : null, stops, now: noon,
            hasEvidence: evidence !== 'none', compared: evidence === 'compared',
            installedAt: noon, bluetooth: web ? null : {running, offSince: null}, clockOffBySeconds: 7200,
        };
        const app = {
            state, words, dates, isWeb: web, hotline: () => '115', t: (...given) => words.t(...given),
            n: (...given) => words.n(...given),
        };
        const journey = journeyOf(state, today, (seconds) => dates.day(seconds));
        return [journey.name, [titleOf(app, journey), ...stateTexts(app, journey)].join(' ')];
    });
    return {said, states: STATES.map(({name}) => name)};
}"""
# What only one state may say, in each language: that nothing was found; and that Bluetooth works.
NOTHING_FOUND = {"vi": "chưa phát hiện nguy cơ", "en": "no risk found", "zh": "未发现风险"}
RUNNING = {"vi": "đang chạy", "en": "running", "zh": "正在运行"}
# What no state says.
FREE = {
    "vi": ("được ra ngoài", "có thể ra ngoài", "hết nguy cơ", "đã khỏi bệnh", "bạn an toàn"),
    "en": ("may go out", "can go out", "you are safe", "no longer infectious"),
    "zh": ("可以外出", "您是安全的", "已经康复"),
}


@pytest.mark.parametrize("web", [True, False], ids=["web", "handset"])
def test_every_state_says_in_every_language_what_its_evidence_is_and_no_more(chromium, served, web):
    """The table of states, evidence and words: each state that exists, in the words that its owner reads."""
    page = chromium.new_context().new_page()
    page.goto(served.url + "/blank")
    warned = [("venue" if web else "near", level) for level in (None, "low", "high")]
    acts = ([], ["tested"], ["negative"], ["positive"])
    rows = [
        (*warning, *row)
        for warning in warned
        for row in itertools.product(
            acts, ([], ["B1"], ["B2"], ["B3"]), (False, True), ("none", "kept", "compared"), (False, True)
        )
    ]
    for code in ("vi", "en", "zh"):
        for running in (False, True):
            told = page.evaluate(SAYING, [code, web, running and not web, rows])
            found = set()
            for row, (name, text) in zip(rows, told["said"], strict=True):
                _, level, noted, stops, checked, evidence, _ = row
                text = plain(text).lower()
                found.add(name)
                assert "{" not in text, (code, row, text)
                assert not [phrase for phrase in FREE[code] if phrase in text], (code, row, text)
                if NOTHING_FOUND[code] in text:
                    assert (name, checked, evidence, level, stops) == ("A", True, "compared", None, []), (
                        code,
                        row,
                        text,
                    )
                    assert "positive" not in noted
                if RUNNING[code] in text:
                    assert running, (code, row, text)
                    assert not web
                if name in ("negative", "waiting", "positive", "D", "watch", "C"):
                    assert any(sign.isdigit() for sign in text), f"{name} names no day: {text}"
            # A day is watched that is longer ago than one stays at home: the table above has it.
            assert found | {"watch"} == set(told["states"])
    page.context.close()


def test_every_state_has_words_in_every_language_and_none_lets_anybody_out(chromium, served):
    page = chromium.new_context().new_page()
    page.goto(served.url + "/blank")
    texts = page.evaluate(
        """async () => {
            const {Words, LANGUAGES} = await import('/app/words.js');
            const all = {};
            for (const code of LANGUAGES) all[code] = (await Words.load(code)).catalogue;
            return all;
        }"""
    )
    assert set(texts) == set(FREE)
    for code, catalogue in texts.items():
        said = {key: plain(text).lower() for key, text in catalogue.items() if not key.startswith("faq.")}
        for phrase in FREE[code]:
            # "Am I safe?" is asked in places; it is answered nowhere.
            assert [key for key, text in said.items() if phrase in text and f"{phrase}?" not in text] == [], phrase
    page.context.close()


def test_the_days_of_consent_are_told_as_they_are_lived(chromium, tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone = phones.new("patient")
        phone.check()
        phone.encounters.payload()
        world.pass_by(DAY)
        phone.check()
        phone.encounters.payload()
        onset = phone.time.today() - datetime.timedelta(days=1)
        code = server.key_server.codes.issue_code("confirmed", onset).code
        with open_face(chromium, phone) as face:
            face.go("/report")
            face.page.fill("#code", code)
            press(face, "form button[type=submit]")
            face.page.wait_for_selector("fieldset")
            labels = face.page.locator("fieldset .choice").all_inner_texts()

            days = [plain(label) for label in labels]
            assert days
            assert [label for label in days if "từ 07:00 đến 07:00 hôm sau" not in label] == []
            assert "Mã của máy đổi lúc 07:00 mỗi ngày" in face.text()
            assert_fit(face)


def test_a_handset_shows_the_fourteen_days_and_how_certain_it_is_and_its_patient_is_not_green(chromium, tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        meet_phone(near, patient, 25, world=world)
        reported_by_phone(patient, server)
        publish_reports(server, world)
        for phone in (patient, near):
            phone.check()
        with open_face(chromium, near) as face:
            assert face.page.get_attribute("[data-state]", "data-state") in ("C", "D")
            assert "trên 3" in face.page.get_attribute(".gauge [role=img]", "aria-label")
            (warning,) = near.risk.warnings()
            days = [plain(text) for text in face.page.locator(".strip .sr").all_text_contents()]
            assert len(days) == 14
            (risky,) = [told for told in days if "có nguy cơ" in told]
            assert f"{warning.day.day}/{warning.day.month}/{warning.day.year}" in risky
            assert "mã ngẫu nhiên" in risky
            assert_fit(face)
        with open_face(chromium, patient) as face:
            assert face.page.get_attribute("[data-state]", "data-state") == "positive"
            assert "ok" not in card(face)
            assert_fit(face)
