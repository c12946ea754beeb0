# SPDX-License-Identifier: Apache-2.0
"""The web edition with the city's key, as it is served to everybody."""

import datetime
import functools
import hashlib

from bluezone.face import files as face
from bluezone.office_keyserver import key_server, public_key
from bluezone.paper import androidpackage
from bluezone.publicpages.static_files import Asset
from bluezone.transparency.leaves import edition_leaf, manifest

# The path of the web edition; its page has the empty path below it.
APP = "/app/"


def web_edition() -> dict[str, Asset]:
    """The files below /app/ by path."""
    return _web_edition(public_key())


def log_programs(_now: datetime.datetime) -> None:
    """Put the present web edition and Android app into the public log, if they are not in it yet."""
    log = key_server().public_log
    files = {path: hashlib.sha256(asset.content).hexdigest() for path, asset in web_edition().items()}
    if files:
        log.request_leaf(edition_leaf("web", hashlib.sha256(manifest(files)).hexdigest()))
    app = androidpackage.package()
    if app is not None:
        log.request_leaf(edition_leaf(app.path.name, app.sha256))


@functools.cache
def _web_edition(city_key: str) -> dict[str, Asset]:
    files = face.web_files(city_key) if (face.STATIC / face.INDEX).exists() else {}
    return {path: Asset(path, file.content, file.media_type) for path, file in files.items()}
