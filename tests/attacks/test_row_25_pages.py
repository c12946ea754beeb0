# SPDX-License-Identifier: Apache-2.0
"""Row 25: the pages of the public origin ask for no visit and tell of none, and no printed code names anybody."""

import re

import pytest
from tests.builders.office import data_folder, furnished_folder, quick_passwords

from bluezone.identity.audiences import every_route
from bluezone.paper import pdf
from bluezone.paper.phrases import facts
from bluezone.portal.materials import MATERIALS

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
VISITS = re.compile(r"visit|check-?in|history|diary|presence|whereabouts|location|movement", re.IGNORECASE)


def test_row_25_no_page_of_the_public_origin_takes_or_tells_visits():
    addresses = [address for address, _who in every_route("bluezone.web.urls_public")]

    assert "/help/" in addresses, "the routes inside the included files are looked at"
    assert [address for address in addresses if VISITS.search(address)] == []


@pytest.mark.long
@pytest.mark.parametrize("language", ["vi", "en"])
def test_row_25_every_printed_code_is_the_one_link_that_everybody_gets(language, monkeypatch):
    drawn = []
    real = pdf.qr
    monkeypatch.setattr(pdf, "qr", lambda text: drawn.append(text) or real(text))
    for material in MATERIALS:
        if material.ending == "pdf":
            material.make(facts(language))

    assert set(drawn) == {"http://localhost:8000/k"}
    assert len(drawn) == 5
