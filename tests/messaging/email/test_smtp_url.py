# SPDX-License-Identifier: Apache-2.0
"""BLUEZONE_SMTP_URL."""

import pytest

from bluezone.messaging.email.smtp_url import SmtpServer, SmtpUrlInvalid, read_smtp_url

SENDER = "bluezone@office.example"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "smtps://office:p%40ss@mail.example",
            SmtpServer("mail.example", 465, "office", "p@ss", ssl=True, starttls=False, sender=SENDER),
        ),
        (
            "starttls://office:x@mail.example?from=phanhoi@bac-kan.example",
            SmtpServer("mail.example", 587, "office", "x", ssl=False, starttls=True, sender="phanhoi@bac-kan.example"),
        ),
        ("smtp://[::1]:2525", SmtpServer("::1", 2525, "", "", ssl=False, starttls=False, sender=SENDER)),
    ],
)
def test_a_url_names_a_server(url, expected):
    assert read_smtp_url(url, SENDER) == expected


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_url_there_is_no_server(url):
    assert read_smtp_url(url, SENDER) is None


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "https://mail.example",
        "smtps://",
        "smtps://mail.example:seven",
        "smtps://mail.example:70000",
        "smtp://[::1",
        "smtp://office:geheim@mail.example",
        "smtps://mail.example?from=nobody",
        "smtps://mail.example?from=a@b.vn%0ABcc:c@d.vn",
    ],
)
def test_another_text_is_refused_and_not_repeated(url):
    with pytest.raises(SmtpUrlInvalid) as refused:
        read_smtp_url(url, SENDER)

    assert refused.value.code == "smtp_url_invalid"
    assert url not in refused.value.message
    assert "geheim" not in refused.value.message


def test_the_password_is_not_shown():
    assert "geheim" not in repr(read_smtp_url("smtps://office:geheim@mail.example", SENDER))
