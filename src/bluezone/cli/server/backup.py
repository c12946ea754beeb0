# SPDX-License-Identifier: Apache-2.0
"""`bluezone backup`, `restore` and `drill`: a copy of the whole data folder that expires when the city's data do."""

import datetime
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import Failed, prints_result
from bluezone.cli.server.history import adopted_lines, open_places, problems_unlogged, read_seen, seen_option

if TYPE_CHECKING:
    from bluezone.keyserver.publication.folder import PublishedCopy


def _backup_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"wrote {result['file']} ({result['bytes']} bytes), opens until {result['opens_until']}"
    yield f"it knows {_heights_text(result['heights'])}"


def _restore_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"restored {result['data']} from the backup of {result['day']}; what was due was purged"
    yield f"the backup knows {_heights_text(result['heights'])}"
    for place in result["places"]:
        yield f"{place['place']} has {_place_text(place)}"
    yield from adopted_lines(result["adopted"])
    if result["problem"]:
        yield f"{result['problem']}: {result['message']}"
        yield "phones will see: no new list until then; after 36 hours they say that the city's list is old."
        yield "  Reports are taken. docs/playbooks/history-forked.md says what to do."
    else:
        yield "phones will see: the next list continues the one they hold; all codes that were open are revoked"


def _place_text(place: dict[str, Any]) -> str:
    if not place["heights"]:
        return "no list that this city's key signed"
    signed_at = datetime.datetime.fromtimestamp(place["signed_at"], datetime.UTC)
    return f"{_heights_text(place['heights'])}, signed at {signed_at:%Y-%m-%d %H:%M} UTC"


def _heights_text(heights: dict[str, int]) -> str:
    return ", ".join(f"{kind} up to {number}" for kind, number in heights.items()) or "not how far it goes"


@click.command()
@data_option
@click.option("--out", metavar="FILE", help="File to write; by default a new one in the folder's own backups.")
@prints_result(_backup_lines)
def backup(data: str | None, out: str | None) -> dict[str, Any]:
    """Write a backup of the data folder, also while it serves; it opens for 30 days with the key of its day.

    The keys are in keys/days of the data folder and in no backup. Copy that folder to another machine with a tool that
    also copies deletions (rsync --delete); otherwise the backups are lost with the folder.
    """
    from bluezone.backup.archive import newest_file_numbers
    from bluezone.backup.creation import create_backup
    from bluezone.backup.retention import RETAINED_DAYS
    from bluezone.city_settings import data_folder, load_city

    signal.signal(signal.SIGTERM, _exit)
    folder = data_folder(data).resolve()
    load_city(folder)
    now = datetime.datetime.now(datetime.UTC)
    # With a wrong date, the backup would be sealed with the key of another day.
    _require_clock(folder, now.timestamp(), notes=False)
    today = now.date()
    written = create_backup(folder, Path(out).absolute() if out else None, now, today, _urls())
    until = today + datetime.timedelta(days=RETAINED_DAYS)
    return {
        "file": str(written),
        "bytes": written.stat().st_size,
        "day": str(today),
        "opens_until": str(until),
        "heights": newest_file_numbers(written),
    }


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data", metavar="DIR", required=True, help="Folder to restore into; it must be new or empty.")
@click.option(
    "--day-keys",
    metavar="DIR",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the day keys: keys/days of the old data folder, or your copy of it.",
)
@click.option(
    "--published",
    metavar="PLACE",
    multiple=True,
    help="What phones have now: the old data folder, a folder or address of a mirror, s3://bucket/prefix.",
)
@seen_option
@prints_result(_restore_lines)
def restore(file: Path, data: str, day_keys: Path, published: tuple[str, ...], seen: tuple[str, ...]) -> dict[str, Any]:
    """Restore a backup into a new folder: verify it, bring it up to date and purge it before a server can start on it.

    Then take over what was published since from the city's bucket and the named places, and print what phones will
    see. Exit 1 if nothing may be signed yet, because no place has all that phones have.
    """
    from bluezone.backup import archive, restoration

    signal.signal(signal.SIGTERM, _exit)
    folder = Path(data).resolve()
    today = datetime.datetime.now(datetime.UTC).date()
    # A slip in these is refused before anything is restored.
    places = dict(zip(published, open_places(published), strict=True))
    newest_seen = read_seen(seen)
    # Problems of the history are printed once, at the end.
    with problems_unlogged():
        day = restoration.restore_backup(file, folder, day_keys.resolve(), today, _urls(), _purge)
        compared = _compare(folder, places, newest_seen)
    result = {
        "data": str(folder),
        "day": str(day),
        "heights": archive.newest_file_numbers(file),
        **compared,
    }
    if result["problem"]:
        raise Failed(result)
    return result


