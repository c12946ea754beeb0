# SPDX-License-Identifier: Apache-2.0
"""The face's static files with their hashes: what is served, what works offline, what the transparency page lists.

`web_files` is everything under /app/, ready to serve: the page with the engine and the city's key written into it,
and the service worker with the list of files that it keeps for offline use. Source: docs/attacks.md row 46.
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
# The same worker as an ES module, which can load the engine: for browsers that have module workers (Chrome 91).
SERVICE_WORKERS = (SERVICE_WORKER, "service-worker-module.js")
# Scripts that run beside the page and have the content policy of their own answer, not the page's.
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
# In a browser nothing asks for them: the other engine, the contract's text, the page under its own name.
_NOT_SERVED = ("engine/handset.js", "engine/contract.js", INDEX, *SERVICE_WORKERS)
# The page opens with the first bundle, and a screen that is not in it brings the second (bundles.py).
ENTRY, OPENING, LATER = "main.js", "opening.js", "later.js"
_OPENED_WITH = (ENTRY, "engine/web/engine.js", "words/vi.js", "screens/welcome.js", "screens/home.js")
# Fetched by those who read them: each language, and the long texts.
_ALONE = re.compile(r"words/(?!vi\.js).+\.js")
# Asked for by the system: when the app is put on a home screen, and beside a notice, which comes over the network.
_NOT_KEPT = ("icon-192.png", "icon-512.png")
_PLACE = "/*FILES*/{}"
_CONSENT_PLACE = b"<!--CONSENT-->"
# A script of its own that says so where the browser is too old for the others.
_GATE = "oldbrowser.js"
_ENTRY = re.compile(r'^\s*("(?:[^"\\]|\\.)+"):\s*("(?:[^"\\]|\\.)*"),?\s*$', re.MULTILINE)
_BODY = re.compile(rb"<body\b([^>]*)>")
_ENGINE_ATTRIBUTES = re.compile(rb'\s+data-(?:engine|city-key)="[^"]*"')


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served. path: relative to where the face is served, "" for the page itself."""

    path: str
    content: bytes
    media_type: str

    @property
    def sha256(self) -> str:
        """Hex, as the transparency page lists it."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def etag(self) -> str:
        """For conditional fetches."""
        return f'"{self.sha256[:32]}"'


@cache
def static_files() -> dict[str, StaticFile]:
    """Every file of the face by its path, as it lies in the package; read once a process."""
    found = (path for path in sorted(STATIC.rglob("*")) if path.suffix in _MEDIA_TYPES and path.is_file())
    paths = {path.relative_to(STATIC).as_posix(): path for path in found}
    return {name: StaticFile(name, path.read_bytes(), _MEDIA_TYPES[path.suffix]) for name, path in paths.items()}


def page(engine: Literal["web", "handset"], *, city_key: str | None = None) -> StaticFile:
    """The one page, told which engine it has.

    city_key: the city's Ed25519 public key as 64 hex digits; the web edition believes files of no other, and keeps
              the first one it was ever given.
    """
    told = f' data-engine="{engine}"'
    if city_key is not None:
        told += f' data-city-key="{html.escape(city_key)}"'

    def body(found: re.Match[bytes]) -> bytes:
        return b"<body" + _ENGINE_ATTRIBUTES.sub(b"", found[1]) + told.encode() + b">"

    written = static_files()[INDEX]
    content = _BODY.sub(body, written.content, count=1)
    if engine == "web":
        content = content.replace(f'src="{ENTRY}"'.encode(), f'src="{OPENING}"'.encode(), 1)
        content = content.replace(_CONSENT_PLACE, "\n".join(map(_consent, ("vi", "en"))).encode(), 1)
    return StaticFile("", content, written.media_type)


def _consent(language: str) -> str:
    """What the first screen says, in the page itself: it is read while the scripts are still on their way."""
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
    """Every sentence of the face by its name, without the long texts. language: as the file in words/ is called."""
    text = static_files()[f"words/{language}.js"].content.decode()
    return {json.loads(name): json.loads(words) for name, words in _ENTRY.findall(text)}


def _bundled() -> dict[str, StaticFile]:
    """The bundles and, for the scripts that run beside the page as modules, what is served under their names."""
    sources = {name: file.content.decode() for name, file in static_files().items() if name.endswith(".js")}
    alone = {name for name in sources if _ALONE.fullmatch(name)}
    opened = bundles.order_imports(_OPENED_WITH, sources)
    rest, left = list(opened), list(opened)
    while left:
        wanted = bundles.find_dynamic_imports(left, sources) - alone - {*_NOT_SERVED}
        left = [path for path in bundles.order_imports(sorted(wanted), sources) if path not in rest]
        rest += left
    written = {
        OPENING: bundles.write_opening(opened, ENTRY, alone, sources),
        LATER: bundles.write_later(rest[len(opened) :], sources, OPENING),
        DECODER: bundles.write_single(DECODER, sources),
    }
    return {name: StaticFile(name, text.encode(), _MEDIA_TYPES[".js"]) for name, text in written.items()}


def _kept_offline(served: dict[str, StaticFile]) -> dict[str, str]:
    """SHA-256 (hex) by path of what the service worker keeps; "" is the page. The sources are not among them."""
    sources = {name for name in static_files() if name.endswith(".js") and not _ALONE.fullmatch(name)} - {
        *WORKERS,
        _GATE,
    }
    return {name: file.sha256 for name, file in served.items() if name not in sources | {*_NOT_KEPT}}


def web_files(city_key: str) -> dict[str, StaticFile]:
    """Everything that is served under /app/, by path, the page under ""; see `page` for city_key.

    The sources of the bundles are served as well: nothing loads them, and whoever wants to can compare.
    """
    served = {"": page("web", city_key=city_key)}
    served |= {name: file for name, file in static_files().items() if name not in _NOT_SERVED}
    served |= _bundled()
    kept = json.dumps(_kept_offline(served), sort_keys=True, separators=(",", ":"))
    sources = {name: file.content.decode() for name, file in static_files().items() if name.endswith(".js")}
    sources[SERVICE_WORKER] = sources[SERVICE_WORKER].replace(_PLACE, kept, 1)
    for name in SERVICE_WORKERS:
        told = sources[name] if name == SERVICE_WORKER else bundles.write_single(name, sources)
        served[name] = StaticFile(name, told.encode(), _MEDIA_TYPES[".js"])
    return served
