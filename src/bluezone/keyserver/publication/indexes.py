# SPDX-License-Identifier: Apache-2.0
"""Read and verify the published indexes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from bluezone.keyserver.publication.series import EXPORT_FILES, Series
from bluezone.protocol.signed.envelope import InvalidSignedFile, fingerprint, open_signed
from bluezone.protocol.signed.index import Index, InvalidIndex, decode_index


@dataclass(frozen=True)
class Indexes:
    """The published indexes of one city.

    fetch: returns the content of a published file by its name. city_key: the public key of the city, 32 bytes.
    """

    fetch: Callable[[str], bytes | None]
    city_key: bytes

    def read_index(self, series: Series = EXPORT_FILES) -> Index | None:
        """The index that phones fetch now; None if it is missing, damaged or not ours. Raises StoreRefused."""
        data = self.fetch(series.index_name)
        return None if data is None else self.open_index(series, data)

    def open_index(self, series: Series, data: bytes) -> Index | None:
        """An index from its bytes; None if it is damaged or not ours."""
        return _open_index(series.kind, data, self.city_key)


# Several parts of a tick read the same index, and most ticks change none.
@lru_cache(maxsize=4)
def _open_index(kind: str, data: bytes, city_key: bytes) -> Index | None:
    try:
        return decode_index(open_signed(kind, data, {fingerprint(city_key): city_key}))
    except (InvalidSignedFile, InvalidIndex):
        return None
