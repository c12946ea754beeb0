# SPDX-License-Identifier: Apache-2.0
"""The files of the canvass app as the public origin serves them under /canvass/, with their hashes.

Modules of the face (outbox, store, icons, fonts) are served beside them under face/, so that one service worker keeps
everything that the app needs without coverage.
"""

import json
from functools import cache
from pathlib import Path

from bluezone.face.files import StaticFile, static_files

HERE = Path(__file__).parent
INDEX, SERVICE_WORKER = "index.html", "service-worker.js"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_FROM_FACE = (
    "app.css", "dom.js", "icons.js", "locks.js", "oldbrowser.js", "outbox.js", "uuid7.js", "words.js", "icon.svg",
    "icon-192.png", "icon-512.png", "engine/interface.js", "engine/web/store.js", "engine/web/bytes.js",
)  # fmt: skip
# Asked for once, by the system, when the app is put on a home screen.
_NOT_KEPT = ("face/icon-512.png",)
_PLACE = "/*FILES*/{}"


@cache
def canvass_files() -> dict[str, StaticFile]:
    """Everything under /canvass/ by path, the page under ""; the service worker with what it keeps written into it."""
    own = {path.relative_to(HERE).as_posix(): path for path in sorted(HERE.rglob("*")) if path.suffix in _TYPES}
    served = {name: StaticFile(name, path.read_bytes(), _TYPES[path.suffix]) for name, path in own.items()}
    face = static_files()
    fonts = [name for name in face if name.startswith("fonts/") and name.endswith(".woff2")]
    for name in (*_FROM_FACE, *fonts):
        served[f"face/{name}"] = StaticFile(f"face/{name}", face[name].content, face[name].media_type)
    page, worker = served.pop(INDEX), served.pop(SERVICE_WORKER)
    served[""] = StaticFile("", page.content, page.media_type)
    kept = {name: file.sha256 for name, file in served.items() if name not in _NOT_KEPT}
    told = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    content = worker.content.decode().replace(_PLACE, told, 1).encode()
    served[SERVICE_WORKER] = StaticFile(SERVICE_WORKER, content, worker.media_type)
    return served
