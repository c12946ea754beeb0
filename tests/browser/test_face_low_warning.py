# SPDX-License-Identifier: Apache-2.0
"""A low warning keeps its owner apart from no one: on home, on its own page, and in what the phone hands out."""

import pytest
from tests.builders.face import PHO, assert_fit, open_face
from tests.builders.handset import city_with_phones, meet_both_ways, meet_phone, publish_reports, report_patient
from tests.builders.keyserver import HOUR
from tests.builders.webedition import web_city

pytestmark = pytest.mark.browser

MINUTE = 60
APART = {
    "vi": ("Ở nguyên", "ở riêng", "phòng riêng", "không đến nơi đông người", "trước khi đến nơi đông người"),
    "en": ("Stay where", "Stay at home", "separate room", "solate", "keep away from crowds", "before you meet"),
}
ASKED = {
    "vi": ("Đeo khẩu trang", "Theo dõi sức khỏe", "Gọi trạm y tế", "cần xét nghiệm"),
    "en": ("Wear a mask", "Watch your health", "Call the health station", "be tested"),
}
TODAY = {
    "vi": ("Đeo khẩu trang", "Nếu thấy không khỏe, nhớ đã ngồi gần ai lâu, hoặc thấy lo: gọi trạm y tế"),
    "en": (
        "Wear a mask",
        "If you feel unwell, remember sitting near someone for a long time, or are worried, call the health",
    ),
}


def far_away(server, phones, world):
    """Half an hour at three metres or so."""
    patient, near = phones.new("patient"), phones.new("near")
    meet_phone(near, patient, 30, world=world, rssi_dbm=-86)
    report_patient(patient, server)
    publish_reports(server, world)
    return near


def heard_differently(server, phones, world):
    """An hour in which the two phones heard each other very differently."""
    patient, near = phones.new("patient"), phones.new("near")
    meet_both_ways(near, patient, 60, world=world, told_dbm=-100)
    report_patient(patient, server)
    publish_reports(server, world)
    return near


def at_one_place(server, phones, world):
    """Half a minute more than ten at the place of a patient who has no test yet."""
    venue = server.key_server.registrar.register_venue("dk-1", PHO)
    patient, near = phones.new("patient"), phones.new("near")
    for phone in (patient, near):
        phone.check()
        phone.stays.check_in(venue.link, remember=True)
    world.pass_by(10.5 * MINUTE)
    for phone in (patient, near):
        (visit,) = phone.stays.all()
        phone.stays.check_out(visit.id)
    world.pass_by(HOUR)
    code = server.key_server.codes.issue_code("clinical", patient.time.today()).code
    draft = patient.report.prepare_draft(code)
    patient.report.submit_report(draft, [], [patient.stays.all()[0].id], consent=True)
    world.pass_by(HOUR)
    server.key_server.tick()
    return near


@pytest.mark.parametrize(
    ("meeting", "certainty"), [(far_away, "unlikely"), (heard_differently, "unclear"), (at_one_place, "unclear")]
)
def test_a_low_warning_asks_to_watch_and_to_mask_and_to_stay_apart_from_no_one(
    chromium, tmp_path, meeting, certainty
):  # fmt: skip
    with city_with_phones(tmp_path) as city:
        near = meeting(*city)
        near.check()
        (warning,) = near.risk.warnings()
        assert (warning.level, warning.certainty) == ("low", certainty)
        for language in ("vi", "en"):
            with open_face(chromium, near, language=language) as face:
                face.page.wait_for_selector("[data-state=C]")
                face.page.screenshot(path=tmp_path / f"home-{language}.png", full_page=True)
                home = face.text()
                face.go(f"/warning/{warning.id}")
                assert_fit(face)
                face.page.screenshot(path=tmp_path / f"warning-{language}.png", full_page=True)
                page = face.text()
            handed_out = "\n".join(warning.texts[language].values())
            for text in (home, page, handed_out):
                assert not [words for words in APART[language] if words.lower() in text.lower()], text
            for words in ASKED[language]:
                assert words.lower() in page.lower()
                assert words.lower() in handed_out.lower()
            for words in TODAY[language]:
                assert words in home
                assert words in page


# The steps of a low and of a high warning, by kind, where the signed texts have none for low.
STEPS = """async ([code, texts]) => {
    const {Words} = await import('/app/words.js');
    const {warningText} = await import('/app/telling.js');
    const words = await Words.load(code);
    const app = {
        state: {city: {texts}}, words, dates: {full: (day) => day}, hotline: () => '115',
        t: (...given) => words.t(...given),
    };
    const steps = (kind, level) => ['step_1', 'step_2', 'step_3'].map(
        (name) => warningText(app, {kind, level, certainty: 'likely', day: '1', watchUntil: '2'}, name));
    return {low: [...steps('near', 'low'), ...steps('venue', 'low')], high: steps('near', 'high')};
}"""


@pytest.mark.parametrize("language", ["vi", "en", "zh"])
def test_a_city_without_words_for_low_gets_those_of_the_phone(chromium, tmp_path, language):
    texts = {f"step_{number}": "Stay apart." for number in (1, 2, 3)}
    with web_city(tmp_path) as city:
        page = chromium.new_context().new_page()
        page.goto(city.url + "/blank")
        steps = page.evaluate(STEPS, [language, texts])
        page.context.close()

    assert steps["high"] == ["**Stay apart.**"] * 3
    assert len(steps["low"]) == 6
    assert not [step for step in steps["low"] if "apart" in step or "{" in step]
