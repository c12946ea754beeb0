# SPDX-License-Identifier: Apache-2.0
"""What is spoken live, from an office of the test's own through the pipe into a real player."""

import base64
import shutil
import subprocess
import threading
import time
import wave

import pytest
from tests.builders.fakeoffice import FakeOffice, serve_fake_office

from bluezone.edge.speaker.book import SpeakerBook
from bluezone.edge.speaker.main import feed_until
from bluezone.edge.speaker.plan import Plan
from bluezone.edge.speaker.player import open_player
from bluezone.edge.speaker.programme import Programme
from bluezone.edge.speaker.sync import SpeakerClock, SpeakerSync

SECONDS = 2.0
AT_ONCE = 3


class Office(FakeOffice):
    """Hands a few pieces out at a time, and once answers with an error."""

    def do_GET(self):
        number, first = map(int, self.path.split("/")[-2:])
        assert number == 7
        self.server.asked += 1
        if self.server.asked == 2:
            self.answer(503, {"error": {"code": "busy", "message": ""}})
            return
        some = self.server.pieces[first : first + AT_ONCE]
        more = first + len(some) < len(self.server.pieces)
        self.answer(200, {"pieces": [base64.b64encode(piece).decode() for piece in some], "more": more})


@pytest.fixture
def pieces(tmp_path):
    """One WebM stream with Opus, as a browser's recorder makes it, in pieces that end anywhere."""
    made = tmp_path / "made.webm"
    tone = ["-f", "lavfi", "-i", f"sine=440:duration={SECONDS}", "-c:a", "libopus", "-b:a", "32k", "-f", "webm"]
    subprocess.run(["ffmpeg", "-loglevel", "error", *tone, made], check=True)
    content = made.read_bytes()
    size = len(content) // 8
    return [content[at : at + size] for at in range(0, len(content), size)]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.long
def test_what_is_spoken_reaches_the_loudspeaker_whole_and_ends_when_it_is_over(tmp_path, pieces):
    book, stopped = SpeakerBook(tmp_path / "speaker", time.time), threading.Event()
    player = open_player(f"file:{tmp_path / 'out'}")
    programme = Programme(book, player, time.time, time.monotonic, lambda line: None)
    programme.follow(Plan("Tổ 5", 100, (), live=(7, time.time() + 180)))
    with serve_fake_office(Office, pieces=pieces, asked=0) as office:
        clock = SpeakerClock(book, time.time, time.monotonic)
        address = f"http://127.0.0.1:{office.server_port}"
        hearing = SpeakerSync(address, book, clock, time.monotonic, player.sink)
        feeding = threading.Thread(target=feed_until, args=(stopped, hearing, programme, book))
        feeding.start()
        try:
            deadline = time.monotonic() + 600
            while not book.is_done("live-7") and time.monotonic() < deadline:
                programme.step()
                stopped.wait(0.05)
        finally:
            stopped.set()
            programme.stop()
            feeding.join()

    (told,) = book.unsent(10)
    book.close()
    assert (told["airing"], told["outcome"]) == ("live-7", "played")
    assert told["heard"] == pytest.approx(SECONDS, abs=0.2)
    (recorded,) = (tmp_path / "out").glob("*-live.wav")
    with wave.open(str(recorded)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(SECONDS, abs=0.1)
