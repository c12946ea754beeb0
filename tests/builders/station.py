# SPDX-License-Identifier: Apache-2.0
"""A radio station for a test: endless MP3 over HTTP, as Icecast sends it, or HLS; it can stop, break off and refuse. It
shares no code with the loudspeaker: it has only HTTP and files made by ffmpeg.
"""

import functools
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# 64 kbit/s.
BYTES_A_SECOND = 8000
BURST_SECONDS = 2.0
SEGMENT_SECONDS = 2


@functools.cache
def mp3(source: str, seconds: int = 30) -> bytes:
    """An MP3 of constant bit rate. source: for ffmpeg's lavfi, such as sine=440."""
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-t", str(seconds), "-i", source, "-ac", "1"]
    shape = ["-ar", "32000", "-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3", "-"]
    return subprocess.run([*command, *shape], check=True, capture_output=True).stdout


@functools.cache
def segments(source: str, seconds: int = 30) -> list[bytes]:
    """The sound of `source` as HLS segments."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-t", str(seconds), "-i", source, "-ac", "1"]
        shape = ["-c:a", "aac", "-b:a", "64k", "-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_list_size", "0"]
        subprocess.run([*command, *shape, f"{folder}/s.m3u8"], check=True)
        return [path.read_bytes() for path in sorted(Path(folder).glob("*.ts"), key=lambda path: int(path.stem[1:]))]


class Station:
    """A station. says: the source that it sends now, "" to refuse and break off. fetched: the number of streams."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.says = "sine=440"
        self.fetched = 0
        self.begun = time.monotonic()

    @property
    def stream(self) -> str:
        return f"{self.address}/live.mp3"

    @property
    def playlist(self) -> str:
        return f"{self.address}/live.m3u8"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        station: Station = self.server.station  # type: ignore[attr-defined]
        if not station.says:
            self.send_error(503)
        elif self.path == "/live.mp3":
            self._stream(station)
        elif self.path == "/live.m3u8":
            newest = int((time.monotonic() - station.begun) / SEGMENT_SECONDS) + 3
            lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}",
                     f"#EXT-X-MEDIA-SEQUENCE:{newest - 3}"]  # fmt: skip
            for number in range(newest - 3, newest):
                # Timestamps start again in each repetition; without this tag, a player takes it for old segments.
                lines += ["#EXT-X-DISCONTINUITY", f"#EXTINF:{SEGMENT_SECONDS}.0,", f"{number}.ts"]
            self._whole("\n".join([*lines, ""]).encode(), "application/vnd.apple.mpegurl")
        else:
            some = segments(station.says)
            self._whole(some[int(self.path[1:].split(".")[0]) % len(some)], "video/mp2t")

    def _whole(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, station: Station) -> None:
        station.fetched += 1
        self.send_response(200)
        self.send_header("Content-Type", "audio/mpeg")
        self.end_headers()
        at = 0
        begun = time.monotonic() - BURST_SECONDS
        piece = BYTES_A_SECOND // 10
        try:
            while station.says and not self.server.ends.is_set():  # type: ignore[attr-defined]
                content = mp3(station.says)
                start = at % (len(content) - piece)
                self.wfile.write(content[start : start + piece])
                at += piece
                early = begun + at / BYTES_A_SECOND - time.monotonic()
                if early > 0:
                    self.server.ends.wait(early)  # type: ignore[attr-defined]
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def station_on_air() -> Iterator[Station]:
    """A station at a port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    server.daemon_threads = True
    server.ends = threading.Event()  # type: ignore[attr-defined]
    station = server.station = Station(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield station
    finally:
        server.ends.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()
        server.server_close()
