# SPDX-License-Identifier: Apache-2.0
"""The signed indexes that phones fetch, read and verified."""

from dataclasses import dataclass

from bluezone.keyserver.publication.folder import PublishedFiles
from bluezone.keyserver.publication.series import EXPORT_FILES, Series
from bluezone.protocol.signed.envelope import InvalidSignedFile, fingerprint, open_signed
from bluezone.protocol.signed.index import Index, InvalidIndex, decode_index


@dataclass(frozen=True)
class Indexes:
    """The published indexes of one city. city_key: its public key, 32 bytes, which signs them."""

    published: PublishedFiles
    city_key: bytes

    def read(self, series: Series = EXPORT_FILES) -> Index | None:
        """The index that phones fetch now; None if it is missing, damaged or not ours. Raises StoreRefused."""
        data = self.published.get(series.index_name)
        return None if data is None else self.opened(series, data)

    def opened(self, series: Series, data: bytes) -> Index | None:
        """An index from its bytes; None if it is damaged or not ours."""
        try:
            return decode_index(open_signed(series.kind, data, {fingerprint(self.city_key): self.city_key}))
        except (InvalidSignedFile, InvalidIndex):
            return None
