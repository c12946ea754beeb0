# SPDX-License-Identifier: Apache-2.0
"""The sender, or a desk that queues, in a separate process that a test can kill.

Run as `python -m tests.builders.smsprocess`; arguments: data folder, then "send", or "queue" and a number.
The provider is in BLUEZONE_SMS_URL, as in production.
"""

import sqlite3
import sys
import threading
from pathlib import Path

TEXT = "Kính chào quý khách, đề nghị cài Bluezone để được cảnh báo nguy cơ lây nhiễm. Số {number}"


def number_of(index: int) -> str:
    return f"+8491{index:07}"


def text_of(index: int) -> str:
    """A text of one part for odd numbers, of two parts for even ones."""
    return TEXT.format(number=index) if index % 2 == 0 else f"Xin chào {index}"


def states(folder: Path) -> dict[str, int]:
    """How many messages are in each state, read from the file while the processes run."""
    with sqlite3.connect(f"file:{folder / 'office.sqlite3'}?mode=ro", uri=True, timeout=120) as connection:
        return dict(connection.execute("SELECT state, count(*) FROM sms_message GROUP BY state"))


def main(folder: Path, what: str, count: int = 0) -> None:
    from bluezone.server.preparation import open_office, prepare_office

    if what == "queue":
        prepare_office(folder)
        from django.db import transaction

        from bluezone.messaging.sms.models import Purpose
        from bluezone.messaging.sms.outbox import queue_sms

        with transaction.atomic():
            for index in range(count):
                queue_sms(number_of(index), text_of(index), "vi", Purpose.ARRIVAL)
        return
    open_office(folder)
    from bluezone.messaging.sms.sender import send_until_stopped

    stopped = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
    send_until_stopped(stopped)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))
