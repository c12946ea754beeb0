# SPDX-License-Identifier: Apache-2.0
"""How many submits a second the outbox hands to a message centre, with everything on the disk before and after.

The message centre is the npm package `smpp` (tests/builders/smsc), so node and npm are needed. Baseline: the same parts
over the same protocol without an outbox: no store, no marks, a window kept full.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MESSAGES = 3_000
WINDOW = 20


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Time a sender in one thread on SQLite with synchronous=FULL, by the wall, beside the message centre."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        os.environ["BLUEZONE_DATA"] = str(data)
        _office(data)
        from tests.builders.smsc import Centre  # type: ignore[attr-defined]  # smsc/ beside smsc.py

        with Centre(Path(folder)) as centre:
            centre.change(receipts=False)
            baseline = _without_outbox(centre)
            progress("baseline timed")
            rate, cpu_ms = _outbox(centre, progress)
    return {
        "name": "text messages",
        "value": round(rate),
        "unit": "submits/s (budget 200)",
        "baseline": round(baseline),
        "ratio": round(rate / baseline, 2),
        "cpu_ms_a_submit": round(cpu_ms, 2),
        "window": WINDOW,
    }


def _office(data: Path) -> None:
    from bluezone.city_settings import write_default
    from bluezone.server.preparation import prepare_office

    write_default(
        data, name_vi="thành phố Bắc Kạn", name_en="Bac Kan", hotline="0209 3870 000",
        sms_segments_a_day=1_000_000, sms_segments_a_month=1_000_000,
    )  # fmt: skip
    prepare_office(data)


def _without_outbox(centre: Any) -> float:
    from bluezone.messaging.sms.providers import Accepted, OutgoingPart
    from bluezone.messaging.sms.providers.smpp import SmppProvider

    provider = SmppProvider(centre.smsc(window=WINDOW))
    begun, sent, answered = time.perf_counter(), 0, 0
    while answered < MESSAGES:
        room = min(provider.capacity(), MESSAGES - sent)
        provider.submit(
            [
                OutgoingPart(n, n % 65_536, f"+8491{n:07}", b"Xin chao", 0, 1, 1, 0, 600)
                for n in range(sent, sent + room)
            ]
        )
        sent += room
        answered += sum(isinstance(event, Accepted) for event in provider.wait_for_events(0.05))
    provider.close()
    return MESSAGES / (time.perf_counter() - begun)


def _outbox(centre: Any, progress: Callable[[str], object]) -> tuple[float, float]:
    from django.conf import settings
    from django.db import transaction
    from django.utils import timezone

    from bluezone.messaging.sms.claims import waiting_count
    from bluezone.messaging.sms.models import Message, Purpose, State
    from bluezone.messaging.sms.outbox import queue_sms
    from bluezone.messaging.sms.providers import read_sms_url
    from bluezone.messaging.sms.providers.smpp import SmppProvider
    from bluezone.messaging.sms.sender import Sender, sync_every_commit

    settings.SMS = read_sms_url(centre.address())
    with transaction.atomic():
        for number in range(MESSAGES):
            queue_sms(f"+8491{number:07}", "Mời quý khách cài Bluezone", "vi", Purpose.ARRIVAL)
    progress("queued")
    before = centre.count()
    sync_every_commit()
    sender = Sender(SmppProvider(centre.smsc(window=WINDOW)))
    begun, used = time.perf_counter(), time.process_time()
    while waiting_count():
        sender.send_due(timezone.now())
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    sender.close()
    parts = centre.count() - before
    assert parts == MESSAGES == Message.objects.filter(state=State.SENT).count()
    return parts / seconds, 1000 * cpu / parts
