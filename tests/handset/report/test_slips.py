# SPDX-License-Identifier: Apache-2.0
"""Reporting with a slip of a code book: over real HTTP, with the signer that alone knows the slips."""

import datetime
import shutil

import pytest
from tests.builders.codebooks import BookMaker, city_with_books
from tests.builders.handset import PhoneClock, city_with_phones, publish_reports, remove_random_keys

from bluezone.handset.client import ServerAnswerRefused
from bluezone.handset.report.report import CodeUsedOrExpired, CodeWrong, NothingToReport, OnsetImpossible, OnsetMissing
from bluezone.keyserver.signer.client import Operation
from bluezone.keyserver.signer.daemon import Daemon
from bluezone.keyserver.signer.record import FILE_NAME
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import InvalidCode
from bluezone.protocol.upload.slips import format_slip

DAY = 86_400
CLINIC = "Trạm y tế Phùng Chí Kiên"


@pytest.fixture
def city(tmp_path):
    with city_with_books(tmp_path) as made:
        yield made


@pytest.fixture
def book(city):
    return city.registered()


def new_patient(city, name="patient"):
    """A phone that broadcast on each of the last three days."""
    remove_random_keys(city.served)
    phone = city.phones.new(name, PhoneClock(city.world, city.world.now - 20 * DAY))
    for _ in range(2):
        phone.encounters.payload()
        city.world.pass_by(DAY)
    phone.encounters.payload()
    city.served.key_server.tick()
    return phone


@pytest.fixture
def patient(city, book):
    return new_patient(city)


def onset(phone, days_ago=1):
    return phone.time.today() - datetime.timedelta(days=days_ago)


def send(phone, text, days_ago=1):
    return phone.report.prepare_and_submit(text, onset=onset(phone, days_ago), consent=True)


def exported_keys(city):
    files = (city.folder / "exports").glob("*.zip")
    return {key.key for path in files for key in read_export(path.read_bytes()).keys}


def posted(city):
    return [(path, size) for path, size in city.served.requests if size]


@pytest.mark.parametrize("form", ["digits", "link"])
def test_a_slip_becomes_a_report_that_is_exported_and_the_server_sees_the_calls_of_any_report(
    city, patient, book, form
):
    printed = book.slips[CLINIC][0]
    text = format_slip(printed.digits) if form == "digits" else printed.slip.link("https://bluezone.vn")

    sent = patient.report.preview(patient.report.prepare_draft(text, onset(patient)), None).items
    city.served.requests.clear()

    outcome = send(patient, text)

    assert (outcome.state, outcome.keys) == ("sent", 3)
    assert posted(city) == [("/v1/verify", 1024), ("/v1/verify", 1024), ("/v1/upload", 4096)]
    publish_reports(city.served, city.world)
    assert {bytes.fromhex(item.hex)[:16] for item in sent} <= exported_keys(city)
    assert city.served.key_server.codes_store.read("SELECT count(*) FROM credential WHERE state = 1") == [(0,)]


def test_the_class_is_the_slips(city, patient, book):
    clinical = next(each for each in book.slips[CLINIC] if each.slip.klass == 2)

    draft = patient.report.prepare_draft(clinical.digits, onset(patient))

    assert draft.klass == 2
    assert city.served.key_server.secrets.week_keys.find_key(draft.kid).klass == 2


def test_a_slip_needs_a_day_of_onset_that_is_possible(city, patient, book):
    digits = book.slips[CLINIC][0].digits
    with pytest.raises(OnsetMissing):
        patient.report.prepare_draft(digits)
    with pytest.raises(OnsetImpossible):
        patient.report.prepare_draft(digits, onset(patient, -1))
    with pytest.raises(OnsetImpossible):
        patient.report.prepare_draft(digits, onset(patient, 15))
    with pytest.raises(InvalidCode):
        patient.report.prepare_draft(f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}", onset(patient))
    assert posted(city) == []


def test_nothing_to_send_asks_the_server_nothing_and_keeps_the_slip(city, patient, book):
    with pytest.raises(NothingToReport):
        send(city.phones.new("silent"), book.slips[CLINIC][0].digits)
    assert posted(city) == []


def test_a_slip_is_used_once_by_whichever_of_its_two_forms(city, patient, book):
    printed = book.slips[CLINIC][0]
    send(patient, printed.digits)

    with pytest.raises(CodeUsedOrExpired):
        send(new_patient(city, "second"), printed.slip.link("https://bluezone.vn"))


def test_a_slip_that_no_book_has_is_refused_and_counts_as_a_guess(city, patient, book):
    stranger = city.maker.make(city.world.now).slips[CLINIC][0]
    answers = []

    def note_status(path, body):
        if path == "/v1/verify":
            answers.append(body[1])
        return body

    city.served.tamper = note_status

    for _ in range(6):
        with pytest.raises(CodeWrong):
            send(patient, stranger.digits)

    # The rehearsal's call before each counts, too: of a network's ten tries an hour none is left after five.
    assert answers.index(Status.PUZZLE_REQUIRED) == 10


