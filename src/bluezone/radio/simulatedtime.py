# SPDX-License-Identifier: Apache-2.0
"""An asyncio loop whose clock jumps to the next timer, so that a day of radio takes seconds."""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

Result = TypeVar("Result")


class _JumpingSelector(selectors.DefaultSelector):
    """Polls real sockets without waiting and, if nothing came, moves the clock by the time it would have waited."""

    jump: Callable[[float], bool]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        waits = timeout is not None and timeout > 0
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0 if waits else timeout)
        if waits and not ready and not self.jump(timeout or 0.0):
            ready = super().select(None)  # an executor is working, and its end wakes the loop
        return ready


class SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """Event loop in simulated time.

    start_seconds:  what `time()` says at first; only `time()` and timers are simulated.
    Real sockets are still polled, but a wait for one does not hold the clock: with timers pending, time
    goes on. Work in an executor does hold it, so blocking calls take no simulated time.
    """

    def __init__(self, start_seconds: float = 0.0) -> None:
        self._now_seconds = start_seconds
        self._in_executor = 0
        selector = _JumpingSelector()
        selector.jump = self._jump
        super().__init__(selector)
        self._let_no_timer_be_early()

    def time(self) -> float:
        """Simulated seconds."""
        return self._now_seconds

    def _jump(self, seconds: float) -> bool:
        if self._in_executor:
            return False
        self._now_seconds += seconds
        self._let_no_timer_be_early()
        return True

    def _let_no_timer_be_early(self) -> None:
        # asyncio lets a timer come early by its clock's resolution. Code that then waits for the rest would wait for
        # less than that resolution: its timer is due at once, the clock never jumps, and the loop spins for ever.
        self._clock_resolution = math.ulp(self._now_seconds)

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """As asyncio's, and the clock stands still until `func` is done."""
        future = super().run_in_executor(executor, func, *args)
        self._in_executor += 1
        future.add_done_callback(self._left_executor)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads without a limit: a limit would be simulated and over at once."""
        await super().shutdown_default_executor()

    def _left_executor(self, _: object) -> None:
        self._in_executor -= 1


def run_simulated(main: Coroutine[Any, Any, Result], start_seconds: float = 0.0) -> Result:
    """Run `main` to its end in a SimulatedTimeLoop and return its result; other tasks are cancelled."""
    with asyncio.Runner(loop_factory=lambda: SimulatedTimeLoop(start_seconds)) as runner:
        return runner.run(main)
