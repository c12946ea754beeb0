# SPDX-License-Identifier: Apache-2.0
"""A signer for a key server of a test, in a thread beside it or as a process of its own user."""

import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bluezone.keyserver.keyfolder import signature_info
from bluezone.keyserver.signer.client import FOLDER_NAME
from bluezone.keyserver.signer.daemon import Daemon, Rights, allowed_users
from bluezone.protocol.exports.writer import ExportKeys, write_export
from bluezone.protocol.intervals import day_at, first_interval


@contextmanager
def signing(folder: Path, clock: Callable[[], float], allowed: Mapping[int, Rights] | None = None) -> Iterator[Daemon]:
    """The signer of a data folder, where key servers that are opened meanwhile find it."""
    state = folder / FOLDER_NAME
    daemon = Daemon(folder / "keys", state, state / "test.sock", folder, allowed or allowed_users(()), clock)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        thread.join()


class _Taken(Exception):
    """What an export key was given to sign."""


class _Taking:
    def sign(self, data: bytes, _algorithm: Any, /) -> bytes:
        raise _Taken(data)


def export_of(public: Any, end: int, days: Sequence[int], period: int = 7200, region: str = "VN") -> bytes:
    """What is signed of an export of one random key for each of some UTC days, whose window ends at `end`."""
    count = len(days)
    columns = ExportKeys(
        np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16),
        np.array([first_interval(day) for day in days], np.int64),
        np.ones(count, np.uint8),
        np.zeros(count, np.int8),
    )
    try:
        write_export(
            columns, start_timestamp=end - period, end_timestamp=end, region=region, signing_key=_Taking(),
            info=signature_info(public),
        )  # fmt: skip
    except _Taken as taken:
        return bytes(taken.args[0])
    raise AssertionError("an export is signed")


def past_days(now: float) -> list[int]:
    """The days whose keys may be published at `now`, as far as two weeks go back."""
    return list(range(day_at(now) - 10, day_at(now) - 1))


def as_user(uid: int, act: Callable[[], Any], groups: Sequence[int] = ()) -> Any:
    """What `act` returns, or the exception it raises, in a copy of this process that belongs to another user."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ours)
            os.setgroups(list(groups))
            os.setgid(uid)
            os.setuid(uid)
            try:
                found = act()
            except Exception as error:
                found = (type(error).__name__, str(error))
            os.write(theirs, pickle.dumps(found))
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        answer = told.read()
    os.waitpid(pid, 0)
    return pickle.loads(answer)


@contextmanager
def process_of(uid: int, run: Callable[[Callable[[], None]], None]) -> Iterator[int]:
    """A copy of this process under another user until the end of the block. run: given what says that it is ready."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ours)
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            run(lambda: os.write(theirs, b"1") and None)
        finally:
            os._exit(0)
    os.close(theirs)
    try:
        assert os.read(ours, 1) == b"1", "it has said that it is ready"
        yield pid
    finally:
        os.close(ours)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
