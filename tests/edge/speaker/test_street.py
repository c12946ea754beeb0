# SPDX-License-Identifier: Apache-2.0
"""Whether a microphone in the street hears what was played: on simulated streets, with the errors counted."""

import hashlib
import itertools
import shutil
import sys
import wave

import numpy as np
import pytest
from tests.builders.streets import RATE, heard, speech, unheard

from bluezone.edge.speaker.book import SpeakerBook
from bluezone.edge.speaker.plan import Item, Plan
from bluezone.edge.speaker.player import PlayerUnavailable
from bluezone.edge.speaker.programme import Programme
from bluezone.edge.speaker.street import (
    EARLIEST_SECONDS,
    LATEST_SECONDS,
    LEAST_SECONDS,
    MOST_SECONDS,
    Ear,
    Microphone,
    Street,
    compare,
)

pytestmark = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("espeak-ng") is None, reason="needs ffmpeg and espeak-ng"
)
NOISES = ("pink", "traffic", "people", "music")
START = 1_600_000_000.0


def stretch(number, seconds, random):
    """What the player got, from LATEST_SECONDS before the recording until EARLIEST_SECONDS after it, and more after."""
    said = speech(number)
    length = round((LATEST_SECONDS + seconds + EARLIEST_SECONDS + 1) * RATE)
    return np.resize(said[random.integers(len(said) - RATE) :], length)


def judged(sounds, recorded, seconds):
    played = sounds[: round((LATEST_SECONDS + seconds + EARLIEST_SECONDS) * RATE)]
    return compare(recorded.astype(np.float32), played.astype(np.float32))


def from_street(random, seconds, noisy, snr_db):
    """The word for a bulletin that is heard somewhere, with the delay it really had."""
    sounds, delay = stretch(int(random.integers(4)), seconds, random), float(random.uniform(0, 3))
    rest = {"echo_seconds": random.uniform(0.2, 1.2), "level_db": random.uniform(-45, -15), "delay_seconds": delay}
    taken = heard(sounds, random, noisy=noisy, snr_db=snr_db, **rest)
    begins = round(LATEST_SECONDS * RATE)
    return judged(sounds, taken[begins : begins + round(seconds * RATE)], seconds), delay


def from_dead_horn(random, seconds, noisy):
    """The word while the horn is dead, and half of the times the next village's bulletin is heard."""
    number = int(random.integers(4))
    sounds = stretch(number, seconds, random)
    other = speech((number + int(random.integers(1, 4))) % 4) if random.random() < 0.5 else None
    level = random.uniform(-45, -15)
    return judged(sounds, unheard(round(seconds * RATE), random, noisy=noisy, level_db=level, other=other), seconds)


def counted(random, times, snrs):
    """Words by kind of street: {(seconds, snr or None): {street: times}}, over all noises; delays that were found."""
    found, delays = {}, []
    for seconds, noisy in itertools.product((MOST_SECONDS, LEAST_SECONDS), NOISES):
        for _ in range(times):
            for snr in snrs:
                said, delay = from_street(random, seconds, noisy, snr)
                words = found.setdefault((seconds, snr), {})
                words[said.street] = words.get(said.street, 0) + 1
                if said.street == Street.HEARD:
                    delays.append(abs(said.delay_seconds - delay))
            said, words = from_dead_horn(random, seconds, noisy), found.setdefault((seconds, None), {})
            words[said.street] = words.get(said.street, 0) + 1
    return found, delays


def test_what_is_heard_is_told_from_what_is_not_in_noise_echo_and_at_any_level():
    found, delays = counted(np.random.default_rng(20), 3, (5, 0))

    for (_seconds, snr), words in found.items():
        wrong = Street.HEARD if snr is None else Street.NOT_HEARD
        assert words.get(wrong, 0) == 0
        right = Street.NOT_HEARD if snr is None else Street.HEARD
        assert words[right] >= 0.75 * sum(words.values())
    # An echo can be louder than what comes first.
    assert np.median(delays) < 0.1


@pytest.mark.slow
def test_the_errors_of_a_thousand_streets():
    """The figures of docs/loudspeakers.md."""
    found, _delays = counted(np.random.default_rng(21), 25, (5, 0, -5, -10))
    for (seconds, snr), words in sorted(found.items(), key=str):
        # Shown with -s.
        sys.stdout.write(
            f"{seconds:.0f} s, {'dead horn' if snr is None else f'{snr} dB'}: {dict(sorted(words.items()))}\n"
        )

    for (_seconds, snr), words in found.items():
        every = sum(words.values())
        if snr is None:
            assert words.get(Street.HEARD, 0) <= 0.01 * every
        elif snr >= 0:
            assert words.get(Street.NOT_HEARD, 0) <= 0.01 * every


@pytest.mark.parametrize("spoiled", ["dead", "clipped", "short", "nothing"])
def test_a_microphone_that_gives_nothing_to_go_by_says_that_it_is_not_known(spoiled):
    random = np.random.default_rng(5)
    sounds = stretch(0, MOST_SECONDS, random)
    taken = sounds[round(LATEST_SECONDS * RATE) :][: round(MOST_SECONDS * RATE)]
    assert judged(sounds, taken, MOST_SECONDS).street == Street.HEARD

    recorded = {
        "dead": taken * 1e-5,
        "clipped": np.sign(taken),
        "short": taken[: 3 * RATE],
        "nothing": np.zeros(0),
    }[spoiled]
    assert judged(sounds, recorded, MOST_SECONDS).street == Street.NOT_KNOWN


