# SPDX-License-Identifier: Apache-2.0
"""The phone's local page: the face (bluezone.face), and the JSON API that it calls.

The API has one call for each method of the engine contract. Calls that read are GET and change nothing; the others POST
a JSON object with the arguments by name. No call returns the encounter log, only how many identifiers were heard each
day. Source: face/static/engine/interface.js.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any, Literal, Protocol

from bluezone import localpage
from bluezone.face.files import SERVICE_WORKERS, StaticFile, page, static_files
from bluezone.handset.client import ServerAnswerRefused, ServerUnreachable
from bluezone.handset.overview import build_overview
from bluezone.handset.page import shapes
from bluezone.handset.phone import Handset
from bluezone.handset.report.stages import ReportDraft
from bluezone.handset.venues.gatepasses import SHOWN_SECONDS
from bluezone.localpage import CallInvalid
from bluezone.protocol.languages import LANGUAGES
from bluezone.refusal import Refused

# The languages of the face (words.js): those of the city's texts, and Chinese, with the city's texts in English.
PAGE_LANGUAGES = (*LANGUAGES, "zh")
Arguments = dict[str, Any]
MOST_PIECES = 500
MOST_PIECE_LENGTH = 1000
_RECORDINGS = re.compile(r"voice/(list\.json|[a-z]{2,8}/[a-z0-9-]{1,40}\.mp3)")

Spoken = Literal["ended", "stopped", "engine_missing", "voice_missing", "failed"]


class Voice(Protocol):
    """Reads aloud if the page cannot, as in a web view of Android. Called from any thread."""

    def speak(self, language: str, pieces: list[str]) -> Spoken:
        """Stop any current reading, then read texts in order; return at the end.

        "engine_missing": the phone has no speech engine; "voice_missing": it has no offline voice for this language.
        """

    def stop(self) -> None:
        """Stop reading."""


class LanguageUnknown(Refused):
    """The page has no texts in this language; the language was not changed."""

    code = "language_unknown"


class ReportNotPrepared(Refused):
    """No code was read since the program started; enter it again. Nothing was sent."""

    code = "report_not_prepared"


class WarningMissing(Refused):
    """This phone no longer has that warning; nothing was sent."""

    code = "warning_missing"


class NotOffered(Refused):
    """This edition of the phone does not offer the requested function; nothing was changed."""

    code = "not_offered"


class Api:
    """The calls of one phone. next_check: returns Unix seconds of the next planned check, or None.

    voice: reads aloud if the page cannot.
    """

    def __init__(
        self, handset: Handset, next_check: Callable[[], float | None], voice: Voice | None = None
    ) -> None:  # fmt: skip
        self._handset = handset
        self._voice = voice
        self._next_check = next_check
        self._draft: ReportDraft | None = None
        self._draft_lock = threading.Lock()
        self.erased = False
        self.reading: dict[str, Callable[[], Any]] = {
            "state": self._state, "visits": self._visits, "diary": lambda: shapes.diary_of(handset),
            "inbox": self._inbox, "reportState": lambda: shapes.report_of(handset),
            "sentLog": lambda: shapes.sent_of(handset), "language": lambda: self.language,
            "notifications": lambda: {"supported": False, "state": "off"},
            "journal": lambda: [shapes.entry_of(entry) for entry in handset.journal.all()],
            "events": lambda: [shapes.event_of(event) for event in handset.events.all()],
            "passState": lambda: {"answered": handset.passes.answered()},
        }  # fmt: skip
        self.changing: dict[str, Callable[[Arguments], Any]] = {
            "start": self._start, "check": self._check, "readVenue": self._read_venue, "checkIn": self._check_in,
            "checkOut": self._check_out, "forgetVisit": self._forget_stay, "markRead": self._mark_read,
            "prepareReport": self._prepare, "previewReport": self._preview, "sendReport": self._send,
            "askForHelp": self._ask_for_help, "declare": self._declare, "setLanguage": self._set_language,
            "erase": self._erase, "beginAnew": self._begin_again, "allowNotifications": self._refuse,
            "writeJournal": self._write_journal, "removeJournal": self._remove_journal,
            "makeEvent": self._make_event,
            "forgetEvent": lambda arguments: handset.events.remove(_text(arguments, "id", 100)),
            "showPass": self._show_pass, "hidePass": lambda _arguments: handset.passes.hide(),
            "chooseNeighbour": self._choose_neighbour,
            "speak": self._speak, "hush": self._hush,
        }  # fmt: skip

    @property
    def language(self) -> str:
        """The language that the owner chose, by default Vietnamese."""
        return str(self._handset.store.get("language", PAGE_LANGUAGES[0]))

    def _state(self) -> dict[str, Any]:
        return shapes.state_of(self._handset, self.language, self._next_check())

    def _visits(self) -> list[dict[str, Any]]:
        return [shapes.stay_of(stay) for stay in self._handset.stays.all()]

    def _inbox(self) -> list[dict[str, Any]]:
        return [asdict(message) for message in self._handset.pages.messages(self.language)]

    def _start(self, arguments: Arguments) -> dict[str, Any]:
        with self._handset.store.transaction():
            if "language" in arguments:
                self._set_language({"code": arguments["language"]})
            if self._handset.store.get("started_at") is None:
                self._handset.store.put("started_at", self._handset.time.now())
        return self._state()

    def _check(self, _arguments: Arguments) -> dict[str, Any]:
        self._handset.check()
        return self._state()

    def _read_venue(self, arguments: Arguments) -> dict[str, Any]:
        return shapes.venue_of(self._handset.stays.read_poster(_text(arguments, "text", 2000)))

    def _check_in(self, arguments: Arguments) -> dict[str, Any]:
        remember = arguments.get("remember") is True
        return shapes.stay_of(self._handset.stays.check_in(_text(arguments, "text", 2000), remember=remember))

    def _check_out(self, arguments: Arguments) -> dict[str, Any]:
        return shapes.stay_of(self._handset.stays.check_out(_number(arguments, "id")))

    def _forget_stay(self, arguments: Arguments) -> None:
        self._handset.stays.remove(_number(arguments, "id"))

    def _make_event(self, arguments: Arguments) -> dict[str, Any]:
        begin = arguments.get("begin")
        minutes = arguments.get("minutes")
        if type(begin) is not int or type(minutes) is not int:
            raise CallInvalid("begin and minutes are whole numbers")
        return shapes.event_of(self._handset.events.make_event(_text(arguments, "name", 200), begin, minutes))

    def _mark_read(self, arguments: Arguments) -> None:
        self._handset.pages.mark_read(_text(arguments, "id", 200))

    def _prepare(self, arguments: Arguments) -> dict[str, Any]:
        draft = self._handset.report.prepare_draft(_text(arguments, "code", 4000), _onset(arguments))
        with self._draft_lock:
            self._draft = draft
        return shapes.draft_of(draft)

    def _prepared(self) -> ReportDraft:
        with self._draft_lock:
            if self._draft is None:
                raise ReportNotPrepared("no code was read since this program started; nothing was sent")
            return self._draft

    def _preview(self, arguments: Arguments) -> dict[str, Any]:
        days, stays = _choice(arguments)
        return shapes.preview_of(self._handset.report.preview(self._prepared(), days, stays))

    def _send(self, arguments: Arguments) -> dict[str, Any]:
        days, stays = _choice(arguments)
        draft = self._prepared()
        self._handset.report.submit_report(draft, days, stays, consent=arguments.get("consent") is True)
        with self._draft_lock:
            self._draft = None
        return shapes.report_of(self._handset)

    def _ask_for_help(self, arguments: Arguments) -> dict[str, Any]:
        contact, place, note = (_text({name: "", **arguments}, name, 2000) for name in ("contact", "place", "note"))
        return {"ticket": self._handset.pages.request_help(contact, place, note, self._handset.time.now())}

    def _declare(self, arguments: Arguments) -> dict[str, Any]:
        warning_id = _text(arguments, "warningId", 200)
        matches = [warning for warning in self._handset.risk.warnings() if warning.id == warning_id]
        if not matches:
            raise WarningMissing("there is no such warning on this phone; nothing was sent")
        phone = _text(arguments, "phone", 100)
        text = _text({"text": "", **arguments}, "text", 4000)
        # The only button that leads here says "agree and send".
        self._handset.declarations.declare(matches[0].day, matches[0].declared_level, phone, text, consent=True)
        return {"sent": True}

    def _write_journal(self, arguments: Arguments) -> dict[str, Any]:
        marks = arguments.get("marks", [])
        if not isinstance(marks, list) or not all(isinstance(mark, str) for mark in marks):
            raise CallInvalid("marks is not a list of names")
        day, kind, text = (_text({"text": "", **arguments}, name, 4000) for name in ("day", "kind", "text"))
        return shapes.entry_of(self._handset.journal.add_entry(day, kind, text, tuple(marks)))

    def _remove_journal(self, arguments: Arguments) -> None:
        self._handset.journal.remove(_text(arguments, "id", 100))

    def _show_pass(self, _arguments: Arguments) -> dict[str, Any]:
        return {"kind": "A", "text": self._handset.passes.show().text, "seconds": SHOWN_SECONDS}

    def _choose_neighbour(self, arguments: Arguments) -> dict[str, Any]:
        neighbours = self._handset.neighbours
        acts = {"follow": neighbours.follow, "leave": neighbours.leave, "forget": neighbours.forget}
        choice = _text(arguments, "choice", 10)
        if choice not in acts:
            raise CallInvalid(f"choice is {choice!r}, expected one of {', '.join(acts)}")
        acts[choice](_text(arguments, "id", 100))
        return self._state()

    def _speak(self, arguments: Arguments) -> dict[str, Spoken]:
        pieces = arguments.get("pieces")
        if not isinstance(pieces, list) or len(pieces) > MOST_PIECES:
            raise CallInvalid(f"pieces is not a list of at most {MOST_PIECES} texts")
        if any(not isinstance(piece, str) or len(piece) > MOST_PIECE_LENGTH for piece in pieces):
            raise CallInvalid(f"a piece is not text of at most {MOST_PIECE_LENGTH} characters")
        language = _text(arguments, "language", 10)
        if not self._voice:
            return {"outcome": "engine_missing"}
        return {"outcome": self._voice.speak(language, pieces)}

    def _hush(self, _arguments: Arguments) -> None:
        if self._voice:
            self._voice.stop()

    def _set_language(self, arguments: Arguments) -> None:
        code = arguments.get("code")
        if code not in PAGE_LANGUAGES:
            raise LanguageUnknown(f"there are no words in {code!r}")
        self._handset.store.put("language", code)

    def _begin_again(self, _arguments: Arguments) -> dict[str, Any]:
        (trusted,) = self._handset.city.trusted().values()
        self._handset.city.restart_history(trusted)
        return self._state()

    def _erase(self, _arguments: Arguments) -> None:
        self._handset.erase()
        self.erased = True

    def _refuse(self, _arguments: Arguments) -> None:
        raise NotOffered("this phone has no notices; its page shows everything")


def _text(arguments: Arguments, name: str, most: int) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise CallInvalid(f"{name} is {type(value).__name__}, expected a text of at most {most} characters")
    return value


def _onset(arguments: Arguments) -> date | None:
    """The day of the first symptoms, or of the sample, that the owner entered for a slip; codes need none."""
    if arguments.get("onset") is None:
        return None
    try:
        return date.fromisoformat(_text(arguments, "onset", 10))
    except ValueError:
        raise CallInvalid("onset is not a day, expected YYYY-MM-DD") from None


def _number(arguments: Arguments, name: str) -> int:
    value = _text(arguments, name, 20)
    if not (value.isascii() and value.isdigit()):
        raise CallInvalid(f"{name} is not a number of a visit")
    return int(value)


def _choice(arguments: Arguments) -> tuple[list[int], list[int]]:
    """UTC days and numbers of visits that the owner chose."""
    days = arguments.get("days", [])
    stays = arguments.get("visits", [])
    if not isinstance(days, list) or not all(type(day) is int for day in days):
        raise CallInvalid("days is not a list of UTC days")
    if not isinstance(stays, list):
        raise CallInvalid("visits is not a list of visits")
    return days, [_number({"visit": stay}, "visit") for stay in stays]


class LocalPage(localpage.LocalPage):
    """Serves one phone's page.

    port:       0 for a free port.
    next_check: returns Unix seconds of the next planned check, or None.
    on_erased:  called once after the owner erased everything and the page has confirmed it.
    host:       address on which to listen; only a phone without real data may use another address than loopback.
    voice:      reads aloud if the page cannot, as in a web view of Android.
    """

    def __init__(
        self, handset: Handset, port: int = 0, next_check: Callable[[], float | None] = lambda: None,
        on_erased: Callable[[], None] = lambda: None, host: str = localpage.HOST, voice: Voice | None = None,
    ) -> None:  # fmt: skip
        self.handset = handset
        api = Api(handset, next_check, voice)
        self.api = api
        files = {name: file for name, file in static_files().items() if name not in SERVICE_WORKERS}
        reading = {f"api/{name}": call for name, call in api.reading.items()}
        changing = {f"api/{name}": call for name, call in api.changing.items()}

        def report_erasure() -> None:
            if api.erased:
                on_erased()

        super().__init__(
            {**files, "": page("handset")},
            {**reading, "status.json": lambda: _status(handset)},
            changing,
            port,
            report_erasure,
            host=host,
        )

    def file_at(self, path: str) -> localpage.ServedFile | None:
        """Return a file of the face, or a recording, which is fetched from the city each time and not stored."""
        if not _RECORDINGS.fullmatch(path):
            return super().file_at(path)
        try:
            content = self.handset.pages.recording(path)
        except (ServerUnreachable, ServerAnswerRefused):
            # Without a network there is no list. This is no error for the page, which asks again later.
            return StaticFile(path, b"null", "application/json") if path.endswith(".json") else None
        return StaticFile(path, content, "application/json" if path.endswith(".json") else "audio/mpeg")


def _status(handset: Handset) -> dict[str, Any]:
    """The figures of `bluezone handset status --json`, and the days of the warnings."""
    days = [
        {
            "day": str(warning.day),
            "level": warning.level,
            "minutes": warning.band,
            "near": warning.near,
            "certainty": warning.certainty,
        }
        for warning in handset.risk.warnings()
    ]
    return {**build_overview(handset).to_json(), "days": days}
