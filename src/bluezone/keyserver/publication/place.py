# SPDX-License-Identifier: Apache-2.0
"""The place of a city's published files: its data folder, or a bucket if the operator has named one."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bluezone.keyserver.publication.folder import EXPORTS_URL_VARIABLE, LocalFiles, PublishedFiles


@dataclass(frozen=True)
class PublishedPlace:
    """Where the published files are.

    fetch: returns the content of a file as phones get it; for a bucket, through a cache. folder: the data folder that
    contains the files; None for a bucket. server: address of the bucket's HTTP server; "" for a folder.
    """

    files: PublishedFiles
    fetch: Callable[[str], bytes | None]
    folder: Path | None
    server: str


def open_place(data_dir: Path) -> PublishedPlace:
    """The place of the files of a data folder. Raises ExportsUrlInvalid."""
    url = os.environ.get(EXPORTS_URL_VARIABLE)
    if not url:
        local = LocalFiles(data_dir)
        return PublishedPlace(local, local.get, data_dir, "")
    # obstore comes with the extra `s3`; a city on one machine does not have it.
    from bluezone.keyserver.publication.bucket import CachedFiles, ObjectFiles, server_address

    bucket = ObjectFiles(url)
    return PublishedPlace(bucket, CachedFiles(bucket).get, None, server_address())
