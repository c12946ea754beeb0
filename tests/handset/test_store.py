# SPDX-License-Identifier: Apache-2.0
"""The phone's store: who may open it, and what a full disk or another process does to it."""

import os
import sqlite3
import stat

import pytest

from bluezone.handset.store import (
    KEY_FILE,
    STORE_FILE,
    HandsetBusy,
    HandsetDiskFull,
    HandsetMissing,
    HandsetStoreTooNew,
    Store,
    erase_folder,
)
from bluezone.handset.vault import HandsetKeyDamaged, HandsetStoreDamaged


def test_store_and_key_are_readable_by_their_owner_only(tmp_path):
    Store.open(tmp_path / "phone").close()
    assert stat.S_IMODE((tmp_path / "phone").stat().st_mode) == 0o700
    for name in (STORE_FILE, KEY_FILE):
        assert stat.S_IMODE((tmp_path / "phone" / name).stat().st_mode) == 0o600


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / STORE_FILE) as connection:
        connection.execute("PRAGMA user_version = 3")
    before = (tmp_path / STORE_FILE).read_bytes()
    with pytest.raises(HandsetStoreTooNew):
        Store.open(tmp_path)
    assert (tmp_path / STORE_FILE).read_bytes() == before


def test_a_second_process_is_refused_but_may_look(tmp_path):
    store = Store.open(tmp_path)
    store.put("name", "value")
    with pytest.raises(HandsetBusy):
        Store.open(tmp_path)
    looking = Store.open(tmp_path, reading=True)
    assert looking.get("name") == "value"
    looking.close()
    store.close()
    Store.open(tmp_path).close()


def test_looking_where_no_phone_is_makes_none(tmp_path):
    with pytest.raises(HandsetMissing):
        Store.open(tmp_path / "nothing", reading=True)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("damage", [b"", b"short", bytes(33)])
def test_a_damaged_key_is_named(tmp_path, damage):
    Store.open(tmp_path).close()
    (tmp_path / KEY_FILE).write_bytes(damage)
    with pytest.raises(HandsetKeyDamaged):
        Store.open(tmp_path)


def test_a_store_without_its_key_is_not_given_a_new_one(tmp_path):
    Store.open(tmp_path).close()
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(HandsetKeyDamaged):
        Store.open(tmp_path)
    assert not (tmp_path / KEY_FILE).exists()


def test_another_phone_s_key_opens_nothing(tmp_path):
    store = Store.open(tmp_path)
    store.put("name", 1)
    store.close()
    (tmp_path / KEY_FILE).write_bytes(os.urandom(32))
    store = Store.open(tmp_path)
    with pytest.raises(HandsetStoreDamaged):
        store.get("name")
    store.close()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    Store.open(tmp_path).close()
    (tmp_path / STORE_FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(HandsetStoreDamaged):
        Store.open(tmp_path)


def test_a_full_disk_is_named_and_what_was_stored_stays(tmp_path):
    store = Store.open(tmp_path)
    store.put("kept", "yes")
    with store.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(HandsetDiskFull):
        store.put("large", "x" * 1_000_000)
    assert store.get("kept") == "yes"
    assert store.get("large") is None
    store.close()


def test_a_locked_database_is_named_and_works_again_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr("bluezone.handset.store.BUSY_SECONDS", 0.05)
    store = Store.open(tmp_path)
    other = sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(HandsetBusy):
        store.put("name", 1)
    other.execute("ROLLBACK")
    store.put("name", 1)
    assert store.get("name") == 1
    other.close()
    store.close()


def test_a_refusal_undoes_a_whole_transaction(tmp_path):
    store = Store.open(tmp_path)

    def half() -> None:
        with store.transaction():
            store.put("first", 1)
            raise HandsetBusy("in the middle")

    with pytest.raises(HandsetBusy):
        half()
    assert store.get("first") is None
    store.close()


def test_forget_leaves_neither_key_nor_store(tmp_path):
    store = Store.open(tmp_path / "phone")
    store.put("name", "value")
    store.erase()
    assert list((tmp_path / "phone").iterdir()) == []


def test_forget_works_on_a_store_that_cannot_be_opened(tmp_path):
    Store.open(tmp_path).close()
    (tmp_path / KEY_FILE).write_bytes(b"broken")
    erase_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_forget_is_refused_while_the_agent_runs_and_where_no_phone_is(tmp_path):
    store = Store.open(tmp_path / "phone")
    with pytest.raises(HandsetBusy):
        erase_folder(tmp_path / "phone")
    store.close()
    with pytest.raises(HandsetMissing):
        erase_folder(tmp_path / "none")
