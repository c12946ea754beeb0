# SPDX-License-Identifier: Apache-2.0
"""Several offices at once, each a process with its own data folder; tests pass files between them."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.builders.office import write_city
from tests.builders.stores import prepared_store

REPOSITORY = Path(__file__).parents[2]


class Office:
    """One office on a data folder; `with` ends its process."""

    @classmethod
    def new(cls, folder: Path, **city: str) -> "Office":
        """An office on a new data folder."""
        folder.mkdir(parents=True)
        write_city(folder, **city)
        return cls(folder)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "office.sqlite3").exists():
            prepared_store(folder)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.builders.officeprocess", folder],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"

    def __enter__(self) -> "Office":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(120)

    def cpu_seconds(self) -> float:
        """CPU seconds of its process so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def do(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Call a function of officeprocess.py by name; returns its result."""
        return self._ask({"do": what, **arguments})

    def get(self, who: str, path: str) -> tuple[int, bytes]:
        """Status and body of a page."""
        answer = self._ask({"as": who, "path": path})
        return answer["status"], base64.b64decode(answer["body"])

    def post(self, who: str, path: str, data: dict[str, str] | None = None, **files: tuple[str, bytes]) -> Any:
        """Send a form; returns status, Location and body of the answer."""
        sent = {field: [name, base64.b64encode(content).decode()] for field, (name, content) in files.items()}
        answer = self._ask({"as": who, "path": path, "method": "post", "data": data or {}, "files": sent})
        return answer["status"], answer["location"], base64.b64decode(answer["body"])

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())
