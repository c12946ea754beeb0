# SPDX-License-Identifier: Apache-2.0
"""Row 17: a server that signs one person's certificate with a key of its own marks that person's upload."""

import datetime
import struct

import pytest
from tests.builders.handset import city_with_phones, report_patient

from bluezone.handset.city.publiclog import WeekKeyUntrusted
from bluezone.protocol.blindrsa import InvalidBlindSignature, blind_sign, generate


def uploads(server) -> int:
    return sum(path == "/v1/upload" for path, _ in server.requests)


def issued(server, phone) -> str:
    return server.key_server.codes.issue_code("confirmed", phone.time.today() - datetime.timedelta(days=1)).code


@pytest.mark.parametrize("kid", [0, 999, 65_535])
def test_row_17_the_phone_chooses_the_key_whatever_the_server_names(tmp_path, kid):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient = phones.new("patient")
        patient.encounters.payload()
        code = issued(server, patient)
        server.tamper = lambda path, body: (
            body[:3] + struct.pack(">H", kid) + body[5:] if path == "/v1/verify" and body[2] else body
        )
        draft = patient.report.prepare_draft(code)
        (named,) = [
            key.kid
            for key in patient.city.current.week_keys
            if key.purpose == "upload" and key.klass == 1 and key.use_from <= world.now
        ]
        assert draft.kid == named


def test_row_17_a_key_of_another_class_or_purpose_is_refused(tmp_path):
    with city_with_phones(tmp_path) as (_, phones, world):
        patient = phones.new("patient")
        patient.encounters.payload()
        patient.check()
        for key in patient.city.current.week_keys:
            if key.purpose == "upload" and key.klass == 1 and key.use_from <= world.now:
                assert patient.city.require_trusted(key.kid, 1, world.now) == key
            else:
                with pytest.raises(WeekKeyUntrusted):
                    patient.city.require_trusted(key.kid, 1, world.now)


def test_row_17_a_signature_of_another_key_under_the_right_number_is_noticed_and_nothing_is_uploaded(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        patient, tagging = phones.new("patient"), generate()
        patient.encounters.payload()
        code = issued(server, patient)
        answers = iter([False, True])

        def tamper(path: str, body: bytes) -> bytes:
            if path != "/v1/verify" or not next(answers, False):
                return body
            return body[:4] + blind_sign(tagging, bytes(255) + b"\x05") + body[260:]

        server.tamper = tamper
        with pytest.raises(InvalidBlindSignature):
            patient.report.prepare_and_submit(code, consent=True)
        assert uploads(server) == 0
        server.tamper = lambda path, body: body
        patient.make_due_calls()
        assert uploads(server) == 1


def test_row_17_an_honest_server_gets_its_upload(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        patient = phones.new("patient")
        patient.encounters.payload()
        report_patient(patient, server)
        assert uploads(server) == 1
