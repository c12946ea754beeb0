# SPDX-License-Identifier: Apache-2.0
"""Reporting: consent, choice of days, and a report that survives whatever happens."""

import datetime

import pytest
from tests.builders.handset import PhoneClock, city_with_phones, publish_reports, remove_random_keys

from bluezone.handset.city.publiclog import WeekKeyUntrusted
from bluezone.handset.client import ServerAnswerRefused
from bluezone.handset.page.shapes import report_of, state_of
from bluezone.handset.report.report import (
    CodeUsedOrExpired,
    CodeWrong,
    ConsentMissing,
    NothingToReport,
    ReportPending,
    ReportRefused,
)
from bluezone.keyserver.codes import issued_codes
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.upload import Status, UploadAnswer
from bluezone.protocol.upload.codes import damm_digit, format_code

DAY = 86_400


class Interrupted(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


@pytest.fixture
def patient(phones, server, world):
    """A phone that broadcast on each of the last five days."""
    remove_random_keys(server)
    phone = phones.new("patient", PhoneClock(world, world.now - 20 * DAY))
    for _ in range(5):
        phone.encounters.payload()
        world.pass_by(DAY)
    phone.encounters.payload()
    server.key_server.tick()
    return phone


def issue(server, phone, *, days_ago: int = 2, klass: str = "confirmed") -> issued_codes.IssuedCode:
    return server.key_server.codes.issue_code(klass, phone.time.today() - datetime.timedelta(days=days_ago))


def posted(server) -> list[str]:
    return [path for path, size in server.requests if size]


def stored_keys(server) -> int:
    return server.key_server.keys_store.read("SELECT count(*) FROM known_key")[0][0]


def test_without_consent_nothing_is_sent_but_the_code_and_the_code_stays_usable(server, patient):
    code = issue(server, patient).code
    with pytest.raises(ConsentMissing):
        patient.report.prepare_and_submit(code)
    assert posted(server) == ["/v1/verify"]
    assert server.key_server.codes.status(code) == "open"
    assert [(sent.kind, sent.outcome) for sent in patient.sent_log.all()] == [("code_checked", "accepted")]


def test_the_draft_shows_exactly_the_days_and_levels_that_are_sent(server, patient, world):
    draft = patient.report.prepare_draft(issue(server, patient).code)
    today = int(world.now // DAY)
    assert draft.days == tuple(range(today - 5, today + 1))
    assert [level for _, level in draft.keys] == [1, 2, 2, 2, 2, 2]
    outcome = patient.report.submit_report(draft, [today - 1, today - 2], consent=True)
    assert outcome.keys == 2
    assert patient.sent_log.all()[-1].days == (today - 2, today - 1)


def test_the_request_is_three_calls_of_fixed_size_each_on_its_own_connection(server, patient):
    patient.check()
    server.requests.clear()
    patient.report.prepare_and_submit(issue(server, patient).code, consent=True)
    assert server.requests == [("/v1/verify", 1024), ("/v1/verify", 1024), ("/v1/upload", 4096)]


@pytest.mark.long
def test_after_the_upload_today_s_key_is_replaced_at_once_by_one_that_is_never_uploaded(server, patient, world):
    rotated = []
    patient.report.on_rekeyed = lambda: rotated.append(True)
    before = patient.encounters.payload()
    patient.report.prepare_and_submit(issue(server, patient).code, consent=True)
    after = patient.encounters.payload()
    assert rotated == [True]
    assert after != before
    assert patient.encounters.payload() == after
    with pytest.raises(NothingToReport):
        patient.report.prepare_draft(issue(server, patient).code)
    world.pass_by(DAY)
    patient.encounters.payload()
    assert len(patient.report.prepare_draft(issue(server, patient).code).days) == 1


def test_a_report_without_today_leaves_today_s_key_on_the_air(server, patient, world):
    before, today = patient.encounters.payload(), int(world.now // DAY)
    patient.report.submit_report(
        patient.report.prepare_draft(issue(server, patient).code), [today - 1, today - 2], consent=True
    )

    assert patient.encounters.payload() == before
    assert patient.report.prepare_draft(issue(server, patient).code).days == (today - 5, today - 4, today - 3, today)


@pytest.mark.long
def test_a_phone_that_was_away_too_long_learns_the_week_keys_by_trying_and_reports_two_weeks_later(
    phones, server, world
):
    phone = phones.new("phone")
    phone.check()

    def report_after(weeks):
        for _ in range(weeks):
            world.pass_by(7 * DAY)
            server.key_server.tick()
        phone.encounters.payload()
        return phone.report.prepare_draft(issue(server, phone).code)

    with pytest.raises(WeekKeyUntrusted):
        report_after(5)
    assert report_after(2).days == (int(world.now // DAY),)


@pytest.mark.long
def test_today_s_key_goes_with_its_full_period_and_is_published_after_its_day(server, patient, world):
    draft = patient.report.prepare_draft(issue(server, patient).code)
    patient.report.submit_report(draft, None, consent=True)
    today = int(world.now // DAY)
    (key,) = (key.key for key, _ in draft.keys if key.day == today)
    publish_reports(server, world)
    patient.check()
    name = [path for path, _ in server.requests if path.endswith(".zip")]
    exported = {
        entry.key: (entry.start, entry.period)
        for path in name
        for entry in read_export((server.key_server.data_dir / path.removeprefix("/v1/")).read_bytes()).keys
    }
    assert exported[key] == (today * 144, 144)


@pytest.mark.long
@pytest.mark.parametrize("stop_before", ["redeem_code", "upload"])
@pytest.mark.parametrize("arrived", [True, False])
def test_a_report_killed_in_the_middle_is_completed_with_the_same_code(
    phones, server, patient, world, stop_before, arrived, monkeypatch
):
    code, clock = issue(server, patient).code, patient.clock
    draft = patient.report.prepare_draft(code)
    plays = patient.report._calls
    genuine = getattr(plays, stop_before)

    def interrupted(request):
        if arrived:
            genuine(request)
        raise Interrupted

    monkeypatch.setattr(plays, stop_before, interrupted)
    with pytest.raises(Interrupted):
        patient.report.submit_report(draft, None, consent=True)
    patient.store.close()
    phones.made.remove(patient)

    again = phones.new("patient", clock)
    again.make_due_calls()
    assert again.report.pending is None
    assert stored_keys(server) == 6
    assert again.sent_log.all()[-1].outcome == "accepted"
    assert server.key_server.codes.status(code) == "used"


def test_without_network_the_report_is_kept_and_goes_on_by_itself(server, patient):
    draft = patient.report.prepare_draft(issue(server, patient).code)
    server.down = True
    with pytest.raises(ServerAnswerRefused):
        patient.report.submit_report(draft, None, consent=True)
    assert patient.report.pending is not None
    server.down = False
    patient.make_due_calls()
    assert patient.report.pending is None
    assert [sent.outcome for sent in patient.sent_log.all()] == ["accepted", "not_reached", "accepted", "accepted"]


@pytest.mark.long
def test_between_certificate_and_upload_lies_a_random_wait_up_to_the_city_s_limit(tmp_path):
    waits = []
    for seed in range(12):
        (tmp_path / str(seed)).mkdir()
        with city_with_phones(tmp_path / str(seed), verify_to_upload_seconds=3600) as (server, phones, world):
            phone = phones.new(f"patient {seed}")
            phone.encounters.payload()
            outcome = phone.report.prepare_and_submit(issue(server, phone, days_ago=1).code, consent=True)
            assert outcome.state == "waiting"
            assert "/v1/upload" not in posted(server)
            with pytest.raises(ReportPending):
                phone.report.prepare_draft("0000-0000-0000")
            waits.append(outcome.upload_at - world.now)
            world.pass_by(waits[-1] + 1)
            phone.make_due_calls()
            assert posted(server)[-1] == "/v1/upload"
    assert all(0 <= wait <= 3600 for wait in waits)
    assert max(waits) - min(waits) > 900


@pytest.mark.long
@pytest.mark.parametrize(("seconds_to_midnight", "oldest"), [(600, 13), (DAY / 2, 14)])
def test_a_key_that_grows_too_old_during_the_wait_is_left_out(tmp_path, seconds_to_midnight, oldest):
    with city_with_phones(tmp_path, verify_to_upload_seconds=3600) as (server, phones, world):
        remove_random_keys(server)
        phone = phones.new("patient", PhoneClock(world, world.now - 20 * DAY))
        for _ in range(15):
            phone.encounters.payload()
            world.pass_by(DAY)
        world.pass_by(DAY - world.now % DAY - seconds_to_midnight)
        phone.encounters.payload()
        server.key_server.tick()
        today = int(world.now // DAY)
        onset = datetime.date(1970, 1, 1) + datetime.timedelta(days=today - 11)
        draft = phone.report.prepare_draft(server.key_server.codes.issue_code("confirmed", onset).code)
        phone.report.submit_report(draft, None, consent=True)
        world.pass_by(3600)
        phone.make_due_calls()

        assert draft.days[0] == today - oldest
        assert phone.report.pending is None
        assert stored_keys(server) == len(draft.days)


@pytest.mark.long
def test_a_report_that_the_server_does_not_take_is_told_until_the_next_one(server, patient, monkeypatch):
    answer = UploadAnswer(status=Status.KEYS_REFUSED)
    monkeypatch.setattr(patient.report._calls, "upload", lambda request: answer)
    with pytest.raises(ReportRefused):
        patient.report.prepare_and_submit(issue(server, patient).code, consent=True)
    assert patient.report.pending is None
    assert state_of(patient, "vi", None)["notice"] == "report_refused"
    assert report_of(patient)["state"] == "refused"

    monkeypatch.undo()
    patient.report.prepare_and_submit(issue(server, patient).code, consent=True)
    assert state_of(patient, "vi", None)["notice"] is None
    assert report_of(patient)["state"] == "sent"


def test_puzzles_without_end_keep_the_report(server, patient, monkeypatch):
    monkeypatch.setattr("bluezone.handset.report.calls.solve_puzzle", lambda challenge: bytes(8))
    code = issue(server, patient).code
    server.tamper = lambda path, body: bytes([1, 6]) + body[2:] if path == "/v1/upload" else body
    with pytest.raises(ServerAnswerRefused):
        patient.report.prepare_and_submit(code, consent=True)

    server.tamper = lambda path, body: body
    patient.make_due_calls()
    assert patient.report.pending is None
    assert stored_keys(server) == 6


@pytest.mark.long
def test_a_wrong_code_and_a_used_one_have_their_own_refusals(server, patient):
    digits = "12345678901"
    with pytest.raises(CodeWrong):
        patient.report.prepare_and_submit(format_code(digits + damm_digit(digits)), consent=True)
    issued = issue(server, patient)
    server.key_server.codes.revoke_code(issued.code)
    with pytest.raises(CodeWrong):
        patient.report.prepare_and_submit(issued.code, consent=True)
    assert stored_keys(server) == 0


@pytest.mark.long
def test_an_expired_code_is_told_apart(server, patient, world):
    code = issue(server, patient).code
    world.pass_by(DAY + 1)
    with pytest.raises(CodeUsedOrExpired):
        patient.report.prepare_and_submit(code, consent=True)


@pytest.mark.long
def test_a_code_that_another_phone_used_is_refused_and_the_report_is_dropped(phones, server, patient):
    code = issue(server, patient).code
    other = phones.new("other")
    other.encounters.payload()
    other.report.prepare_and_submit(code, consent=True)
    with pytest.raises(CodeUsedOrExpired):
        patient.report.prepare_and_submit(code, consent=True)
    assert patient.report.pending is None


def test_a_code_for_an_onset_of_which_the_phone_has_no_days_is_not_used(phones, server):
    phone = phones.new("new")
    phone.encounters.payload()
    code = issue(server, phone, days_ago=15).code
    with pytest.raises(NothingToReport):
        phone.report.prepare_and_submit(code, consent=True)
    assert server.key_server.codes.status(code) == "open"


def test_leaving_out_every_day_does_not_use_the_code(server, patient):
    code = issue(server, patient).code
    with pytest.raises(NothingToReport):
        patient.report.prepare_and_submit(code, days=[], consent=True)
    assert server.key_server.codes.status(code) == "open"


@pytest.mark.long
def test_a_link_reports_as_well_as_digits(server, patient):
    assert patient.report.prepare_and_submit(issue(server, patient).link, consent=True).state == "sent"


@pytest.mark.long
def test_a_puzzle_is_solved_and_the_report_goes_through(server, patient, monkeypatch):
    digits = "12345678901"
    for _ in range(11):
        with pytest.raises(CodeWrong):
            patient.report.prepare_and_submit(format_code(digits + damm_digit(digits)), consent=True)
    assert patient.report.prepare_and_submit(issue(server, patient).code, consent=True).state == "sent"


@pytest.mark.long
def test_random_packets_follow_the_same_three_calls_and_are_counted_apart(phones, server, world):
    remove_random_keys(server)
    phone = phones.new("phone")
    phone.check()
    phone.make_due_calls()
    server.requests.clear()
    for _ in range(50):
        world.pass_by(DAY)
        server.key_server.tick()
        phone.make_due_calls()
    plays = phone.sent_log.random_packets
    assert 2 <= plays <= 22, "a Poisson number with mean 10"
    assert abs(server.requests.count(("/v1/verify", 1024)) - 2 * plays) <= 1
    assert abs(server.requests.count(("/v1/upload", 4096)) - plays) <= 1
    assert phone.sent_log.all() == []
    assert stored_keys(server) == 0


def test_between_the_first_two_calls_of_a_rehearsal_lies_the_time_in_which_an_owner_reads(phones, server, world):
    phone = phones.new("phone")
    phone.check()
    phone.store.put("next_chaff", world.now)
    called = []
    for seconds in (0, 14, 170, 1):
        world.pass_by(seconds)
        phone.make_due_calls()
        called.append(len(posted(server)))

    assert called == [1, 1, 2, 3]
    assert phone.next_call_at() is None


def test_the_time_of_the_next_random_packet_survives_a_restart(phones, world):
    clock = PhoneClock(world, world.now - DAY)
    phone = phones.new("phone", clock)
    phone.check()
    phone.make_due_calls()
    due = phone.store.get("next_chaff")
    phone.close()
    phones.made.remove(phone)
    again = phones.new("phone", clock)
    again.make_due_calls()
    assert again.store.get("next_chaff") == due


@pytest.mark.long
@pytest.mark.parametrize("weeks", [3, 5])
def test_a_phone_that_was_away_for_three_weeks_reports_and_for_five_after_its_owner_began_anew(
    phones, server, world, weeks
):
    phone = phones.new("phone")
    phone.check()
    for _ in range(weeks):
        world.pass_by(7 * DAY)
        server.key_server.tick()
    phone.encounters.payload()
    code = issue(server, phone).code
    if weeks > 3:
        with pytest.raises(WeekKeyUntrusted):
            phone.report.prepare_and_submit(code, consent=True)
        assert server.key_server.codes.status(code) == "open"
        (trusted,) = phone.city.trusted().values()
        phone.city.restart_history(trusted)
    assert phone.report.prepare_and_submit(code, consent=True).state == "sent"
