# SPDX-License-Identifier: Apache-2.0
"""Published files are sent from memory as long as the process has enough of it."""

from pathlib import Path

import pytest
from tests.builders.keyserver import HOUR

from bluezone.keyserver.publication.downloads import Contents


def identity(name):
    return Path(name), 0, 0, 1, 0, 0


@pytest.fixture
def fetch(server, clock):
    """Returns the only export file as it is served."""
    server.tick()
    clock.pass_by(2 * HOUR)
    server.tick()
    name = server.indexes.read_index().entries[-1].name
    return lambda: server.parts.pages.downloads.export(name)


@pytest.fixture(autouse=True)
def _much_memory(monkeypatch):
    """A process that has run many tests is larger than a server's."""
    monkeypatch.setattr("bluezone.shortage.MOST_OWN_BYTES", 2**40)


def test_a_file_is_sent_from_memory(server, fetch):
    name = server.indexes.read_index().entries[-1].name

    assert fetch().content == (server.data_dir / "exports" / name).read_bytes()


def test_a_process_that_is_short_of_memory_sends_from_the_disk(fetch, monkeypatch):
    fetch()
    monkeypatch.setattr("bluezone.shortage.MOST_OWN_BYTES", 0)

    assert isinstance(fetch().content, Path)


def test_the_files_that_were_requested_last_are_in_memory():
    contents = Contents(most_bytes=2)
    contents.add(identity("a"), b"a")
    contents.add(identity("b"), b"b")
    contents.find(identity("a"))
    contents.add(identity("c"), b"c")

    assert [contents.find(identity(name)) for name in "abc"] == [b"a", None, b"c"]
