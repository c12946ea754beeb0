# SPDX-License-Identifier: Apache-2.0
"""Fill a small disk around a store, in a process of its own: `filling.py FOLDER`. Prints what was refused, as JSON."""

import json
import os
import sys
from pathlib import Path

from bluezone.keyserver.storage.sqlite import SqliteStore
from bluezone.keyserver.storage.store import StoreRefused

# The index beside the log (-shm) grows by 32 KiB for about 4,062 pages of the log, of 1,048 bytes each.
NEARLY_AN_INDEX = 4050 * 1048
LEFT_KIB = range(0, 40, 4)


def main(folder: Path) -> None:
    store = SqliteStore(folder / "some.sqlite3")
    store.write(lambda t: t.execute("CREATE TABLE filled (n INTEGER PRIMARY KEY, value BLOB)"))
    kept = 0
    log = folder / "some.sqlite3-wal"
    while log.stat().st_size < NEARLY_AN_INDEX:
        kept += write(store, 8000)
    codes = []
    for left in reversed(LEFT_KIB):
        fill(folder, left)
        for _ in range(40):
            try:
                kept += write(store, 200)
            except StoreRefused as refused:
                codes.append(refused.code)
    store.close()
    fill(folder, 0)
    # Opened anew on the full disk, as after a restart.
    store = SqliteStore(folder / "some.sqlite3")
    try:
        kept += write(store, 200)
    except StoreRefused as refused:
        codes.append(refused.code)
    store.close()
    (folder / "filler").unlink()
    store = SqliteStore(folder / "some.sqlite3")
    found = store.read("SELECT count(*) FROM filled")[0][0]
    (sound,) = store.read("PRAGMA integrity_check")[0]
    sys.stdout.write(
        json.dumps({"codes": sorted(set(codes)), "refused": len(codes), "lost": kept - found, "sound": sound})
    )


def write(store: SqliteStore, size: int) -> int:
    store.write(lambda t: t.execute("INSERT INTO filled (value) VALUES (?)", (os.urandom(size),)))
    return 1


def fill(folder: Path, left_kib: int) -> None:
    """Leave so much of the disk free, or what is left already."""
    disk = os.statvfs(folder)
    with (folder / "filler").open("ab") as filler:
        filler.write(bytes(max(0, disk.f_bavail * disk.f_bsize - left_kib * 1024)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
