# SPDX-License-Identifier: Apache-2.0
"""Two batches of codes at once, in a separate office: `python -m tests.builders.batches FOLDER two|again`.

two: batches of two workers of one facility. again: a batch of one worker, sent a second time before the answer came.
This is a separate process because Django opens one office in a process. The store is a file, or the database of
BLUEZONE_OFFICE_URL. Prints the number of codes, the refusals of each batch, and whether both answers are equal.
"""

import datetime
import json
import os
import sys
import threading
from collections import Counter
from pathlib import Path

LIMIT = 5
# One batch is within the limit, two are not.
ROWS = 3
# Enough for a very busy machine; the result does not depend on it.
_PATIENCE_SECONDS = 600


def main(data: Path, case: str) -> None:
    """Issue two batches; the first commits only when the second waits for it, or has finished."""
    from bluezone.server.preparation import prepare_office

    prepare_office(data)
    from django.db import connection, transaction
    from django.utils import timezone
    from tests.builders.devices import agency
    from tests.builders.keyserver import set_city
    from tests.builders.office import user

    from bluezone.healthauthority.codes.batches import CaseRow, issue_batch
    from bluezone.healthauthority.models import IssuedCode
    from bluezone.office_keyserver import key_server

    server = key_server()
    set_city(server, quota_per_facility_a_day=LIMIT)
    lan, hoa = (user(name, within=agency("Trạm Y tế Sông Cầu")) for name in ("lan", "hoa"))
    key = os.urandom(32)
    sent = {"two": [(lan, key), (hoa, os.urandom(32))], "again": [(lan, key), (lan, key)]}[case]
    rows = [CaseRow("confirmed", timezone.localdate() - datetime.timedelta(days=1))] * ROWS
    issued = threading.Event()
    through = threading.Event()
    answers = {}

    def batch(number: int) -> None:
        answers[number] = issue_batch(server, *sent[number], rows, timezone.now())

    def first() -> None:
        with transaction.atomic():
            batch(0)
            issued.set()
            while not through.wait(0.05) and not _a_transaction_waits(connection):
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
    result = {"codes": IssuedCode.objects.count(), "refusals": refusals, "same": answers.get(0) == answers.get(1)}
    sys.stdout.write(json.dumps(result))
    server.close()


def _a_transaction_waits(connection) -> bool:
    """Whether a transaction waits for a lock, on PostgreSQL; on SQLite, which does not show that, always true."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        # Not pg_stat_activity, which does not change within a transaction.
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
