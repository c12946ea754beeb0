# SPDX-License-Identifier: Apache-2.0
"""Taking a letter in."""

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pyhanko.pdf_utils import reader as pyhanko_reader
from tests.builders.directives import LETTER
from tests.letters.signedpdfs import letter, signed

from bluezone.rollout.directives.models import Directive


@pytest.fixture
def parses(monkeypatch):
    """How often each of the two readers of PDF was started on a file, whoever started it."""
    counted = {"pypdf": 0, "pyhanko": 0}

    def counting(name, kind):
        start = kind.__init__

        def counted_start(*args, **options):
            counted[name] += 1
            start(*args, **options)

        monkeypatch.setattr(kind, "__init__", counted_start)

    counting("pypdf", pypdf.PdfReader)
    counting("pyhanko", pyhanko_reader.PdfFileReader)
    return counted


def test_a_signed_pdf_is_parsed_once_for_all_that_is_asked_of_it(client, committee, clerk, parses):
    client.force_login(clerk)
    data = signed(letter(LETTER))
    parses.update(pypdf=0, pyhanko=0)
    sent = {"issuer": committee.pk, "file": SimpleUploadedFile("cv.pdf", data)}

    assert client.post("/directives/new/", sent).status_code == 302

    directive = Directive.objects.get()
    assert parses == {"pypdf": 1, "pyhanko": 1}
    assert directive.text
    assert [one["state"] for one in directive.original.signatures] == ["whole"]
