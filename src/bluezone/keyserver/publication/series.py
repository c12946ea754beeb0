# SPDX-License-Identifier: Apache-2.0
"""The two series of files that phones fetch, export files and venue packages: their names, tables and folders."""

from dataclasses import dataclass

from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.signed.index import EXPORTS, VENUES

EXPORTS_FOLDER = "exports"
PACKAGES_FOLDER = "venues"
CONFIGS_FOLDER = "configs"
INDEX_NAME = "index.json"
# How long an index lists a file.
LISTED_SECONDS = 14 * SECONDS_PER_DAY
# By how much a file may be late and keep its end; phones that look every 13 days must find each file listed.
MOST_LATE_SECONDS = SECONDS_PER_DAY
# How many files an index lists at most: with more, it would be larger than phones accept (`MAX_SIGNED_BYTES`). Files of
# two weeks have room if a period is at least three minutes.
MOST_LISTED = 8000


@dataclass(frozen=True)
class Series:
    """Files that are numbered and chained together. table: contains their rows; folder: contains the files."""

    kind: str
    table: str
    folder: str

    @property
    def index_name(self) -> str:
        """Name of the index among the published files."""
        return f"{self.folder}/{INDEX_NAME}"


EXPORT_FILES = Series(EXPORTS, "export_file", EXPORTS_FOLDER)
VENUE_PACKAGES = Series(VENUES, "venue_package", PACKAGES_FOLDER)
ALL_SERIES = (EXPORT_FILES, VENUE_PACKAGES)
