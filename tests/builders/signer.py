# SPDX-License-Identifier: Apache-2.0
"""A signer for a key server of a test, in another thread or as a process of another user."""

import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bluezone.keyserver.keys.keyfolder import signature_info
from bluezone.keyserver.signer.client import FOLDER_NAME
from bluezone.keyserver.signer.daemon import Daemon, Rights, allowed_users
from bluezone.protocol.exports.writer import ExportKeys, write_export
from bluezone.protocol.intervals import day_at, first_interval


@contextmanager
def signing(
    folder: Path,
    clock: Callable[[], float],
    allowed: Mapping[int, Rights] | None = None,
    version: type[Daemon] = Daemon,
) -> Iterator[Daemon]:
    """The signer of a data folder, at the address where key servers look for it."""
    state = folder / FOLDER_NAME
    daemon = version(folder / "keys", state, state / "test.sock", folder, allowed or allowed_users(()), clock)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        thread.join()


class _DataToSign(Exception):
    """Raised instead of a signature, with the bytes that an export key would have signed."""


class _CapturingKey:
    def sign(self, data: bytes, _algorithm: Any, /) -> bytes:
        raise _DataToSign(data)


def export_of(public: Any, end: int, days: Sequence[int], period: int = 7200, region: str = "VN") -> bytes:
    """The bytes to sign of an export with one random key for each of some UTC days.

    end, period: end and length of its window in Unix seconds.
    """
    count = len(days)
    columns = ExportKeys(
        np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16),
        np.array([first_interval(day) for day in days], np.int64),
        np.ones(count, np.uint8),
        np.zeros(count, np.int8),
    )
    try:
        write_export(
            columns, start_timestamp=end - period, end_timestamp=end, region=region, signing_key=_CapturingKey(),
            info=signature_info(public),
        )  # fmt: skip
    except _DataToSign as captured:
        return bytes(captured.args[0])
    raise AssertionError("an export is signed")


def past_days(now: float) -> list[int]:
    """The days of which keys may be published at `now`, at most two weeks back."""
    return list(range(day_at(now) - 10, day_at(now) - 1))


def as_user(uid: int, act: Callable[[], Any], groups: Sequence[int] = ()) -> Any:
    """The result of `act`, or its exception, in a fork of this process that runs as another user."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ours)
            os.setgroups(list(groups))
            os.setgid(uid)
            os.setuid(uid)
            try:
                result = act()
            except Exception as error:
                result = (type(error).__name__, str(error))
            os.write(theirs, pickle.dumps(result))
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(answer)


@contextmanager
def process_of(uid: int, run: Callable[[Callable[[], None]], None]) -> Iterator[int]:
    """A fork of this process as another user until the end of the block. run: gets a function that reports "ready"."""
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
        assert os.read(ours, 1) == b"1", "it reports that it is ready"
        yield pid
    finally:
        os.close(ours)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
