# SPDX-License-Identifier: Apache-2.0
"""What a line of the log may say, and that nobody is in it."""

import json
import logging
import sys

import pytest
from django.core.exceptions import DisallowedHost

from bluezone.logs import JsonLines, LogFormUnknown, PathDropped, PlainLines, event_fields, logging_configuration

SECRETS = ["Nguyễn Văn A", "0912345678", "203.0.113.5", "/start/one-time-link", "evil.example"]


def record(name, message, *args, error=None, **extra):
    info = None
    if error is not None:
        try:
            raise error
        except type(error):
            info = sys.exc_info()
    made = logging.LogRecord(name, logging.ERROR, "/x/module.py", 7, message, args, info)
    made.__dict__.update(extra)
    return made


def test_an_event_is_one_json_object_on_one_line():
    line = JsonLines().format(
        record("bluezone.server.worker", "tick: %s", "no", **event_fields("tick_refused", code="store_busy"))
    )
    told = json.loads(line)

    assert "\n" not in line
    assert {name: told[name] for name in ("level", "event", "code")} == {
        "level": "error", "event": "tick_refused", "code": "store_busy",
    }  # fmt: skip
    assert told["time"].endswith("Z")


@pytest.mark.parametrize("form", [JsonLines, PlainLines])
def test_no_line_repeats_what_a_library_or_an_error_says(form):
    written = ""
    for secret in SECRETS:
        written += form().format(record("django.security.DisallowedHost", f"Invalid HTTP_HOST header: {secret}"))
        written += form().format(record("psycopg", "key (name)=(%s) exists", secret))
        written += form().format(
            record(
                "bluezone.server.metrics.measured_application",
                "an answer failed",
                error=ValueError(secret),
                **event_fields("answer_failed"),
            )
        )
        failed = record("django.request", "Internal Server Error: %s", secret, error=DisallowedHost(secret))
        assert PathDropped().filter(failed)
        written += form().format(failed)

    assert [secret for secret in SECRETS if secret in written] == []
    assert "ValueError" in written
    assert "DisallowedHost" in written


def test_where_it_went_wrong_is_said_in_both_forms():
    failed = record(
        "bluezone.server.metrics.measured_application",
        "an answer failed",
        error=KeyError("x"),
        **event_fields("answer_failed"),
    )

    assert "in record" in PlainLines().format(failed)
    assert "test_logs.py" in json.loads(JsonLines().format(failed))["where"][0]


def test_an_unknown_form_is_refused(monkeypatch):
    monkeypatch.setenv("BLUEZONE_LOG", "xml")

    with pytest.raises(LogFormUnknown):
        logging_configuration()