def test_a_revoked_slip_and_a_revoked_book_are_refused(city, patient, book):
    first, second = book.slips[CLINIC][:2]
    request = city.signer.request_operation
    assert request(Operation.REVOKE_SLIPS, city.maker.revoke(book.list, first.slip)) == b"1"
    with pytest.raises(CodeWrong):
        send(patient, first.digits)

    request(Operation.REVOKE_SLIPS, city.maker.revoke(book.list))
    with pytest.raises(CodeWrong):
        send(patient, second.digits)


def test_a_book_ends_two_days_after_its_last_day(city, patient, book):
    first, second = book.slips[CLINIC][:2]
    city.world.now = book.list.ends - 600
    city.served.key_server.tick()
    patient.check()
    patient.encounters.payload()
    assert send(patient, first.digits).state == "sent"

    late = new_patient(city, "late")
    with pytest.raises(CodeUsedOrExpired):
        send(late, second.slip.link("https://bluezone.vn"))


def test_over_the_bound_of_the_day_a_phone_waits_and_tries_again(tmp_path):
    with city_with_books(tmp_path, slip_certificates_a_day=1) as city:
        book = city.registered()
        patient = new_patient(city)
        second = new_patient(city, "second")
        first_slip, second_slip, third_slip = book.slips[CLINIC]
        send(patient, first_slip.digits)

        outcome = send(second, second_slip.digits)

        assert outcome.state == "later"
        assert city.world.now + 1800 <= outcome.upload_at <= city.world.now + 5400
        assert second.next_call_at() <= outcome.upload_at
        # The answer does not show whether a slip was used.
        third = new_patient(city, "third")
        city.world.now += DAY
        assert second.report.advance().state == "sent"
        assert send(third, first_slip.digits).state == "later"
        assert third_slip.slip.klass == 2


class KilledSigner(Daemon):
    """A signer that dies between the mark of a slip and the answer, once."""

    dies = True

    def _do(self, what, body):
        answer = super()._do(what, body)
        if what is Operation.SLIP and KilledSigner.dies and len(answer) > 1:
            KilledSigner.dies = False
            raise OSError(5, "killed")
        return answer


def test_a_signer_killed_between_mark_and_answer_gives_the_same_patient_the_certificate_afterwards(tmp_path):
    KilledSigner.dies = True
    with city_with_books(tmp_path, KilledSigner) as city:
        book = city.registered()
        patient = new_patient(city)
        digits = book.slips[CLINIC][0].digits
        with pytest.raises(ServerAnswerRefused):
            send(patient, digits)
        assert not KilledSigner.dies
        assert any(next(city.books.glob("*.marks")).read_bytes()), "the slip is marked"

        assert patient.report.advance().state == "sent"

        with pytest.raises(CodeUsedOrExpired):
            send(new_patient(city, "second"), digits)


def test_a_signer_restored_from_an_old_copy_ends_its_open_books_and_the_reserve_takes_their_place(city, patient, book):
    signer_folder = city.books.parent
    copy = signer_folder.with_name("copy")
    shutil.copytree(signer_folder, copy, ignore=shutil.ignore_patterns("*.sock"))
    used, unused = book.slips[CLINIC][:2]
    send(patient, used.digits)
    # The next index is signed and published.
    city.world.pass_by(7200)
    city.served.key_server.tick()

    # The operator puts the folder of before in place; the record is read again by its next turn in a new process.
    city.stop_signer.close()
    shutil.rmtree(signer_folder)
    shutil.copytree(copy, signer_folder)
    city.start_signer()

    city.world.pass_by(7200)
    city.served.key_server.tick()
    for digits in (used.digits, unused.digits):
        with pytest.raises(CodeWrong):
            send(new_patient(city, digits), digits)

    reserve = city.registered(part=1)
    assert send(new_patient(city, "third"), reserve.slips[CLINIC][0].digits).state == "sent"
    assert (signer_folder / FILE_NAME).exists()


def test_without_a_signer_there_are_no_books(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        maker = BookMaker(server.key_server.secrets.city_key)
        phone = phones.new("patient", PhoneClock(world, world.now - 20 * DAY))
        phone.encounters.payload()
        world.pass_by(DAY)

        with pytest.raises(CodeWrong):
            send(phone, maker.make(world.now).slips[CLINIC][0].digits)


def test_while_the_signer_is_away_a_report_waits(city, patient, book):
    city.stop_signer.close()
    with pytest.raises(ServerAnswerRefused):
        send(patient, book.slips[CLINIC][0].digits)

    city.start_signer()
    assert patient.report.advance().state == "sent"


def test_an_ordinary_week_with_new_week_keys_and_restarts_of_the_signer_ends_no_book(city, patient, book):
    for _ in range(7):
        city.world.pass_by(DAY)
        city.served.key_server.tick()
        city.stop_signer.close()
        city.start_signer()
    patient.check()
    patient.encounters.payload()

    assert send(patient, book.slips[CLINIC][0].digits).state == "sent"
