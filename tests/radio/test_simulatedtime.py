# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import time

from bluezone.radio.simulatedtime import run_simulated


def test_a_simulated_day_passes_at_once_and_in_order():
    order = []

    async def sleeper(name, seconds):
        await asyncio.sleep(seconds)
        order.append((name, asyncio.get_running_loop().time()))

    async def day():
        await asyncio.gather(sleeper("evening", 64_800), sleeper("morning", 21_600), asyncio.sleep(86_400))
        return asyncio.get_running_loop().time()

    end = run_simulated(day(), start_seconds=1000.0)

    assert end == 87_400.0
    assert order == [("morning", 22_600.0), ("evening", 65_800.0)]


def test_work_in_a_thread_takes_no_simulated_time():
    async def main():
        loop = asyncio.get_running_loop()
        ticks = asyncio.create_task(asyncio.sleep(3600))
        await loop.run_in_executor(None, time.sleep, 0.05)
        during = loop.time()
        await ticks
        return during, loop.time()

    during, after = run_simulated(main())

    assert during == 0.0
    assert after == 3600.0


def test_real_sockets_are_still_served():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"xin chao\n")
            line = await reader.readline()
            writer.close()
            return line

    assert run_simulated(main()) == b"xin chao\n"


def test_whoever_waits_for_the_rest_of_a_time_comes_to_its_end():
    async def main():
        loop, silence, waits = asyncio.get_running_loop(), asyncio.Event(), 0
        # Steps of a tenth leave a remainder far below a nanosecond: 0.1 has no exact binary form.
        for _ in range(123):
            await asyncio.sleep(0.1)
        end = loop.time() + 20 - 12.3
        while (rest := end - loop.time()) > 0 and waits < 1000:
            waits += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(silence.wait(), min(rest, 0.7))
        return waits

    assert run_simulated(main()) < 20
