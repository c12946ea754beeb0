# SPDX-License-Identifier: Apache-2.0
"""Make the archives of one version that upgrade tests open; README.md here says what is in them.

    python tests/releases/make.py source COMMIT     the handset's sources, for running that version's phone
    python tests/releases/make.py data CHECKOUT     what the programs of a clean checkout with a .venv write

The same sources give the same bytes; data has keys and times that are new each time.
"""

import argparse
import io
import lzma
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
# All that `bluezone handset` imports but for its page.
SOURCES = (
    r"LICENSE|src/bluezone/(__init__|[a-z]+)\.py|src/bluezone/cli/(__init__|main|output|handset|reportdialogue)\.py"
    r"|src/bluezone/server/(__init__|garbage)\.py|src/bluezone/(handset|protocol|radio|transparency)/.+"
)
# What programs write for themselves and make again.
LEFT_OUT = ("*.lock", "*-wal", "*-shm", "*.part", "*.webm", "*.pid", "relay.wav", "tone.wav")
DATA = ("office", "handset", "gate", "speaker", "android", "browsers")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("source", "data"))
    parser.add_argument("version", help="a commit, or the folder of a checkout")
    given = parser.parse_args()
    made = pack_source(given.version) if given.what == "source" else pack_data(Path(given.version))
    for path in made:
        sys.stdout.write(f"{path.relative_to(REPOSITORY)} {path.stat().st_size:,} bytes\n")


def pack_source(commit: str) -> list[Path]:
    """The handset's sources as they are in a commit."""
    short = commit_of(REPOSITORY, commit)
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", short], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split()
    names = [name for name in listed if re.fullmatch(SOURCES, name)]
    tar = subprocess.run(
        ["git", "archive", "--format=tar", short, "--", *names], cwd=REPOSITORY, capture_output=True, check=True
    ).stdout
    return [write(short, "source", tar)]


def pack_data(checkout: Path) -> list[Path]:
    """What the programs of a checkout write, by program."""
    short = commit_of(checkout, "HEAD")
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True, text=True, check=True)
    if changed.stdout:
        raise SystemExit(f"{checkout} is not clean")
    # A short path, because a signer's socket is in it.
    work = Path(tempfile.mkdtemp(prefix="made-"))
    try:
        (work / "out").mkdir()
        subprocess.run(
            [checkout / ".venv" / "bin" / "python", HERE / "plant.py", work / "out"],
            cwd=checkout, check=True, env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        made = [write(short, name, packed(work / "out" / name)) for name in DATA]
        shutil.copy(work / "out" / "facts.json", HERE / short / "facts.json")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return made


def commit_of(folder: Path, named: str) -> str:
    """The first eight digits of a commit, or the seven that it was named by."""
    asked = ["git", "rev-parse", "--short=7" if len(named) == 7 else "--short=8", f"{named}^{{commit}}"]
    return subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def packed(folder: Path) -> bytes:
    """A folder as a tar: its stores without logs and free pages, in the order of names, without owner."""
    for path in folder.rglob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as store:
            store.execute("PRAGMA journal_mode=DELETE")
            store.execute("VACUUM")
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            if any(path.match(pattern) for pattern in LEFT_OUT) or not (path.is_file() or path.is_dir()):
                continue
            entry = tar.gettarinfo(path, str(path.relative_to(folder)))
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = int(entry.mtime)
            if path.is_file():
                with path.open("rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)
    return written.getvalue()


def write(version: str, name: str, tar: bytes) -> Path:
    """Press a tar into its place."""
    path = HERE / version / f"{name}.tar.xz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(lzma.compress(tar, preset=9 | lzma.PRESET_EXTREME))
    return path


if __name__ == "__main__":
    main()
