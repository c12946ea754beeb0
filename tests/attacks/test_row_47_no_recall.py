# SPDX-License-Identifier: Apache-2.0
"""Row 47, residual: a wrong report cannot be recalled. Whoever consents is told so first, and docs/privacy.md says it.

The page is held to it in tests/browser/test_face_rows.py.
"""

import contextlib
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.builders.handset import city_with_phones, meet_phone, publish_reports

from bluezone.cli.handset import report_in_dialogue
from bluezone.keyserver.codes import issued_codes

PRIVACY = Path(__file__).parents[2] / "docs" / "privacy.md"


def issued(server, patient):
    """A code for somebody whose phone has been on today."""
    patient.encounters.payload()
    return server.key_server.codes.issue_code("confirmed", patient.time.today()).code


def test_row_47_the_command_says_so_before_it_asks_and_sends_nothing_on_no(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("patient")
        code = issued(server, phone)

        @click.command()
        def ask():
            with contextlib.suppress(Exception):
                report_in_dialogue(phone, code, None, consent=False)

        said = CliRunner().invoke(ask, input="n\n").stderr

        assert 0 <= said.find("cannot be taken back once sent") < said.find("Agree and send?")
        assert server.key_server.codes.status(code) == "open"


@pytest.mark.long
def test_row_47_revoking_a_used_code_takes_no_key_back(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        meet_phone(near, patient, 25, world=world)
        code = issued(server, patient)
        patient.report.prepare_and_submit(code, consent=True)

        with pytest.raises(issued_codes.CodeAlreadyUsed, match="cannot be recalled"):
            server.key_server.codes.revoke_code(code)
        publish_reports(server, world)
        assert near.check().level == "high"


def test_row_47_privacy_says_so():
    text = re.sub(r"[\s*]+", " ", PRIVACY.read_text())

    assert "A report cannot be recalled." in text
    assert "The consent screen says so before anything is sent (47, residual)" in text
