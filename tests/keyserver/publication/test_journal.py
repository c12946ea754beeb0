# SPDX-License-Identifier: Apache-2.0
"""The journal of heads as several processes see it: who reads it again takes in what was appended, and no more."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.keyserver.publication.log import journal
from bluezone.keyserver.publication.log.journal import Journal
from bluezone.protocol.signed.envelope import canonical_json, sign_payload
from bluezone.protocol.signed.index import Index

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def a_config(number):
    return sign_payload("config", canonical_json({"number": number}), KEY)


@pytest.fixture
def reading(tmp_path):
    """A journal that one process has read while it held one config."""
    Journal(tmp_path, KEY).note_config(1, a_config(1))
    opened = Journal(tmp_path, KEY)
    assert set(opened.configs()) == {1}
    return opened


def test_what_another_process_appended_is_found_and_once(reading, tmp_path):
    for number in (2, 3):
        Journal(tmp_path, KEY).note_config(number, a_config(number))

        assert list(reading.configs()) == [*range(1, number + 1)]
        assert list(reading.configs()) == [*range(1, number + 1)]


def test_a_look_opens_the_lines_that_were_appended_and_no_others(reading, monkeypatch):
    lines, opens = [], journal.open_signed
    monkeypatch.setattr(journal, "open_signed", lambda kind, line, keys: lines.append(line) or opens(kind, line, keys))
    for number in range(2, 12):
        reading.note_config(number, a_config(number))

    assert list(reading.configs()) == [*range(1, 12)]
    assert [line for line in lines if line] == [a_config(number) for number in range(2, 12)]


def test_a_head_is_noted_once_however_often_its_index_is_signed_anew(reading):
    index = Index("exports", 0, 1, "00" * 32, "00" * 32, ())
    for number, generated_at in ((1, 10), (2, 20), (2, 30), (2, 40)):
        reading.note_index(replace(index, number=number, generated_at=generated_at))

    assert [(head.number, head.generated_at) for head in reading.heads("exports")] == [(1, 10), (2, 20)]


def test_a_line_that_is_still_being_written_is_found_when_it_is_whole(reading):
    line = b"config " + a_config(2) + b"\n"
    for written in (line[:40], line[40:-1]):
        with reading.path.open("ab") as file:
            file.write(written)
        assert set(reading.configs()) == {1}
    with reading.path.open("ab") as file:
        file.write(line[-1:])

    assert set(reading.configs()) == {1, 2}


def test_after_a_line_that_was_cut_the_next_ones_are_found(reading):
    with reading.path.open("ab") as file:
        file.write(b"config " + a_config(2)[:40])
    assert set(reading.configs()) == {1}
    for number in (3, 4):
        reading.note_config(number, a_config(number))

    assert set(reading.configs()) == {1, 4}, "the cut one has spoilt the line right after it, as it always did"


@pytest.mark.parametrize("numbers", [(5,), (5, 6), (5, 6, 7)])
def test_another_file_in_its_place_is_read_from_its_beginning(reading, tmp_path, numbers):
    reading.note_config(2, a_config(2))
    assert set(reading.configs()) == {1, 2}
    other = Journal(tmp_path / "other", KEY)
    for number in numbers:
        other.note_config(number, a_config(number))
    # Two lines would have the size that was seen last, which is the one thing that a look goes by.
    reading.path.write_bytes(other.path.read_bytes() + b"\n" * (len(numbers) == 2))

    assert set(reading.configs()) == set(numbers)
