# SPDX-License-Identifier: Apache-2.0
"""The app's own screens, for the time before the phone's page: agreement, permissions, battery, and problems.

They are HTML with the face's style sheet inside, without scripts and external files. A button is a link to
`bluezone:NAME`.
"""

import html
import re
from dataclasses import dataclass, replace

from bluezone.face.files import static_files
from bluezone.handset.android.notices import app_words, face_words
from bluezone.handset.android.permissions import Step, maker_guide
from bluezone.handset.page.api import Spoken
from bluezone.protocol.languages import LANGUAGES

_SKIPPABLE: frozenset[Step] = frozenset({"notices", "battery", "location_switch"})
# Problems after which the store cannot be read, so that nothing is lost by starting over.
ERASABLE_PROBLEMS = frozenset({"keystore_key_lost", "handset_key_damaged", "handset_store_damaged"})
_READ_PLACE = "<!--read-->"
_ALERT_PLACE = "<!--told-->"
_VOICE_PROBLEMS: dict[Spoken, str] = {
    "engine_missing": "voice.engine", "voice_missing": "voice.missing", "failed": "voice.failed",
}  # fmt: skip
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen. html: the whole page. actions: names of its buttons, after `bluezone:`. texts: to read aloud."""

    html: str
    actions: frozenset[str]
    language: str
    texts: tuple[str, ...]

    def with_read_aloud(self, reading: bool, outcome: Spoken | None) -> "Screen":
        """Return the screen with a button to start or stop reading aloud, and the last problem with reading, if any."""
        words = face_words(self.language)
        button = _safe(words["voice.stop" if reading else "voice.read"])
        problem = _VOICE_PROBLEMS.get(outcome) if outcome else None
        alert = f"<p class='card' role='alert'>{_safe(words[problem])}</p>" if problem else ""
        return replace(self, html=self.html.replace(_READ_PLACE, button).replace(_ALERT_PLACE, alert))


def step_screen(step: Step, language: str, maker: str = "", killed: bool = False, problem: str | None = None) -> Screen:
    """The screen of a step. maker: Android's name for it. killed: whether Android has killed the service.

    problem: code of the refusal to store the last answer.
    """
    screen = _step_screen(step, language, maker, killed)
    if problem is None:
        return screen
    alert = f"<p class='card' role='alert'>{_safe(_problem_text(problem, language))}</p>"
    return replace(screen, html=screen.html.replace(_ALERT_PLACE, alert + _ALERT_PLACE))


def _step_screen(step: Step, language: str, maker: str, killed: bool) -> Screen:
    own = app_words(language)
    if step == "agree":
        return _agreement(language)
    if step == "maker":
        paragraphs = [own["maker.killed"]] if killed else []
        paragraphs += [own[f"maker.{maker_guide(maker)}"], own["maker.why"]]
        buttons = {"settings": own["settings"], "later": own["done"]}
        return _page(language, own["maker.title"], _card(paragraphs), buttons)
    main_button = "settings" if step in ("blocked", "location_switch") else "allow"
    buttons = {main_button: own[main_button]}
    if step in _SKIPPABLE:
        buttons["later"] = own["later"]
    return _page(language, own[f"{step}.title"], _card([own[f"{step}.why"], own[f"{step}.not"]]), buttons)


def problem_screen(code: str, language: str) -> Screen:
    """Return the screen with the reason why the phone does not run, and what to do. code: of a refusal, or "fault"."""
    own = app_words(language)
    buttons = {"anew": own["anew"]} if code in ERASABLE_PROBLEMS else {}
    return _page(language, own["problem.title"], _card([_problem_text(code, language)]), buttons)


def _problem_text(code: str, language: str) -> str:
    own = app_words(language)
    text = own.get(f"problem.{code}") or face_words(language).get(f"refusal.{code}")
    return text or own["problem.other"].format(code=code)


def waiting_screen(language: str) -> Screen:
    """The screen while the service opens the phone."""
    return _page(language, "Bluezone", _card([face_words(language)["opening"]]), {})


def _agreement(language: str) -> Screen:
    """The first screen, in the face's words: what Bluezone does, what stays on the phone, what agreeing means."""
    face = face_words(language)

    def sentence(name: str) -> str:
        return face[name].replace("{disease}", face["disease"])

    does = [sentence(f"welcome.does.{name}") for name in ("near", "places", "check", "chaff")]
    stays = [sentence(f"welcome.stays.{name}") for name in ("diary", "nobody", "consent")]
    content = (
        f"<p>{_safe(sentence('welcome.lead'))}</p>"
        f"<section class='card reading'><h2>{_safe(sentence('welcome.does'))}</h2>{_items(does)}</section>"
        f"<section class='card reading'><h2>{_safe(sentence('welcome.stays'))}</h2>{_items(stays)}"
        f"<p>{_safe(sentence('welcome.never'))}</p></section>{_card([sentence('welcome.before')])}"
    )
    return _page(language, sentence("welcome.title"), content, {"next": sentence("welcome.agree")})


def _safe(text: str) -> str:
    return html.escape(text)


def _items(texts: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{_safe(text)}</li>" for text in texts) + "</ul>"


def _card(texts: list[str]) -> str:
    return "<section class='card reading'>" + "".join(f"<p>{_safe(text)}</p>" for text in texts) + "</section>"


def _page(language: str, title: str, content: str, buttons: dict[str, str]) -> Screen:
    """Build a screen. buttons: labels by action; the first is prominent."""
    other = next(code for code in LANGUAGES if code != language)
    style = static_files()["app.css"].content.decode()
    links = "".join(
        f"<a class='button{' quiet' if number else ''}' href='bluezone:{name}'>{_safe(words)}</a>"
        for number, (name, words) in enumerate(buttons.items())
    )
    reader = f"<a href='bluezone:read'>{_READ_PLACE}</a>"
    switch = f"<a lang='{other}' href='bluezone:language'>{_safe(face_words(language)['language.other'])}</a>"
    page = (
        f"<!doctype html><html lang='{language}'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{_safe(title)}</title><style>{style}</style>"
        f"<body><div id='app'><header><span class='brand'>Bluezone</span>{reader}{switch}</header>"
        f"<main class='reading'><h1>{_safe(title)}</h1>{_ALERT_PLACE}{content}"
        f"<div class='buttons'>{links}</div></main></div></body>"
    )
    texts_of_content = [html.unescape(text).strip() for text in re.split(r"<[^>]*>", content)]
    texts = tuple(_spoken(text) for text in [title, *texts_of_content, *buttons.values()] if text)
    return Screen(page, frozenset({*buttons, "read", "language"}), language, texts)


def _spoken(text: str) -> str:
    """A text without the characters that prevent line breaks."""
    return re.sub("[\u2060]", "", text).replace("\u00a0", " ")
