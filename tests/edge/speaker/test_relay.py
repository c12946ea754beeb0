# SPDX-License-Identifier: Apache-2.0
"""Relay of a station: its stream over real HTTP into a real player, the fall-back while it fails, and what is told."""

import hashlib
import http.client
import json
import os
import shutil
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from tests.builders.station import mp3, station_on_air

from bluezone.edge.speaker.book import SpeakerBook
from bluezone.edge.speaker.main import relay_until
from bluezone.edge.speaker.plan import Item, Plan, read_plan
from bluezone.edge.speaker.player import open_player
from bluezone.edge.speaker.programme import Programme
from bluezone.edge.speaker.relay import FALL_BACK, RATE, SILENCE, STATION, Relay, Relaying, is_web
from bluezone.edge.speaker.way_out import WayOut, is_public

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
QUICK = Relaying(lambda address: True, begin=20.0, pause=0.5, silent=1.0, again=0.3)
TONES = {STATION: 440, FALL_BACK: 1100, "emergency": 1500}
LONG = 3000.0


class Village:
    """A loudspeaker with a file as sink, whose time the test can let pass."""

    def __init__(self, folder, relaying=QUICK):
        self.out, self.passed = folder / "out", 0.0
        self.book = SpeakerBook(folder / "speaker", self.now)
        self.relaying = relaying
        self.open()

    def open(self):
        player = open_player(f"file:{self.out}")
        said = [].append
        self.programme = Programme(self.book, player, self.now, self.boot, said, relaying=self.relaying)
        self.stopped = threading.Event()
        self.feeding = threading.Thread(target=relay_until, args=(self.stopped, self.programme, self.book))
        self.feeding.start()

    def now(self):
        return time.time() + self.passed

    def boot(self):
        return time.monotonic() + self.passed

    def sound(self, source, seconds):
        content = mp3(source, seconds)
        sound = hashlib.sha256(content).hexdigest()
        assert self.book.keep_sound(sound, content)
        return sound

    def follow(self, *items):
        self.programme.follow(Plan("Tổ 5", 100, items))

    def until(self, is_so, most=240):
        """Step until something is so; how long that takes is not judged."""
        deadline = time.monotonic() + most
        while not is_so():
            assert time.monotonic() < deadline
            self.programme.step()
            self.stopped.wait(0.02)

    def until_heard(self, kind, seconds):
        """Step until the sink has recorded so much more of a tone."""
        before = self.heard().get(kind, 0.0)
        self.until(lambda: self.heard().get(kind, 0.0) >= before + seconds)

    def heard(self):
        """Seconds in the sink's files of each kind, told apart by their pitch and nothing else."""
        found = {}
        for path in sorted(self.out.glob("*.wav")) if self.out.exists() else ():
            content = path.read_bytes()
            at = content.find(b"data") + 8
            rate = int.from_bytes(content[24:28], "little") or RATE
            samples = np.frombuffer(content[at : at + (len(content) - at) // 2 * 2], "<i2").astype(float)
            frame = rate // 10
            for start in range(0, len(samples) - frame + 1, frame):
                piece = samples[start : start + frame]
                pitch = np.abs(np.fft.rfft(piece)).argmax() * 10
                kinds = [kind for kind, tone in TONES.items() if abs(tone - pitch) <= 20]
                kind = SILENCE if np.abs(piece).max() < 60 else kinds[0] if kinds else "other"
                found[kind] = found.get(kind, 0.0) + 0.1
        return found

    def end(self):
        """The time of the relay passes."""
        self.passed += LONG + 100

    def close(self):
        self.stopped.set()
        self.programme.stop()
        self.feeding.join()


@pytest.fixture
def village(tmp_path):
    made = Village(tmp_path)
    yield made
    made.close()
    made.book.close()


def relay_of(village, address, seconds=LONG, tone=1100):
    return Item("relay", village.now(), seconds, "normal", village.sound(f"sine={tone}", 60), "Thời sự", address)


def summed(parts):
    found = {}
    for kind, _began, seconds in parts:
        found[kind] = found.get(kind, 0.0) + seconds
    return found


@pytest.mark.slow
def test_a_station_that_fails_and_falls_silent_is_bridged_and_comes_back_and_the_log_is_what_was_recorded(village):
    with station_on_air() as station:
        item = relay_of(village, station.stream)
        village.follow(item)
        village.until_heard(STATION, 2)
        station.says = ""
        village.until_heard(FALL_BACK, 1)
        station.says = "sine=440"
        village.until_heard(STATION, 1.5)
        station.says = "anullsrc=r=32000"
        village.until_heard(FALL_BACK, 1)
        station.says = "sine=440"
        village.until_heard(STATION, 1.5)
        emergency = Item("alarm", village.now(), 2.0, "emergency", village.sound("sine=1500", 2), "Khẩn")
        village.follow(item, emergency)
        village.until(lambda: village.book.is_done("alarm"))
        village.until_heard(STATION, 1)
        village.end()
        village.until(lambda: village.book.is_done("relay"))

    told = {one["airing"]: one for one in village.book.unsent(9)}
    heard, parts = village.heard(), summed(told["relay"]["parts"])
    kinds = [kind for kind, _began, _seconds in told["relay"]["parts"] if kind != SILENCE]
    assert kinds == [STATION, FALL_BACK, STATION, FALL_BACK, STATION, STATION]
    assert told["alarm"]["outcome"] == "played"
    for kind in (STATION, FALL_BACK):
        # Gaps under half a second belong to what was before; a busy machine makes some.
        assert parts[kind] == pytest.approx(heard[kind], abs=1.0 + 0.1 * heard[kind])
    assert parts[SILENCE] >= QUICK.silent - 0.3
    assert told["relay"]["heard"] == pytest.approx(heard[STATION] + heard[FALL_BACK], abs=1.0)
    assert told["relay"]["heard"] <= parts[STATION] + parts[FALL_BACK] + 0.2
    # Its time ran out long before enough of it was heard, and the log says so.
    assert (told["relay"]["outcome"], told["relay"]["reason"]) == ("missed", "station_failed")
    began = [began for _kind, began, _seconds in told["relay"]["parts"]]
    assert began == sorted(began)


@pytest.mark.long
def test_a_station_as_hls_is_relayed_too(village):
    with station_on_air() as station:
        village.follow(relay_of(village, station.playlist))
        village.until_heard(STATION, 3)
        village.end()
        village.until(lambda: village.book.is_done("relay"))


@pytest.mark.long
def test_a_relay_that_was_cut_off_goes_on_after_the_restart(village):
    with station_on_air() as station:
        item = relay_of(village, station.stream)
        village.follow(item)
        village.until_heard(STATION, 1.5)
        village.close()
        village.open()
        village.follow(item)
        village.until_heard(STATION, 1)
        village.end()
        village.until(lambda: village.book.is_done("relay"))

    (told,) = village.book.unsent(9)
    ((_began, before),) = told["earlier"]
    assert before >= 1.0
    assert before + told["heard"] == pytest.approx(village.heard()[STATION], abs=1.0)


class Passing:
    """Time that passes as the relay waits, so that a relay of minutes takes no time."""

    def __init__(self):
        self.at = 1_600_000_000.0

    def now(self):
        return self.at

    def wait(self, seconds):
        self.at += seconds


def fed(relay, passing):
    """Everything that a relay writes into its pipe."""
    reading, writing = os.pipe()
    found = []

    def read():
        while content := os.read(reading, 65_536):
            found.append(content)

    thread = threading.Thread(target=read)
    thread.start()
    relay.feed(writing, lambda: True, passing.wait)
    os.close(writing)
    thread.join()
    os.close(reading)
    return b"".join(found)


def test_a_machine_asks_nothing_of_its_own_network_and_says_fall_back_and_silence(tmp_path):
    passing, fall_back = Passing(), tmp_path / "fall-back.mp3"
    fall_back.write_bytes(mp3("sine=1100", 6))
    with station_on_air() as station:
        relay = Relay(station.stream, fall_back, passing.at + 60, passing.now, passing.now, Relaying())
        content = fed(relay, passing)
        assert station.fetched == 0

    (first, begun, waited), (second, from_then, lasted), (third, _at, rest) = relay.parts()
    assert (first, second, third) == (SILENCE, FALL_BACK, SILENCE)
    assert begun == 1_600_000_000.0
    assert from_then == pytest.approx(begun + waited, abs=0.2)
    assert waited == pytest.approx(Relaying().begin, abs=0.2)
    assert lasted == pytest.approx(6, abs=0.3)
    assert waited + lasted + rest == pytest.approx(60, abs=1.0)
    assert len(content) / (2 * RATE) == pytest.approx(waited + lasted + rest, abs=0.1)
    assert relay.heard() == pytest.approx(lasted, abs=0.01)


class Still:
    """A player that takes what comes, for as long as the relay lasts; its time is the test's."""

    sink = "ffplay"

    def __init__(self, passing, seconds):
        self.passing, self.seconds = passing, seconds

    def start(self, path, skip_seconds, volume):
        self.ends = self.passing.now() + self.seconds
        return self

    def is_running(self):
        return self.passing.now() < self.ends

    def ended_well(self):
        return True

    def heard(self):
        return None

    def stop(self):
        self.ends = self.passing.now()


@pytest.mark.parametrize(("seconds_of_text", "outcome", "reason"), [
    (60, "played", "fell_back"), (10, "missed", "station_failed"),
])  # fmt: skip
def test_a_relay_counts_as_aired_where_station_and_text_filled_most_of_its_time(
    tmp_path, seconds_of_text, outcome, reason
):
    passing = Passing()
    book = SpeakerBook(tmp_path / "speaker", passing.now)
    content = mp3("sine=1100", seconds_of_text)
    sound = hashlib.sha256(content).hexdigest()
    assert book.keep_sound(sound, content)
    programme = Programme(book, Still(passing, 60), passing.now, passing.now, lambda line: None)
    item = Item("relay", passing.at, 60.0, "normal", sound, "Thời sự", "http://127.0.0.1:9/")
    programme.follow(Plan("Tổ 5", 80, (item,)))
    programme.step()
    fed(programme.relay, passing)
    passing.wait(1)
    programme.step()

    (told,) = book.unsent(9)
    book.close()
    assert (told["outcome"], told["reason"]) == (outcome, reason)
    assert told["heard"] == pytest.approx(min(seconds_of_text, 60 - Relaying().begin), abs=0.5)


def test_without_a_fall_back_there_is_silence_and_it_is_said(tmp_path):
    passing = Passing()
    relay = Relay("http://127.0.0.1:9/", None, passing.at + 30, passing.now, passing.now, Relaying())
    fed(relay, passing)

    assert [kind for kind, _began, _seconds in relay.parts()] == [SILENCE]
    assert relay.heard() == 0


@pytest.mark.parametrize("address", ["file:///etc/passwd", "concat:a|b", "http://", "tcp://198.51.100.1:80"])
def test_what_is_no_address_of_the_web_is_never_fetched(address):
    assert not is_web(address)


@pytest.mark.parametrize("host", [
    "127.0.0.1", "192.168.1.1", "[::1]", "localhost", "169.254.169.254", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0",
])  # fmt: skip
def test_a_host_of_the_own_network_is_not_connected_to(host):
    with station_on_air() as station:
        way_out = WayOut(is_public)
        port, proxy = station.address.rpartition(":")[2], way_out.address.removeprefix("http://")
        asked = http.client.HTTPConnection(proxy, timeout=60)
        asked.request("GET", f"http://{host}:{port}/live.mp3")
        assert asked.getresponse().status == 403
        tunnel = http.client.HTTPConnection(proxy, timeout=60)
        tunnel.set_tunnel(host.strip("[]"), int(port))
        with pytest.raises(OSError, match="403"):
            tunnel.connect()
        way_out.close()
        assert station.fetched == 0


def leading_to(target):
    """A station at another address of this machine that leads on; it counts what it was asked."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            if self.path.endswith(".m3u8"):
                lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXT-X-MEDIA-SEQUENCE:1", "#EXTINF:2.0,", target, "")
                self.send_response(200)
                self.end_headers()
                self.wfile.write("\n".join(lines).encode())
            else:
                self.send_response(302)
                self.send_header("Location", target or f"{self.path}/on")
                self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.2", 0), Answer)
    server.asked, server.daemon_threads = [], True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@pytest.mark.parametrize(("first", "on"), [
    ("live.mp3", "http://127.0.0.1:{}/live.mp3"), ("live.m3u8", "http://[::ffff:127.0.0.1]:{}/live.mp3"),
])  # fmt: skip
def test_neither_a_redirect_nor_a_playlist_leads_into_the_own_network(tmp_path, first, on):
    with station_on_air() as station:
        leading = leading_to(on.format(station.address.rpartition(":")[2]))
        relaying = Relaying(lambda address: address == "127.0.0.2", begin=0.1, again=0.1)
        village = Village(tmp_path, relaying)
        try:
            village.follow(relay_of(village, f"http://127.0.0.2:{leading.server_port}/{first}"))
            village.until(lambda: station.fetched or leading.asked.count(f"/{first}") >= 2)
            assert station.fetched == 0
        finally:
            village.close()
            village.book.close()
            leading.shutdown()
            leading.server_close()


def test_a_redirect_within_what_is_allowed_is_followed_and_one_without_end_is_left(tmp_path, village):
    with station_on_air() as station:
        leading, endless = leading_to(station.stream), leading_to("")
        village.follow(relay_of(village, f"http://127.0.0.2:{leading.server_port}/"))
        village.until(lambda: station.fetched)
        village.end()
        village.until(lambda: village.book.is_done("relay"))
        again = replace(relay_of(village, f"http://127.0.0.2:{endless.server_port}/x"), key="again")
        village.follow(again)
        village.until(lambda: endless.asked.count("/x") >= 2)
        hops = endless.asked[: endless.asked.index("/x", 1)]
        assert len(hops) <= 9
        for server in (leading, endless):
            server.shutdown()
            server.server_close()


def test_a_plan_names_the_station_beside_the_fall_back():
    one = {"key": "1-1-vi-1", "due": 1, "seconds": 60, "importance": "normal", "sound": "0" * 64, "title": "Thời sự"}
    plan = '{"zone": "Tổ 5", "volume": 80, "items": [%s]}'
    with_relay = read_plan(plan % json.dumps({**one, "relay": "https://vov.example/live.mp3"}))
    assert with_relay.items[0].relay == "https://vov.example/live.mp3"
    assert read_plan(plan % json.dumps(one)).items[0].relay == ""
