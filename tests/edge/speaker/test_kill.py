# SPDX-License-Identifier: Apache-2.0
"""The loudspeaker as real processes that are killed fifty times: its log agrees with what its sink recorded."""

import bisect
import contextlib
import hashlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import time
import wave
from pathlib import Path

import pytest
from tests.builders.serving import BLUEZONE, free_port

from bluezone.edge.speaker.book import TONE_SECONDS, SpeakerBook

# It plays in real time, for some minutes.
pytestmark = [
    pytest.mark.field,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg"),
]
KILLS = 50
SECONDS = {"emergency": 5.0, "normal": 7.0}
# An emergency every 48, so that other bulletins have their turn between them.
EVERY_SECONDS = 12


def furnish(folder, count):
    """A loudspeaker that is enrolled and offline, with emergencies and other bulletins; key -> hash, class."""
    book, items, begun = SpeakerBook(folder / "speaker", time.time), [], time.time()
    for number in range(count):
        importance = "normal" if number % 4 else "emergency"
        made = folder / "made.mp3"
        tone = ["-f", "lavfi", "-i", f"sine={300 + 10 * number}:duration={SECONDS[importance]}"]
        subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *tone, made], check=True)
        content = made.read_bytes()
        sound = hashlib.sha256(content).hexdigest()
        assert book.keep_sound(sound, content)
        one = {"key": f"1-1-vi-{number}", "due": begun + EVERY_SECONDS * number, "seconds": SECONDS[importance]}
        items.append({**one, "importance": importance, "sound": sound, "title": "Khẩn"})
    book.put("token", "a-token")
    book.put("plan", json.dumps({"zone": "Tổ 5", "volume": 80, "items": items, "ready": []}))
    book.put("last_known", str(time.time() - 1))
    book.close()
    return {one["key"]: (one["sound"], one["importance"]) for one in items}


class Program:
    """The running program in a process group of its own, and the players that it has started."""

    def __init__(self, folder):
        arguments = ["--data", folder, "--server", f"http://127.0.0.1:{free_port()}"]
        sinks = ["--sink", f"file:{folder / 'out'}", "--second", f"file:{folder / 'second'}"]
        self.process = subprocess.Popen(
            [BLUEZONE, "speaker", "run", *arguments, *sinks],
            stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        for line in self.process.stdout:
            if "ready" in line:
                return
        raise AssertionError("ended before it was ready")

    def players(self):
        """Descriptors of its children's processes."""
        found = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    found.append((int(child), os.pidfd_open(int(child))))
        return found

    def kill(self, way):
        """Kill the program alone, all processes at once, or a player first; and wait until all are gone."""
        players = self.players()
        if way == "player" and players:
            os.kill(players[0][0], signal.SIGKILL)
        if way == "tree":
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        for _pid, player in players:
            # The time is only so that a failure ends.
            assert select.select([player], [], [], 60)[0], "a player outlived its program"
            os.close(player)


def recordings(folder):
    """By the first letters of a hash: when each recording began, in Unix seconds, and its seconds."""
    found = {}
    for path in sorted(folder.glob("*.wav")):
        seconds = 0.0
        with contextlib.suppress(wave.Error, EOFError), wave.open(str(path)) as sound:
            # The header of one that was cut off tells no length.
            seconds = (path.stat().st_size - 44) / (sound.getframerate() * sound.getsampwidth() * sound.getnchannels())
        found.setdefault(path.stem.split("-")[1], []).append((path.stat().st_mtime - seconds, max(0.0, seconds)))
    return found


def agree(folder, keys):
    """Compare every attempt that is logged with what was recorded since it began; how many there were."""
    book = SpeakerBook(folder / "speaker", time.time)
    begun, reported = book.begun(), {row["airing"]: row for row in book.unsent(1000)}
    book.close()
    first, second, count = recordings(folder / "out"), recordings(folder / "second"), 0
    for key, (sound, _importance) in keys.items():
        row = reported.get(key, {})
        last = [] if row.get("began") is None else [(row["began"], row["heard"])]
        logged = [*row.get("earlier", ()), *last] if row else begun.get(key, [])
        sums = [0.0] * (len(logged) + 1)
        for at, seconds in first.get(sound[:8], []):
            sums[bisect.bisect([began for began, _heard in logged], at + 0.5)] += seconds
        assert sums == pytest.approx([0.0, *(heard for _began, heard in logged)], abs=1.0), (key, row, logged)
        if "second" in row:
            assert row["second"]["heard"] == pytest.approx(second[sound[:8]][-1][1], abs=1.0)
        count += len(logged)
    return count


def test_after_each_of_fifty_kills_the_log_agrees_with_the_recording(tmp_path):
    keys = furnish(tmp_path, 60)
    chance = random.Random(5)
    program, attempts = None, 0
    try:
        for number in range(KILLS):
            program = Program(tmp_path)
            # At any moment of what plays, not at a step of the program.
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.process.wait(chance.uniform(0.0, TONE_SECONDS + 2 * SECONDS["emergency"]))
            program.kill(("program", "tree", "player")[number % 3])
            attempts = agree(tmp_path, keys)
    finally:
        if program is not None and program.process.poll() is None:
            os.killpg(program.process.pid, signal.SIGKILL)

    book = SpeakerBook(tmp_path / "speaker", time.time)
    told = {row["airing"]: row for row in book.unsent(1000)}
    book.close()
    outcomes = [(keys[key][1], row["outcome"], row["reason"]) for key, row in told.items()]
    assert attempts > KILLS / 2
    assert ("emergency", "played", "said_again") in outcomes
    assert ("normal", "missed", "cut_off") in outcomes
    assert all(row["tone"] == pytest.approx(TONE_SECONDS, abs=1.0) for row in told.values() if "tone" in row)
