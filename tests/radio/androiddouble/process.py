# SPDX-License-Identifier: Apache-2.0
"""The double's process: coroutines that stand still while the processor sleeps and are gone when it is killed."""

import asyncio
import contextvars
import types
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

_process: contextvars.ContextVar["Process | None"] = contextvars.ContextVar("process", default=None)


class Process:
    """Runs a coroutine, and all tasks that it starts, as one process."""

    def __init__(self) -> None:
        self._awake = asyncio.Event()
        self._awake.set()
        self._dead = False
        self.main: asyncio.Task[Any] | None = None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start it as the process's main task."""
        asyncio.get_running_loop().set_task_factory(_factory)
        token = _process.set(self)
        try:
            self.main = asyncio.get_running_loop().create_task(coroutine)
        finally:
            _process.reset(token)
        return self.main

    def suspend(self) -> None:
        self._awake.clear()

    def resume(self) -> None:
        self._awake.set()

    def die(self) -> None:
        self._dead = True
        self._awake.clear()

    @types.coroutine
    def step(self, coroutine: Coroutine[Any, Any, Any]):
        """Drive a coroutine; whatever wakes it or is thrown at it waits until the processor runs."""
        error: BaseException | None = None
        while True:
            try:
                waited = coroutine.send(None) if error is None else coroutine.throw(error)
            except StopIteration as stop:
                return stop.value
            error = None
            try:
                yield waited
            except BaseException as thrown:
                error = thrown
            while not self._awake.is_set():
                if self._dead and isinstance(error, asyncio.CancelledError):
                    with suppress(RuntimeError, AssertionError):
                        coroutine.close()
                    raise error
                try:
                    yield from self._awake.wait().__await__()
                except asyncio.CancelledError as cancelled:
                    error = cancelled


def _factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> "asyncio.Task[Any]":
    process = _process.get()
    if process is None:
        return asyncio.Task(coroutine, loop=loop, **options)

    async def stepped() -> Any:
        return await process.step(coroutine)

    return asyncio.Task(stepped(), loop=loop, **options)
