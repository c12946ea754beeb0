# SPDX-License-Identifier: Apache-2.0
"""The page that lets anybody check: what is stored where and for how long, which files are published, and how to
verify them.
"""

import base64
import datetime
import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

import bluezone
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.keyserver.publication import exports
from bluezone.keyserver.publication.downloads import FileMissing
from bluezone.keyserver.service import KeyServer
from bluezone.office_keyserver import key_server, public_key
from bluezone.portal.programs import web_edition
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.signed.index import STALE_SECONDS, Index, chain_value, decode_index
from bluezone.publicpages.page_frame import show
from bluezone.refusal import Refused


@dataclass(frozen=True)
class Kept:
    """One row. what: the data; where: which device or store; how_long: until when. Short enough for a phone."""

    what: str | Promise
    where: str | Promise
    how_long: str | Promise


KEPT = [
    Kept(_("Random codes heard over Bluetooth"), _("only on the phone that heard them, sealed"), _("14 days")),
    Kept(_("Visits to places (web edition and app)"), _("only on the phone that scanned, sealed"), _("14 days")),
    Kept(_("Warnings"), _("only on the warned phone"), _("14 days after the day they are about")),
    Kept(_("Code from a health worker"), _("codes store, as a keyed hash"), _("24 hours, as a link 48 hours")),
    Kept(
        _("Random codes of a person who reports, with the hour received until it is over"),
        _("keys store; then in the signed files, among padding"),
        _("14 days"),
    ),
    Kept(_("Visits that a person reports"), _("keys store; then encrypted in the venue packages"), _("14 days")),
    Kept(_("Hash of a used certificate"), _("keys store"), _("while its week key is accepted")),
    Kept(_("Declaration of a warned person"), _("keys store, sealed for the health authority"), _("30 days")),
    Kept(
        _("Request for help: contact, place, words"),
        _("office store, encrypted"),
        _("30 days after it is done, 90 days at most"),
    ),
    Kept(
        _("Visited household: householder, address, number of phones, visits"),
        _("office store; on the one phone that has the list, sealed"),
        _("180 days after the last word; photographs 30 days"),
    ),
    Kept(
        _("Subscription to notices"),
        _("keys store, a table of its own, with a period of four weeks as its only time"),
        _("until cancelled, or 12 weeks without a renewal"),
    ),
    Kept(_("Code of a place"), _("its hash with the registrar; what hangs there in the office"), _("while it is kept")),
    Kept(
        _("Who runs a registered place: name, telephone, e-mail"),
        _("office store, encrypted"),
        _("90 days after it has closed"),
    ),
    Kept(_("Accounts, roles and acts of officials"), _("office store"), _("while in use; the audit one year")),
    Kept(
        _("Network address of a visitor"),
        _("only as a keyed hash in memory, to slow down guessing and flooding"),
        _("one hour at most"),
    ),
    Kept(_("Who met whom, who is warned, who was where"), _("nowhere"), _("never")),
]


_MEGABYTE = 1_000_000
# Two weeks of files at twelve a day.
_FILES_REMEMBERED = 400


@dataclass(frozen=True)
class Statement:
    """One signed file as phones fetch it.

    number: of the newest entry; sha256: hex, of the signed payload; key: fingerprint of the signing key.
    chain: hex, the head of the chain of files it lists; empty for the config, whose history is in it.
    """

    title: str | Promise
    number: int
    sha256: str
    key: str
    generated_at: datetime.datetime
    chain: str = ""


@dataclass(frozen=True)
class Figures:
    """Counts over the files that phones fetch. megabytes: of all of them."""

    files: int
    keys: int
    packages: int
    megabytes: float


@require_safe
@audience(EVERYONE)
def transparency(request: HttpRequest) -> HttpResponse:
    """What everybody can compare."""
    server = key_server()
    exports_signed, venues_signed = server.downloads.index().whole, server.downloads.venues_index().whole
    exports, venues = _index(exports_signed), _index(venues_signed)
    config_signed = server.downloads.config(None).whole
    config = _statement(_("Settings file"), config_signed)
    listed = [
        config,
        _statement(_("List of warning files"), exports_signed, exports),
        _statement(_("List of venue packages"), venues_signed, venues),
    ]
    context = {
        "config": config,
        "files": listed,
        "stale": server.clock() - exports.generated_at > STALE_SECONDS,
        "public_key": public_key(),
        "other_keys": _other_keys(_payload(config_signed)),
        "figures": _figures(server, exports, venues),
        "kept": KEPT,
        "version": bluezone.__version__,
        "assets_listed": list(web_edition().values()),
    }
    return show(request, "public/transparency.html", context)


def _figures(server: KeyServer, exports: Index, venues: Index) -> Figures:
    size = sum(entry.size for index in (exports, venues) for entry in index.entries)
    keys = sum(_keys_in_file(server, entry.name) for entry in exports.entries)
    return Figures(len(exports.entries), keys, len(venues.entries), size / _MEGABYTE)


def _keys_in_file(server: KeyServer, name: str) -> int:
    try:
        return _keys_in(server.fetch, f"{exports.EXPORTS_FOLDER}/{name}")
    except Refused:
        return 0


@functools.lru_cache(maxsize=_FILES_REMEMBERED)
def _keys_in(download: Callable[[str], bytes | None], name: str) -> int:
    """How many keys a file has; it is named by its hash and never changes. Raises FileMissing and other refusals."""
    content = download(name)
    if content is None:
        raise FileMissing(f"{name} is not here")
    return len(read_export(content).columns)


def _other_keys(config: dict[str, Any]) -> list[tuple[str | Promise, str]]:
    """Title and value of the keys that the config announces: of export files, of place codes, of notices."""
    shown: list[tuple[str | Promise, str]] = []
    for pem in config.get("export_keys", []):
        der = load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        shown.append((_("Key of the export files, SHA-256 of its DER form"), hashlib.sha256(der).hexdigest()))
    for number, key in sorted(config.get("venue_keys", {}).items()):
        shown.append((_("Key of place codes"), f"{number}: {key}"))
    if config.get("push_key"):
        shown.append((_("Key of notices"), config["push_key"]))
    return shown


def _index(signed: bytes) -> Index:
    return decode_index(base64.b64decode(json.loads(signed)["payload"]))


def _payload(signed: bytes) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(base64.b64decode(json.loads(signed)["payload"]))
    return payload


def _statement(title: str | Promise, signed: bytes, index: Index | None = None) -> Statement:
    """Read our own signed file; its bytes are what phones get, so the hash is what phones see."""
    outer, inner = json.loads(signed), _payload(signed)
    return Statement(
        title=title,
        number=inner["number"],
        sha256=hashlib.sha256(base64.b64decode(outer["payload"])).hexdigest(),
        key=outer["kid"],
        generated_at=datetime.datetime.fromtimestamp(inner["generated_at"], datetime.UTC),
        chain=chain_value(index, index.number).hex() if index else "",
    )
