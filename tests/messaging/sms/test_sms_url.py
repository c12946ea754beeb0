# SPDX-License-Identifier: Apache-2.0
"""The address of a message centre: what it may say, and that a refusal repeats no password."""

import pytest

from bluezone.messaging.sms.providers import LogFile, Smsc, SmsUrlInvalid, read_sms_url

SMSC = "smpp://ten:mat%20khau@smsc.example.vn?from=BACKAN"


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        (None, None),
        ("", None),
        ("file:sms-not-sent.log", LogFile("sms-not-sent.log")),
        (SMSC, Smsc("smsc.example.vn", 2775, False, "ten", "mat khau", "BACKAN")),
        (
            "smpps://ten@smsc.example.vn?from=%2B84209387&rate=10000&window=1000&references=1&system_type=x",
            Smsc("smsc.example.vn", 3550, True, "ten", "", "+84209387", 10_000, 1000, True, "x"),
        ),
        (f"{SMSC}&rate=1&window=1", Smsc("smsc.example.vn", 2775, False, "ten", "mat khau", "BACKAN", 1, 1)),
        ("smpp://h:9000?from=123", Smsc("h", 9000, False, "", "", "123")),
    ],
)
def test_an_address_names_a_message_centre_a_file_or_none(url, provider):
    assert read_sms_url(url) == provider


@pytest.mark.parametrize(
    "url",
    [
        "file:../office.sqlite3",
        "http://ten:matkhau@h?from=BACKAN",
        "smpp:///?from=BACKAN",
        "smpp://ten:matkhau@h:70000?from=BACKAN",
        "smpp://ten:matkhau@h",
        "smpp://ten:matkhau@h?from=TWELVELETTER",
        "smpp://ten:matkhau@h?from=BACKAN&speed=3",
        *(f"smpp://ten:matkhau@h?from=BACKAN&rate={rate}" for rate in ("0", "10001", "-1", "1.5", "٣")),
        *(f"smpp://ten:matkhau@h?from=BACKAN&window={window}" for window in ("0", "1001")),
    ],
)
def test_another_address_is_refused_and_its_password_not_repeated(url):
    with pytest.raises(SmsUrlInvalid) as refused:
        read_sms_url(url)
    assert "matkhau" not in refused.value.message
