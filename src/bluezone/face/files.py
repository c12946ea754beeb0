# SPDX-License-Identifier: Apache-2.0
"""The face's static files with their hashes: which are served, stored offline, and listed on the transparency page.

`web_files` returns everything under /app/, ready to serve: the page contains the engine's name and the city's key, and
the service worker contains the list of files that it stores for offline use. Source: docs/attacks.md row 46.
"""

import hashlib
import html
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bluezone.face import bundles

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"
SERVICE_WORKER = "service-worker.js"
# The second is the same worker as an ES module, which can load the engine in browsers that allow it (Chrome 91).
SERVICE_WORKERS = (SERVICE_WORKER, "service-worker-module.js")
# Scripts that run separately from the page, with the content policy of their own response instead of the page's.
DECODER = "scan/decoder.js"
WORKERS = (*SERVICE_WORKERS, "engine/web/puzzleworker.js", DECODER)

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".mp3": "audio/mpeg",
}
# Files that no browser requests: the other engine, the contract's text, the page under its file name.
_NOT_SERVED = ("engine/handset.js", "engine/contract.js", INDEX, *SERVICE_WORKERS)
# The page loads the first bundle, and a screen that is not in it loads the second (bundles.py).
ENTRY = "main.js"
OPENING = "opening.js"
LATER = "later.js"
_OPENED_WITH = (ENTRY, "engine/web/engine.js", "words/vi.js", "screens/welcome.js", "screens/home.js")
# Fetched as separate files when needed: each language, and the long texts.
_ALONE = re.compile(r"words/(?!vi\.js).+\.js")
# The system requests these: for an icon on the home screen, and for a notice, which needs the network anyway.
_NOT_OFFLINE = ("icon-192.png", "icon-512.png")
_FILES_PLACE = "/*FILES*/{}"
_CONSENT_PLACE = b"<!--CONSENT-->"
# The languages that every text of a city has (protocol/languages.py); this folder imports nothing of ours.
_CONSENT_LANGUAGES = ("vi", "en")
# A separate script with a message for browsers that are too old for the others.
_GATE = "oldbrowser.js"
_ENTRY = re.compile(r'^\s*("(?:[^"\\]|\\.)+"):\s*("(?:[^"\\]|\\.)*"),?\s*$', re.MULTILINE)
_BODY = re.compile(rb"<body\b([^>]*)>")
_ENGINE_ATTRIBUTES = re.compile(rb'\s+data-(?:engine|city-key)="[^"]*"')


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served. path: relative to the address of the face, "" for the page itself."""

    path: str
    content: bytes
    media_type: str

    @property
    def sha256(self) -> str:
        """Hex, as the transparency page lists it."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def etag(self) -> str:
        """The ETag for conditional requests."""
        return f'"{self.sha256[:32]}"'


@cache
def static_files() -> dict[str, StaticFile]:
    """Every file of the face by its path, as it is in the package; each process reads them once."""
    files = (path for path in sorted(STATIC.rglob("*")) if path.suffix in _MEDIA_TYPES and path.is_file())
    paths = {path.relative_to(STATIC).as_posix(): path for path in files}
    return {name: StaticFile(name, path.read_bytes(), _MEDIA_TYPES[path.suffix]) for name, path in paths.items()}


def page(engine: Literal["web", "handset"], *, city_key: str | None = None) -> StaticFile:
    """The page, with the name of its engine.

    city_key: the city's Ed25519 public key as 64 hex digits. The web edition trusts only files signed with it, and
              always keeps the first key that it got.
    """
    attributes = f' data-engine="{engine}"'
    if city_key is not None:
        attributes += f' data-city-key="{html.escape(city_key)}"'

    def body(match: re.Match[bytes]) -> bytes:
        return b"<body" + _ENGINE_ATTRIBUTES.sub(b"", match[1]) + attributes.encode() + b">"

    index = static_files()[INDEX]
    content = _BODY.sub(body, index.content, count=1)
    if engine == "web":
        content = content.replace(f'src="{ENTRY}"'.encode(), f'src="{OPENING}"'.encode(), 1)
        content = content.replace(_CONSENT_PLACE, "\n".join(map(_consent, _CONSENT_LANGUAGES)).encode(), 1)
    return StaticFile("", content, index.media_type)


