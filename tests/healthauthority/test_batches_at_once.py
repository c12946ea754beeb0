# SPDX-License-Identifier: Apache-2.0
"""Two batches at the same moment: real threads, real transactions.

They stay within the limit that they share, and one that is sent twice is one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.builders.batches import LIMIT, ROWS
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.office import write_city
from tests.builders.stores import prepared_store

REPOSITORY = Path(__file__).parents[2]
EXPECTED = {
    "two": {"codes": LIMIT, "refusals": [{"": ROWS}, {"": LIMIT - ROWS, "quota_reached": 2 * ROWS - LIMIT}]},
    "again": {"codes": ROWS, "refusals": [{"": ROWS}, {"": ROWS}]},
}


def at_once(case, folder, **environment):
    """What the program of tests/builders/batches.py prints."""
    write_city(folder)
    if not environment:
        prepared_store(folder)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BLUEZONE_OFFICE")}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.builders.batches", folder, case],
        cwd=REPOSITORY, env={**plain, **environment}, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout)


@pytest.mark.parametrize("case", list(EXPECTED))
def test_batches_at_once_stay_within_the_limit_and_one_sent_twice_is_one(tmp_path, case):
    assert at_once(case, tmp_path) == {**EXPECTED[case], "same": case == "again"}


@pytest.mark.postgres
@pytest.mark.parametrize("case", list(EXPECTED))
def test_batches_at_once_wait_for_each_other_on_postgresql(tmp_path, case):
    with postgresql_database(postgresql_server()) as address:
        said = at_once(case, tmp_path, BLUEZONE_OFFICE_URL=address)

    assert said == {**EXPECTED[case], "same": case == "again"}
