# SPDX-License-Identifier: Apache-2.0
"""Row 46: a changed web edition for one person. Residual: the city's server can do it; everybody can see that it did.

Pinned: the list of hashes on the public page is of the very bytes served, file by file; no page of the origin loads a
script from anywhere else or from inside a page.
"""

import gzip
import hashlib
import re

import pytest
from django.test import Client
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

from bluezone.face.files import WORKERS
from bluezone.portal.programs import web_edition
from bluezone.web import settings_public

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def public(settings, server):
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES", "CONTENT_SECURITY_POLICY"):
        setattr(settings, name, getattr(settings_public, name))
    return Client()


def unpacked(answer):
    packed = answer.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(answer.content) if packed else answer.content


def listed(public):
    return dict(re.findall(r'data-path="([^"]+)">([0-9a-f]{64})<', public.get("/transparency/").text))


@pytest.mark.long
def test_row_46_the_published_hashes_are_of_what_is_served(public):
    shown = listed(public)

    assert {"/app/", "/app/main.js", "/app/service-worker.js"} <= set(shown)
    for path, sha256 in shown.items():
        for headers in ({}, {"Accept-Encoding": "gzip"}):
            assert hashlib.sha256(unpacked(public.get(path, headers=headers))).hexdigest() == sha256, path


@pytest.mark.long
def test_row_46_no_file_is_served_that_is_not_listed(public):
    shown = listed(public)

    assert {f"/app/{path}" for path in web_edition()} == set(shown)
    # Whatever the page and its modules name is among them.
    for path in [path for path in shown if path.endswith((".js", "/"))]:
        text = unpacked(public.get(path)).decode()
        for named in re.findall(r'(?:from|import\()\s*"(\.[^"]+\.js)"', text):
            parts = [*path.split("/")[:-1], *named.split("/")]
            resolved = []
            for part in parts:
                if part == "..":
                    resolved.pop()
                elif part != ".":
                    resolved.append(part)
            # The other engine, which a browser's page never asks for, is not served at all.
            found = "/".join(resolved)
            assert found in shown or found == "/app/engine/handset.js", f"{path} loads {named}"


def test_row_46_two_people_get_the_same_bytes_whoever_they_are(public):
    one = {"REMOTE_ADDR": "203.0.113.7", "HTTP_USER_AGENT": "one", "HTTP_COOKIE": "bluezone-language=en"}
    two = {"REMOTE_ADDR": "198.51.100.9", "HTTP_USER_AGENT": "two", "HTTP_COOKIE": "who=two"}
    for path in listed(public):
        assert public.get(path, **one).content == public.get(path, **two).content, path


def test_row_46_no_script_comes_from_elsewhere_or_from_inside_a_page(public):
    for address in ("/", "/app/", "/v", "/transparency/"):
        answer = public.get(address)
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["default-src"] == "'none'"
        assert re.findall(r"<script(?![^>]*\ssrc=\"(?!https?:|//))", unpacked(answer).decode()) == []


def test_row_46_what_runs_by_itself_has_the_policy_and_what_runs_in_a_page_has_the_pages(public):
    for path in ("", "icon.svg", *WORKERS):
        assert "default-src 'none'" in public.get(f"/app/{path}").headers["Content-Security-Policy"], path
    inside = public.get("/app/app.js").headers
    assert "Content-Security-Policy" not in inside
    assert inside["X-Content-Type-Options"] == "nosniff"