def test_a_bulletin_without_change_cannot_be_told_from_a_hum():
    tone = np.sin(np.arange(20 * RATE) * 0.3) * 0.3
    assert judged(tone, tone[: round(MOST_SECONDS * RATE)], MOST_SECONDS).street == Street.NOT_KNOWN


def stored(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())
    return path


class Village:
    """A loudspeaker whose time the test moves, beside a microphone that is a file."""

    sink = "ffplay"

    def __init__(self, folder, microphone):
        self.at, self.ends = START, 0.0
        self.book = SpeakerBook(folder, lambda: self.at)
        self.programme = Programme(self.book, self, self.now, self.now, lambda line: None, listens=bool(microphone))
        self.ear = microphone and Ear(self.programme, Microphone(f"file:{microphone}"))
        # What plays is a WAV under the name of an MP3: ffmpeg looks into files that are not piped.
        content = stored(folder / "made.wav", np.tile(speech(0), 2)).read_bytes()
        self.seconds = len(content) / 2 / RATE
        (folder / "made.wav").unlink()
        self.item = self.add(content, "1-1-vi-1")

    def now(self):
        return self.at

    def add(self, content, key, importance="normal"):
        sound = hashlib.sha256(content).hexdigest()
        assert self.book.keep_sound(sound, content)
        return Item(key, self.at, self.seconds, importance, sound, "Bản tin")

    def start(self, path, skip_seconds, volume):
        self.ends = self.at + (3 if path.suffix == ".wav" else self.seconds - skip_seconds)
        return self

    def is_running(self):
        return self.at < self.ends

    def ended_well(self):
        return True

    def heard(self):
        return None

    def stop(self):
        self.ends = self.at

    def live(self, seconds):
        for _ in range(round(seconds / 0.25)):
            self.at += 0.25
            self.programme.step()

    def air(self):
        """The bulletin is played, and listened to when it has begun; what is told."""
        self.programme.follow(Plan("Tổ 5", 80, (self.item,)))
        self.live(3)
        if self.ear:
            self.ear.step()
        self.live(self.seconds)
        return {one["airing"]: one for one in self.book.unsent(9)}


def room(number, begins=3.0):
    """A street in which a bulletin is heard, from where the player is when the listening begins."""
    sounds = np.tile(speech(number), 2)[: 24 * RATE]
    taken = heard(sounds, np.random.default_rng(6), noisy="traffic", snr_db=5, echo_seconds=0.6, level_db=-30,
                  delay_seconds=0.4)  # fmt: skip
    return taken[round(begins * RATE) :]


def test_the_report_has_what_the_microphone_heard_and_nothing_of_the_recording_is_kept(tmp_path):
    village = Village(tmp_path / "speaker", stored(tmp_path / "street.wav", room(0)))
    before = {path.name for path in (tmp_path / "speaker").rglob("*")}
    told = village.air()["1-1-vi-1"]

    assert (told["outcome"], told["street"]) == ("played", "heard")
    assert {path.name for path in (tmp_path / "speaker").rglob("*")} - before == set()


def test_a_cut_cable_is_noticed_though_the_player_played(tmp_path):
    village = Village(tmp_path / "speaker", stored(tmp_path / "street.wav", room(1)))
    told = village.air()["1-1-vi-1"]
    assert (told["outcome"], told["street"]) == ("played", "not_heard")


def test_without_a_microphone_nothing_is_said_and_with_a_broken_one_that_it_is_not_known(tmp_path):
    assert "street" not in Village(tmp_path / "without", None).air()["1-1-vi-1"]
    assert Village(tmp_path / "broken", tmp_path / "gone.wav").air()["1-1-vi-1"]["street"] == "not_known"


def test_what_an_emergency_interrupted_while_it_was_listened_to_is_not_known(tmp_path):
    village = Village(tmp_path / "speaker", stored(tmp_path / "street.wav", room(0)))
    emergency = village.add(b"an emergency", "1-1-vi-2", "emergency")
    village.programme.follow(Plan("Tổ 5", 80, (village.item,)))
    village.live(3)

    class Meanwhile(Microphone):
        def record(self, seconds):
            taken = super().record(seconds)
            village.programme.follow(Plan("Tổ 5", 80, (village.item, emergency)))
            village.live(1)
            return taken

    Ear(village.programme, Meanwhile(f"file:{tmp_path / 'street.wav'}")).step()
    village.live(3 * village.seconds)
    told = {one["airing"]: one for one in village.book.unsent(9)}
    assert told["1-1-vi-1"]["outcome"] == "played"
    assert told["1-1-vi-1"]["street"] == "not_known"


@pytest.mark.parametrize("source", ["", "hw:1", "http://a.vn/x", "alsa:"])
def test_a_source_that_is_no_microphone_is_refused(source):
    with pytest.raises(PlayerUnavailable):
        Microphone(source)
