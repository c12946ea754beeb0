# SPDX-License-Identifier: Apache-2.0
"""Which voice speaks: espeak-ng unless the operator names a model of piper, and espeak-ng again where that fails.

piper and its models are no part of this repository: a program of that name stands in, takes the same options and writes
what it was given. How a model of piper sounds is not tested.
"""

import json
import shutil
import sys

import pytest

from bluezone.speech import voice

needs_programs = pytest.mark.skipif(not voice.can_speak(), reason="needs espeak-ng and ffmpeg")
# With the options of piper-tts 1.8; a line of its input is a sentence.
STAND_IN = """#!{python}
import json, pathlib, sys, wave
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if not pathlib.Path(options["--model"]).exists():
    sys.exit("Unable to find voice")
lines = [line for line in sys.stdin.read().splitlines() if line]
pathlib.Path(options["--model"]).with_name("heard.json").write_text(json.dumps(lines))
with wave.open(options["--output_file"], "wb") as file:
    file.setnchannels(1), file.setsampwidth(2), file.setframerate(22050)
    file.writeframes(bytes(range(256)) * 400)
"""


@pytest.fixture
def piper(tmp_path, monkeypatch):
    """The folder of a model, with piper on PATH."""
    program = tmp_path / "piper"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("BLUEZONE_PIPER_VI", str(tmp_path / "vi.onnx"))
    return tmp_path


def test_espeak_speaks_where_nothing_is_named(monkeypatch):
    monkeypatch.delenv("BLUEZONE_PIPER_VI", raising=False)
    found = shutil.which("espeak-ng")

    assert [one.program for one in voice.voices_of("vi")] == (["espeak-ng"] if found else [])


@needs_programs
def test_piper_speaks_with_the_model_that_is_named_and_gets_the_text_in_one_line(piper, tmp_path):
    (piper / "vi.onnx").touch()

    voice.say("Thông báo\n\nKính thưa bà con.", "vi", tmp_path / "said.wav")

    assert json.loads((piper / "heard.json").read_text()) == ["Thông báo. Kính thưa bà con."]
    assert [one.program for one in voice.voices_of("vi")] == ["piper", "espeak-ng"]
    assert [one.program for one in voice.voices_of("en")] == ["espeak-ng"]
    assert voice.spoken_mp3("Kính thưa bà con.", "vi")[:3] == b"ID3"


@needs_programs
def test_espeak_speaks_where_piper_fails_and_the_log_says_so(piper, tmp_path, caplog):
    voice.say("Kính thưa bà con.", "vi", tmp_path / "said.wav")

    assert (tmp_path / "said.wav").stat().st_size > 10_000
    assert [record.event for record in caplog.records] == ["voice_failed"]
    assert caplog.records[0].facts == {"program": "piper"}
