# SPDX-License-Identifier: Apache-2.0
"""Connecting a device with a one-time code."""

import datetime
import re

import pytest
from django.db import IntegrityError, connection, transaction
from tests.builders.devices import NETWORK, NOW, connected_device, device

from bluezone.audit import hash_chain
from bluezone.devices import enrolment
from bluezone.devices.models import Device, DeviceState, EnrolmentFailure
from bluezone.devices.refusals import PuzzleRequired
from bluezone.identity.models import AuditEntry
from bluezone.protocol.upload.codes import InvalidCode, new_code
from bluezone.protocol.upload.puzzle import solve_for_header

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


def some_code(number=5):
    return new_code(lambda _: number)


def test_a_code_connects_one_device_once(keeper):
    made, code = device(keeper)
    assert re.fullmatch(r"\d{3}-\d{3}-\d{3}-\d{3}", code)
    assert made.state(NOW) == DeviceState.WAITING

    enrolled = enrolment.enrol_device(code.replace("-", " "), NETWORK, NOW + HOUR)

    assert enrolled.device.pk == made.pk
    made.refresh_from_db()
    assert made.state(NOW + HOUR) == DeviceState.CONNECTED
    with pytest.raises(enrolment.EnrolmentCodeInvalid) as refused:
        enrolment.enrol_device(code, NETWORK, NOW + HOUR)
    assert refused.value.code == "enrolment_code_invalid"


def test_neither_code_nor_token_is_in_the_store(keeper):
    made, code = device(keeper)
    enrolled = enrolment.enrol_device(code, NETWORK, NOW)
    made.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM devices_device")
        stored = str(cursor.fetchall()) + str(list(AuditEntry.objects.values()))

    assert code.replace("-", "") not in stored
    assert enrolled.token not in stored
    assert enrolled.token not in repr(enrolled)
    assert made.token_digest == enrolment.token_digest(enrolled.token)


def test_a_code_works_for_a_day(keeper):
    made, code = device(keeper)
    late = NOW + enrolment.CODE_LIFE

    assert made.state(late) == DeviceState.LAPSED
    with pytest.raises(enrolment.EnrolmentCodeInvalid):
        enrolment.enrol_device(code, NETWORK, late)
    assert enrolment.enrol_device(code, "198.51.100.1", late - datetime.timedelta(seconds=1)).device == made


def test_a_new_code_replaces_the_one_before(keeper):
    made, first = device(keeper)
    second = enrolment.issue_enrolment_code("admin", made, NOW)

    with pytest.raises(enrolment.EnrolmentCodeInvalid):
        enrolment.enrol_device(first, NETWORK, NOW)
    assert enrolment.enrol_device(second, NETWORK, NOW).device == made


def test_a_token_works_until_the_new_code_is_used(keeper):
    made, token = connected_device(keeper)
    code = enrolment.issue_enrolment_code("admin", made, NOW)
    assert Device.objects.filter(token_digest=enrolment.token_digest(token)).exists()

    fresh = enrolment.enrol_device(code, NETWORK, NOW).token

    assert list(Device.objects.values_list("token_digest", flat=True)) == [enrolment.token_digest(fresh)]


def test_a_device_that_is_cut_off_has_neither_token_nor_code_and_gets_none(keeper):
    made, _ = connected_device(keeper)
    code = enrolment.issue_enrolment_code("admin", made, NOW)
    enrolment.revoke_device("admin", made, NOW + HOUR)
    enrolment.revoke_device("admin", made, NOW + 2 * HOUR)
    made.refresh_from_db()

    assert (made.token_digest, made.code_digest, made.revoked_at) == (None, None, NOW + HOUR)
    assert made.state(NOW + HOUR) == DeviceState.REVOKED
    with pytest.raises(enrolment.EnrolmentCodeInvalid):
        enrolment.enrol_device(code, NETWORK, NOW + HOUR)
    with pytest.raises(enrolment.DeviceRevoked) as refused:
        enrolment.issue_enrolment_code("admin", made, NOW + HOUR)
    assert refused.value.code == "device_revoked"


def test_after_ten_wrong_codes_an_hour_that_network_solves_a_puzzle_and_no_other(keeper):
    _, code = device(keeper)
    for number in range(enrolment.FAILURES_A_NETWORK):
        with pytest.raises(enrolment.EnrolmentCodeInvalid):
            enrolment.enrol_device(some_code(number), NETWORK, NOW)

    with pytest.raises(PuzzleRequired) as asked:
        enrolment.enrol_device(code, NETWORK, NOW)
    with pytest.raises(enrolment.EnrolmentCodeInvalid):
        enrolment.enrol_device(some_code(99), "198.51.100.1", NOW)
    assert enrolment.enrol_device(code, NETWORK, NOW, solve_for_header(asked.value.challenge))


def test_the_puzzles_end_after_an_hour(keeper):
    _, code = device(keeper)
    for number in range(enrolment.FAILURES_A_NETWORK):
        with pytest.raises(enrolment.EnrolmentCodeInvalid):
            enrolment.enrol_device(some_code(number), NETWORK, NOW)

    assert enrolment.enrol_device(code, NETWORK, NOW + enrolment.WINDOW)
    assert not EnrolmentFailure.objects.exists()


def test_a_mistyped_code_is_not_counted(keeper):
    with pytest.raises(InvalidCode):
        enrolment.enrol_device("123-456-789-013", NETWORK, NOW)

    assert not EnrolmentFailure.objects.exists()


def test_the_network_of_a_wrong_code_cannot_be_read_back_and_is_forgotten():
    with pytest.raises(enrolment.EnrolmentCodeInvalid):
        enrolment.enrol_device(some_code(), NETWORK, NOW)
    assert NETWORK not in str(list(EnrolmentFailure.objects.values()))

    enrolment.purge(NOW + enrolment.WINDOW)

    assert not EnrolmentFailure.objects.exists()


def test_every_act_is_in_the_audit_by_the_number_of_the_device(keeper):
    made, _ = connected_device(keeper)
    enrolment.revoke_device("mai", made, NOW)

    acts = list(AuditEntry.objects.values_list("actor", "action", "subject"))
    assert acts == [
        ("admin", "device_made", str(made.pk)),
        ("admin", "device_code_made", str(made.pk)),
        (f"device {made.pk}", "device_enrolled", str(made.pk)),
        ("mai", "device_revoked", str(made.pk)),
    ]
    assert hash_chain.verify_chain().broken_at is None


def test_the_store_itself_keeps_a_revoked_device_without_a_key(keeper):
    made, _ = connected_device(keeper)

    with pytest.raises(IntegrityError), transaction.atomic():
        Device.objects.filter(pk=made.pk).update(revoked_at=NOW)


def test_a_name_is_free_again_when_its_device_is_cut_off(keeper):
    made, _ = device(keeper)
    with pytest.raises(IntegrityError), transaction.atomic():
        device(keeper)

    enrolment.revoke_device("admin", made, NOW)

    assert device(keeper)