def _consent(language: str) -> str:
    """The text of the first screen, in the page itself, so that people can read it while the scripts are loading."""
    words = read_words(language)

    def say(key: str) -> str:
        return html.escape(words[f"welcome.{key}"].replace("{disease}", words["disease"]))

    def listed(title: str, *keys: str) -> str:
        return f"<h2>{say(title)}</h2>\n<ul>" + "".join(f"<li>{say(key)}</li>" for key in keys) + "</ul>"

    return f"""<div class="consent" lang="{language}">
<h1>{say("title")}</h1>
<p>{say("lead.web")}</p>
<section class="card note warn"><div><p>{say("web")}</p></div></section>
<section class="card reading">{listed("does", "does.places", "does.check", "does.chaff")}</section>
<section class="card reading">{listed("stays", "stays.diary.web", "stays.nobody", "stays.consent")}
<p>{say("never")}</p></section>
<section class="card reading"><p>{say("before")}</p></section>
</div>"""


def read_words(language: str) -> dict[str, str]:
    """Every sentence of the face by its name, without the long texts. language: the name of its file in words/."""
    text = static_files()[f"words/{language}.js"].content.decode()
    return {json.loads(name): json.loads(words) for name, words in _ENTRY.findall(text)}


def _bundled() -> dict[str, StaticFile]:
    """The bundles, and under their own names the scripts that run as separate modules."""
    sources = {name: file.content.decode() for name, file in static_files().items() if name.endswith(".js")}
    alone = {name for name in sources if _ALONE.fullmatch(name)}
    opening = bundles.order_imports(_OPENED_WITH, sources)
    bundled = list(opening)
    pending = list(opening)
    while pending:
        imports = bundles.find_dynamic_imports(pending, sources) - alone - {*_NOT_SERVED}
        pending = [path for path in bundles.order_imports(sorted(imports), sources) if path not in bundled]
        bundled += pending
    texts = {
        OPENING: bundles.bundle_opening(opening, ENTRY, alone, sources),
        LATER: bundles.bundle_rest(bundled[len(opening) :], sources, OPENING),
        DECODER: bundles.bundle_alone(DECODER, sources),
    }
    return {name: StaticFile(name, text.encode(), _MEDIA_TYPES[".js"]) for name, text in texts.items()}


def _offline_hashes(served: dict[str, StaticFile]) -> dict[str, str]:
    """SHA-256 (hex) by path of what the service worker stores, without the sources of bundles; "" is the page."""
    scripts = {name for name in static_files() if name.endswith(".js") and not _ALONE.fullmatch(name)}
    sources = scripts - {*WORKERS, _GATE}
    return {name: file.sha256 for name, file in served.items() if name not in sources | {*_NOT_OFFLINE}}


def web_files(city_key: str) -> dict[str, StaticFile]:
    """Everything that is served under /app/, by path, the page under ""; see `page` for city_key.

    This includes the sources of the bundles, which nothing loads, so that anybody can compare them.
    """
    served = {"": page("web", city_key=city_key)}
    served |= {name: file for name, file in static_files().items() if name not in _NOT_SERVED}
    served |= _bundled()
    offline = json.dumps(_offline_hashes(served), sort_keys=True, separators=(",", ":"))
    sources = {name: file.content.decode() for name, file in static_files().items() if name.endswith(".js")}
    sources[SERVICE_WORKER] = sources[SERVICE_WORKER].replace(_FILES_PLACE, offline, 1)
    for name in SERVICE_WORKERS:
        script = sources[name] if name == SERVICE_WORKER else bundles.bundle_alone(name, sources)
        served[name] = StaticFile(name, script.encode(), _MEDIA_TYPES[".js"])
    return served