def _compare(folder: Path, places: Mapping[str, "PublishedCopy"], seen: Mapping[str, int]) -> dict[str, Any]:
    """Compare a restored folder with what phones have, and take over what it lacks."""
    from bluezone.keyserver.publication.folder import EXPORTS_URL_VARIABLE
    from bluezone.keyserver.service import KeyServer
    from bluezone.refusal import Refused

    result: dict[str, Any] = {"places": [], "adopted": {}, "problem": None, "message": None}
    server = KeyServer.open(folder)
    try:
        history = server.ticks.history
        bucket = os.environ.get(EXPORTS_URL_VARIABLE)
        read_places = {bucket: history.published, **places} if bucket else places
        for name, files in read_places.items():
            result["places"].append({"place": name, **history.newest_published(files)})
        result["adopted"] = server.ticks.adopt_missing(list(places.values()), seen)
    except Refused as refused:
        result |= {"problem": refused.code, "message": refused.message}
    finally:
        server.close()
    return result


def _require_clock(folder: Path, now: float, notes: bool) -> None:
    from bluezone.city_settings import load_city
    from bluezone.keyserver.publication.place import open_place
    from bluezone.keyserver.ticks import clock_servers
    from bluezone.timekeeping import ClockGuard

    servers = clock_servers(load_city(folder), open_place(folder))
    ClockGuard(folder, servers=servers, notes=notes).require(now)


def _purge(folder: Path) -> None:
    from bluezone.keyserver.service import KeyServer
    from bluezone.server.preparation import prepare_office
    from bluezone.timekeeping import NAME

    now = datetime.datetime.now(datetime.UTC)
    # What the backup says of the clock is about another machine's, so this is a first start.
    (folder / NAME).unlink(missing_ok=True)
    _require_clock(folder, now.timestamp(), notes=True)
    server = KeyServer.open(folder)
    try:
        server.ticks.purge(now.timestamp())
    finally:
        server.close()
    prepare_office(folder)
    from django.db import connections

    from bluezone.server.recurring_work import purge_office

    try:
        purge_office(now)
    finally:
        # A restore that fails here drops its schemas, which an open connection would block.
        connections.close_all()


def _urls() -> dict[str, str]:
    """The addresses of the stores that are on PostgreSQL, by store."""
    from bluezone.backup.store_copies import STORES

    common = os.environ.get("BLUEZONE_DATABASE_URL", "")
    own = {name: os.environ.get(f"BLUEZONE_{name.upper()}_URL", "") for name in STORES}
    return {name: url for name in STORES if (url := own.get(name) or common)}


def _drill_lines(result: dict[str, Any]) -> Iterable[str]:
    if result["ok"]:
        yield f"{result['backup']} restores, and a phone that followed before follows after"
    else:
        yield f"the drill failed: {result['problem']}: {result['message']}"
    for kind, (before, after) in result["followed"].items():
        yield f"{kind}: the phone had file {before}, then {after}"


@click.command()
@data_option
@click.option(
    "--day-keys",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the day keys, if not the data folder's own: try the copy that you will rely on.",
)
@click.option(
    "--backup",
    "backup_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A backup to try instead of the newest one of the folder.",
)
@click.option(
    "--published",
    metavar="PLACE",
    help="Where phones' files are, if neither in the data folder nor in the city's bucket: an address.",
)
@click.option(
    "--scratch-database",
    metavar="URL",
    help="With stores on PostgreSQL: an empty database; what the drill puts there is dropped.",
)
@prints_result(_drill_lines)
def drill(
    data: str | None,
    day_keys: Path | None,
    backup_file: Path | None,
    published: str | None,
    scratch_database: str | None,
) -> dict[str, Any]:
    """Restore the newest backup into a scratch folder, check it, and let a phone follow what it publishes.

    The city's stores are not touched, and the scratch folder is removed. How it went is a metric
    (bluezone_drill_ok) and a line on the office's audit page; exit 1 if it failed.
    """
    from bluezone.backup.daykeys import FOLDER
    from bluezone.backup.drill import run_drill
    from bluezone.city_settings import data_folder, load_city
    from bluezone.keyserver.publication.folder import EXPORTS_URL_VARIABLE

    signal.signal(signal.SIGTERM, _exit)
    folder = data_folder(data).resolve()
    load_city(folder)
    keys = (day_keys or folder / FOLDER).resolve()
    published = published or os.environ.get(EXPORTS_URL_VARIABLE) or str(folder)
    outcome = run_drill(folder, keys, published, scratch_database, backup_file)
    result = asdict(outcome)
    if not outcome.ok:
        raise Failed(result)
    return result


def _exit(_number: int, _frame: FrameType | None) -> None:
    # Raises SystemExit, so that half-written files are removed.
    sys.exit(1)
