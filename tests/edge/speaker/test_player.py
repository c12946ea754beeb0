# SPDX-License-Identifier: Apache-2.0
"""What plays the sound, as processes: it is silent when the program that began it is gone."""

import itertools
import math
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading

import pytest

from bluezone.edge.speaker.book import TONE_SECONDS, SpeakerBook
from bluezone.edge.speaker.player import PlayerUnavailable, open_player

needs_sound = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
# A sound far longer than the test: it cannot have come to its end by itself.
LONG = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "600", "-b:a", "8k"]
PLAYS = """
import sys, time
from pathlib import Path
from bluezone.edge.speaker.player import open_player
sounding = open_player(sys.argv[1]).start(Path(sys.argv[2]), 0.0, 80)
print(*(process.pid for process in sounding._processes), flush=True)
time.sleep(3600)
"""


@needs_sound
@pytest.mark.parametrize("sink", ["null", "file"])
def test_the_sound_dies_with_the_program_that_is_killed(tmp_path, sink):
    sound = tmp_path / "long.mp3"
    subprocess.run(["ffmpeg", "-loglevel", "error", *LONG, sound], check=True)
    sink = sink if sink == "null" else f"file:{tmp_path / 'out'}"
    program = subprocess.Popen([sys.executable, "-c", PLAYS, sink, sound], stdout=subprocess.PIPE, text=True)
    players = [os.pidfd_open(int(pid)) for pid in program.stdout.readline().split()]
    try:
        assert players
        program.send_signal(signal.SIGKILL)
        program.wait()
        # A process's descriptor can be read once it has ended; the time is only so that a failure ends.
        assert [bool(select.select([player], [], [], 30)[0]) for player in players] == [True] * len(players)
    finally:
        program.kill()
        program.stdout.close()
        for player in players:
            if not select.select([player], [], [], 0)[0]:
                signal.pidfd_send_signal(player, signal.SIGKILL)
            os.close(player)


@pytest.fixture
def tone(tmp_path):
    book = SpeakerBook(tmp_path / "speaker", lambda: 0.0)
    yield book.tone()
    book.close()


@needs_sound
@pytest.mark.long
def test_a_player_tells_how_much_has_come_out_of_it(tmp_path, tone):
    sounding = open_player(f"file:{tmp_path / 'out'}").start(tone, 1.0, 80)
    assert sounding.ended_well()
    assert sounding.heard() == sounding.heard() == pytest.approx(TONE_SECONDS - 1.0, abs=0.05)


@needs_sound
@pytest.mark.long
def test_an_ip_loudspeaker_hears_the_tone_by_rtp_as_a_telephone_does(tone):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(60)
        packets = []
        hearing = threading.Thread(target=hear, args=(ear, packets, TONE_SECONDS))
        hearing.start()
        sounding = open_player(f"rtp:127.0.0.1:{ear.getsockname()[1]}").start(tone, 0.0, 100)
        assert sounding.ended_well()
        assert sounding.heard() == pytest.approx(TONE_SECONDS, abs=0.05)
        hearing.join()

    heads = [struct.unpack("!BBHII", packet[:12]) for packet in packets]
    # RFC 3550: version 2 without padding, extension or sources; RFC 3551: 0 is G.711 with the law of the US, 8 kHz.
    assert {(head[0], head[1] & 0x7F) for head in heads} == {(0x80, 0)}
    assert len({head[4] for head in heads}) == 1
    assert [(head[2] - heads[0][2]) % 65_536 for head in heads] == list(range(len(heads)))
    assert {(later[3] - head[3]) % 2**32 for head, later in itertools.pairwise(heads)} == {160}
    samples = [linear(byte) for packet in packets for byte in packet[12:]]
    assert len(samples) / 8000 == pytest.approx(TONE_SECONDS, abs=0.05)
    # Half a second each of 660 and 880 Hz, in turn.
    for number, pitch in enumerate((660, 880, 660, 880, 660, 880)):
        piece = samples[number * 4000 + 400 : number * 4000 + 3600]
        assert power(piece, pitch) > 20 * power(piece, 1540 - pitch)


@pytest.mark.parametrize(
    "place", ["", "224.0.2.60", "224.0.2.60:0", "loa.example.vn:5000", "1.2.3.4:5000?ttl=9", "-i:1"]
)
def test_a_sink_that_is_no_address_and_port_is_refused(place):
    with pytest.raises(PlayerUnavailable):
        open_player(f"rtp:{place}")


def hear(ear, packets, seconds):
    while sum(len(packet) - 12 for packet in packets) < seconds * 8000 - 160:
        packets.append(ear.recv(2048))


def linear(byte):
    """The sample of one byte of G.711 with the law of the US, from its table: sign, segment, step."""
    byte = ~byte & 0xFF
    size = (((byte & 15) << 3) + 132 << (byte >> 4 & 7)) - 132
    return -size if byte & 128 else size


def power(samples, pitch):
    """Of one pitch among samples of 8 kHz."""
    turns = [2 * math.pi * pitch * number / 8000 for number in range(len(samples))]
    return math.hypot(
        sum(sample * math.cos(turn) for sample, turn in zip(samples, turns, strict=True)),
        sum(sample * math.sin(turn) for sample, turn in zip(samples, turns, strict=True)),
    )
