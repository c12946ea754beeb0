# SPDX-License-Identifier: Apache-2.0
"""Two batches of codes at once, in an office of their own: `python -m tests.builders.batches FOLDER two|again`.

two: of two workers of one facility. again: one batch of one worker, sent a second time before its answer came.
A process of its own, because Django opens one office a process; the store is a file, or the database that
BLUEZONE_OFFICE_URL names. Prints how many codes there are, the refusals of each batch, and whether both got the same.
"""

import datetime
import json
import os
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

LIMIT = 5
# A batch alone is within the limit, both are not.
ROWS = 3
# For a machine that is very busy; nothing is judged by it.
_PATIENCE_SECONDS = 600


def main(data: Path, case: str) -> None:
    """The first batch is issued and not committed before the second waits for it, or is through."""
    from bluezone.server.preparation import prepare_office

    prepare_office(data)
    from django.db import connection, transaction
    from django.utils import timezone
    from tests.builders.devices import agency
    from tests.builders.office import user

    from bluezone.healthauthority.code_batches import CaseRow, issue_batch
    from bluezone.healthauthority.models import IssuedCode
    from bluezone.office_keyserver import key_server

    server = key_server()
    server.city = replace(server.city, quota_per_facility_a_day=LIMIT)
    lan, hoa = (user(name, within=agency("Trạm Y tế Sông Cầu")) for name in ("lan", "hoa"))
    key = os.urandom(32)
    sent = {"two": [(lan, key), (hoa, os.urandom(32))], "again": [(lan, key), (lan, key)]}[case]
    rows = [CaseRow("confirmed", timezone.localdate() - datetime.timedelta(days=1))] * ROWS
    issued, through = threading.Event(), threading.Event()
    answers = {}

    def batch(number: int) -> None:
        answers[number] = issue_batch(server, *sent[number], rows, timezone.now())

    def first() -> None:
        with transaction.atomic():
            batch(0)
            issued.set()
            while not through.wait(0.05) and not _somebody_waits(connection):
                pass
        connection.close()

    def second() -> None:
        issued.wait(_PATIENCE_SECONDS)
        try:
            batch(1)
        finally:
            through.set()
            connection.close()

    threads = [threading.Thread(target=run) for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE_SECONDS)
    refusals = [Counter(answer.refusal for answer in answers.get(number, [])) for number in (0, 1)]
    said = {"codes": IssuedCode.objects.count(), "refusals": refusals, "same": answers.get(0) == answers.get(1)}
    sys.stdout.write(json.dumps(said))
    server.close()


def _somebody_waits(connection) -> bool:
    """On PostgreSQL, whether a transaction waits for a lock; SQLite lets nobody begin, and does not say who waits."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        # Not pg_stat_activity, of which a transaction sees the same picture each time.
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
