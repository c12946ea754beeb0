# SPDX-License-Identifier: Apache-2.0
"""The page of proofs: what is stored where and for how long, the published files, and how to verify them."""

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
from bluezone.keyserver.parts.pages import Pages
from bluezone.keyserver.publication.downloads import FileMissing
from bluezone.keyserver.publication.series import EXPORTS_FOLDER
from bluezone.office_keyserver import city_pages, public_key
from bluezone.portal.programs import web_edition
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.signed.index import STALE_SECONDS, Index, chain_value, decode_index
from bluezone.publicpages.page_frame import render_page
from bluezone.refusal import Refused

_MEGABYTE = 1_000_000
# Two weeks of files at twelve a day.
_FILES_REMEMBERED = 400


@dataclass(frozen=True)
class Retention:
    """A row about data. what: the data; where: device or store; how_long: retention. Short enough for a phone."""

    what: str | Promise
    where: str | Promise
    how_long: str | Promise


RETENTIONS = [
    Retention(_("Random codes heard over Bluetooth"), _("only on the phone that heard them, encrypted"), _("14 days")),
    Retention(
        _("Visits to places (web version and app)"), _("only on the phone that scanned, encrypted"), _("14 days")
    ),
    Retention(_("Warnings"), _("only on the warned phone"), _("14 days after the day of the exposure")),
    Retention(_("Code from a health worker"), _("codes store, as a keyed hash"), _("24 hours, as a link 48 hours")),
    Retention(
        _("Random codes of a person who reports, with the hour they were received until that hour ends"),
        _("keys store; then in the signed files, among padding"),
        _("14 days"),
    ),
    Retention(_("Visits that a person reports"), _("keys store; then encrypted in the venue packages"), _("14 days")),
    Retention(_("Hash of a used certificate"), _("keys store"), _("while its week key is accepted")),
    Retention(_("Declaration of a warned person"), _("keys store, encrypted for the health authority"), _("30 days")),
    Retention(
        _("Request for help: contact, place, text"),
        _("office store, encrypted"),
        _("30 days after the help is given, 90 days at most"),
    ),
    Retention(
        _("Visited household: householder, address, number of phones, visits"),
        _("office store; and encrypted on the one phone that has the list"),
        _("180 days after the last entry; photographs 30 days"),
    ),
    Retention(
        _("Subscription to notices"),
        _("keys store, in a separate table, with a four-week period as its only time"),
        _("until cancelled, or 12 weeks without a renewal"),
    ),
    Retention(
        _("Code of a place"),
        _("its hash with the registrar; the poster’s data in the office store"),
        _("as long as the place is registered"),
    ),
    Retention(
        _("Who runs a registered place: name, telephone, e-mail"),
        _("office store, encrypted"),
        _("90 days after it has closed"),
    ),
    Retention(_("Accounts, roles and acts of officials"), _("office store"), _("while in use; the audit for one year")),
    Retention(
        _("Network address of a visitor"),
        _("only as a keyed hash in memory, to slow down guessing and overload"),
        _("one hour at most"),
    ),
    Retention(_("Who met whom, who is warned, who was where"), _("nowhere"), _("never")),
]


@dataclass(frozen=True)
class Statement:
    """A signed file as phones fetch it.

    number: of the newest entry; sha256: hex, of the signed payload; key: fingerprint of the signing key.
    chain: hex, the head of the chain of the files it lists; empty for the config, which contains its history.
    """

    title: str | Promise
    number: int
    sha256: str
    key: str
    generated_at: datetime.datetime
    chain: str = ""


@dataclass(frozen=True)
class Figures:
    """Counts of the files that phones fetch. megabytes: total size."""

    files: int
    keys: int
    packages: int
    megabytes: float


@require_safe
@audience(EVERYONE)
def transparency(request: HttpRequest) -> HttpResponse:
    """The page with retentions, statements and keys, for everybody to compare."""
    pages = city_pages()
    exports_signed = pages.downloads.index().whole
    venues_signed = pages.downloads.venues_index().whole
    exports = _index(exports_signed)
    venues = _index(venues_signed)
    config_signed = pages.downloads.config(None).whole
    config = _statement(_("Settings file"), config_signed)
    statements = [
        config,
        _statement(_("List of warning files"), exports_signed, exports),
        _statement(_("List of venue packages"), venues_signed, venues),
    ]
    context = {
        "config": config,
        "files": statements,
        "stale": pages.clock() - exports.generated_at > STALE_SECONDS,
        "public_key": public_key(),
        "other_keys": _other_keys(_payload(config_signed)),
        "figures": _figures(pages, exports, venues),
        "kept": RETENTIONS,
        "version": bluezone.__version__,
        "assets_listed": list(web_edition().values()),
    }
    return render_page(request, "public/transparency.html", context)


def _figures(pages: Pages, exports: Index, venues: Index) -> Figures:
    size = sum(entry.size for entry in (*exports.entries, *venues.entries))
    keys = sum(_keys_in_file(pages, entry.name) for entry in exports.entries)
    return Figures(len(exports.entries), keys, len(venues.entries), size / _MEGABYTE)


def _keys_in_file(pages: Pages, name: str) -> int:
    try:
        return _keys_in(pages.downloads.fetch, f"{EXPORTS_FOLDER}/{name}")
    except Refused:
        return 0


@functools.lru_cache(maxsize=_FILES_REMEMBERED)
def _keys_in(download: Callable[[str], bytes | None], name: str) -> int:
    """The number of keys in a file, which never changes under its name. Raises FileMissing and other refusals."""
    content = download(name)
    if content is None:
        raise FileMissing(f"{name} is not here")
    return len(read_export(content).columns)


def _other_keys(config: dict[str, Any]) -> list[tuple[str | Promise, str]]:
    """Title and value of the keys in the config: of export files, of venue codes, of notices."""
    rows: list[tuple[str | Promise, str]] = []
    for pem in config.get("export_keys", []):
        der = load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        rows.append((_("Key of the export files, SHA-256 of its DER form"), hashlib.sha256(der).hexdigest()))
    for number, key in sorted(config.get("venue_keys", {}).items()):
        rows.append((_("Key of place codes"), f"{number}: {key}"))
    if config.get("push_key"):
        rows.append((_("Key of notices"), config["push_key"]))
    return rows


def _index(signed: bytes) -> Index:
    return decode_index(base64.b64decode(json.loads(signed)["payload"]))


def _payload(signed: bytes) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(base64.b64decode(json.loads(signed)["payload"]))
    return payload


def _statement(title: str | Promise, signed: bytes, index: Index | None = None) -> Statement:
    """The statement of a signed file, from the bytes that phones get, so that the hash is the same."""
    outer = json.loads(signed)
    inner = _payload(signed)
    return Statement(
        title=title,
        number=inner["number"],
        sha256=hashlib.sha256(base64.b64decode(outer["payload"])).hexdigest(),
        key=outer["kid"],
        generated_at=datetime.datetime.fromtimestamp(inner["generated_at"], datetime.UTC),
        chain=chain_value(index, index.number).hex() if index else "",
    )
