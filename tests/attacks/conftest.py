# SPDX-License-Identifier: Apache-2.0
"""A key server on both databases, on PostgreSQL where there is one to use; a row may have a server of its own."""

from contextlib import ExitStack

import pytest
from tests.builders.keyserver import Clock, open_server, postgresql_database, postgresql_server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def server(request, tmp_path, monkeypatch):
    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    with ExitStack() as stack:
        if request.param == "postgresql":
            url = postgresql_server()
            monkeypatch.setenv("BLUEZONE_DATABASE_URL", stack.enter_context(postgresql_database(url)))
        made = open_server(tmp_path, Clock())
        stack.callback(made.close)
        yield made
