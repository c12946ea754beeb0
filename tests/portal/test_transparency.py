# SPDX-License-Identifier: Apache-2.0
"""What everybody can compare, and that it is what is served and what the documents say."""

import base64
import hashlib
import json
import re
import time
from pathlib import Path

import pytest
from django.utils.translation import override
from tests.builders.keyserver import exchange

from bluezone.portal.transparency import RETENTIONS
from bluezone.protocol.signed.index import chain_value, decode_index

pytestmark = pytest.mark.django_db
PRIVACY = Path(__file__).parents[2] / "docs" / "privacy.md"


def test_the_page_shows_the_hashes_of_what_phones_fetch(public, server):
    text = public.get("/transparency/").text
    indexes = [server.data_dir / "exports" / "index.json", server.data_dir / "venues" / "index.json"]
    for path in (server.configs.path(server.configs.newest_number()), *indexes):
        signed = json.loads(path.read_bytes())
        assert signed["kid"] in text
        assert hashlib.sha256(base64.b64decode(signed["payload"])).hexdigest() in text
    for path in indexes:
        index = decode_index(base64.b64decode(json.loads(path.read_bytes())["payload"]))
        assert chain_value(index, index.number).hex() in text

    assert server.secrets.signing_key.public_key().public_bytes_raw().hex() in text
    assert "0209 3870 000" in text


def test_counts_are_of_the_files_that_are_there(public, server):
    server.tick(time.time() + 3 * 86_400)
    index = decode_index(
        base64.b64decode(json.loads((server.data_dir / "exports" / "index.json").read_bytes())["payload"])
    )
    shown = re.findall(r'<b class="num">([^<]*)</b>', public.get("/transparency/").text)

    assert shown[0] == str(len(index.entries)) != "0"
    assert int(shown[1].replace(".", "")) > 0


def test_it_says_when_its_list_is_old(public, server):
    assert "quá 36 giờ" not in public.get("/transparency/").text

    exchange(server, server.clock, lambda: time.time() + 37 * 3600)
    assert "quá 36 giờ" in public.get("/transparency/").text


def test_the_source_code_is_linked_where_the_city_says_where(public, settings):
    import dataclasses

    assert "chưa công bố" in public.get("/transparency/").text
    settings.CITY = dataclasses.replace(settings.CITY, source_link="https://ma-nguon.example/bluezone")
    assert 'href="https://ma-nguon.example/bluezone"' in public.get("/transparency/").text


def test_what_is_stored_is_told_on_the_page_and_in_the_document_alike(public):
    page = public.get("/transparency/").text
    section = PRIVACY.read_text().split("## What is stored where, and for how long", 1)[1].split("\n## ")[0]
    written = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)[1:]
    with override("en"):
        told = [(str(row.what), str(row.where), str(row.how_long)) for row in RETENTIONS]

    assert written == told
    with override("vi"):
        for row in RETENTIONS:
            assert str(row.what) in page
