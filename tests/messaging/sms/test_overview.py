# SPDX-License-Identifier: Apache-2.0
"""The operator's page of text messages."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.builders.office import user

from bluezone.identity.models import Role
from bluezone.messaging.sms.models import OPEN_STATES, Message, SenderState, State
from bluezone.messaging.sms.providers import read_sms_url
from bluezone.messaging.sms.views import SILENT_SECONDS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("smpp_bind_refused: the message centre refuses name or password (status 0xe)", "không nhận tên hoặc mật khẩu"),
        ("smpp_session_lost: the message centre closed the connection", "Không kết nối được với tổng đài tin nhắn"),
        ("smpp_garbage: a PDU of 5 octets", "không nói giao thức SMPP 3.4"),
        ("what an older version said", "Tổng đài tin nhắn không nhận tin"),
    ],
)
def test_the_page_says_in_vietnamese_what_is_wrong_and_keeps_the_detail_behind_it(client, settings, told, sentence):
    settings.SMS = read_sms_url("smpp://ten:matkhau@127.0.0.1:2775?from=BACKAN")
    SenderState.objects.create(pk=1, provider="smpp", trouble=told, said_at=timezone.now())
    client.force_login(user("truc", Role.ADMIN))
    page = client.get(reverse("messages"), headers={"Accept-Language": "vi"}).content.decode()

    note = page[page.index('<div class="note error">') :]
    assert sentence in note[: note.index("<details")]
    assert told in note[note.index("<details") : note.index("</details>")]


def test_the_page_promises_nothing_of_reminders_which_nobody_sends(client, settings):
    settings.SMS = read_sms_url("smpp://ten:matkhau@127.0.0.1:2775?from=BACKAN")
    client.force_login(user("truc", Role.ADMIN))
    page = client.get(reverse("messages"), headers={"Accept-Language": "vi"}).content.decode()

    assert "Thông báo khi đến và mã được gửi vào bất cứ giờ nào." in page
    assert "nhắc chờ" not in page


def test_the_page_counts_what_waits_and_what_became_of_the_rest(client, settings):
    now = timezone.now()
    settings.SMS = read_sms_url("smpp://ten:matkhau@127.0.0.1:2775?from=BACKAN")
    said = SenderState.objects.create(pk=1, provider="smpp", trouble="", said_at=now)
    for state, count in ((State.WAITING, 2), (State.SENDING, 1), (State.DELIVERED, 2), (State.UNKNOWN, 1)):
        waits = state in OPEN_STATES
        for _ in range(count):
            Message.objects.create(
                state=state, purpose="code", language="vi", sealed=b"x" if waits else None, encoding="gsm", segments=1,
                queued_at=now, next_try_at=now, expires_at=now, closed_at=None if waits else now,
            )  # fmt: skip
    client.force_login(user("truc", Role.ADMIN))
    seen = client.get(reverse("messages")).context

    assert (seen["waiting"], seen["unknown"], seen["is_silent"]) == (3, 1, False)
    assert dict(seen["ended"])[State.DELIVERED.label] == 2
    assert sum(count for _label, count in seen["ended"]) == 3
    assert State.WAITING.label not in dict(seen["ended"])
    said.said_at = now - datetime.timedelta(seconds=SILENT_SECONDS + 60)
    said.save()
    assert client.get(reverse("messages")).context["is_silent"]
