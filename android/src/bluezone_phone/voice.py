# SPDX-License-Identifier: Apache-2.0
"""Reading aloud with Android's own text-to-speech: a web view of Android has no speechSynthesis.

Only voices that need no network are used, so that what is read is not sent on by the program that speaks.
"""

import queue
import threading
from typing import Any

from android.content import Context
from android.os import Bundle
from android.speech.tts import TextToSpeech
from java import dynamic_proxy
from java.lang import String

from bluezone.handset.page.api import Spoken
from bluezone_phone.components import SpeechProgress

# A program that speaks and is asleep takes seconds to come up; a piece has at most a few sentences.
OPEN_SECONDS, PIECE_SECONDS = 20.0, 120.0


class Opened(dynamic_proxy(TextToSpeech.OnInitListener)):  # type: ignore[misc]
    """Hears whether there is anything that speaks."""

    def __init__(self, told: "queue.SimpleQueue[str]") -> None:
        super().__init__()
        self._told = told

    def onInit(self, status: int) -> None:
        """Called once, perhaps before the constructor of TextToSpeech returns."""
        self._told.put("ready" if status == TextToSpeech.SUCCESS else "engine_missing")


class AndroidVoice:
    """Speaks one screen at a time. context: the application's own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        # What happens to the reading under way, as it happens.
        self._told: queue.SimpleQueue[str] | None = None

    def speak(self, language: str, pieces: list[str]) -> Spoken:
        """Read aloud until it is over. The engine is bound for this reading alone: one installed since is found."""
        told: queue.SimpleQueue[str] = queue.SimpleQueue()
        with self._lock:
            if self._told is not None:
                self._told.put("stopped")
            self._told = told
        opened, progress = Opened(told), SpeechProgress()
        progress.told = told
        engine = TextToSpeech(self._context, opened)
        try:
            return self._read(engine, progress, told, language, pieces)
        finally:
            engine.stop()
            engine.shutdown()
            with self._lock:
                if self._told is told:
                    self._told = None

    def stop(self) -> None:
        """Stop."""
        with self._lock:
            if self._told is not None:
                self._told.put("stopped")

    def _read(
        self, engine: Any, progress: Any, told: "queue.SimpleQueue[str]", language: str, pieces: list[str]
    ) -> Spoken:  # fmt: skip
        begun = _next(told, OPEN_SECONDS)
        if begun != "ready":
            return "stopped" if begun == "stopped" else "engine_missing"
        voice = _voice_for(engine, language)
        if voice is None:
            return "voice_missing"
        engine.setOnUtteranceProgressListener(progress)
        engine.setVoice(voice)
        for number, piece in enumerate(pieces):
            if (
                engine.speak(String(piece), TextToSpeech.QUEUE_ADD, Bundle(), String(str(number)))
                != TextToSpeech.SUCCESS
            ):
                return "failed"
        for _ in pieces:
            outcome = _next(told, PIECE_SECONDS)
            if outcome != "done":
                return "stopped" if outcome == "stopped" else "failed"
        return "ended"


def _next(told: "queue.SimpleQueue[str]", seconds: float) -> str | None:
    try:
        return told.get(timeout=seconds)
    except queue.Empty:
        return None


def _voice_for(engine: Any, language: str) -> Any:
    """The best voice of a language that is on the phone itself, or None."""
    voices = engine.getVoices()
    found = [voice for voice in (voices.toArray() if voices is not None else []) if _is_here(voice, language)]
    return max(found, key=lambda voice: voice.getQuality(), default=None)


def _is_here(voice: Any, language: str) -> bool:
    features = voice.getFeatures()
    absent = features is not None and features.contains(TextToSpeech.Engine.KEY_FEATURE_NOT_INSTALLED)
    return str(voice.getLocale().getLanguage()) == language and not voice.isNetworkConnectionRequired() and not absent
