# SPDX-License-Identifier: Apache-2.0
"""Export files on the phone: only those of one signed, unbroken history are ever looked at.

Source: protocol.md section 5; specs/attacks.md rows 18, 37 and 38.
"""

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bluezone.handset.cityconfig import CityConfig
from bluezone.handset.client import MAX_EXPORT_BYTES, Client
from bluezone.handset.following import ConfigMismatch, FileUntrusted, Following, Held
from bluezone.handset.store import Store
from bluezone.protocol.configfile import Config
from bluezone.protocol.exportfile import Export, read_export, verify_export
from bluezone.protocol.indexfile import EXPORTS, Index, IndexEntry

__all__ = ["ConfigMismatch", "Downloads", "FileUntrusted", "Held"]


class Downloads(Following):
    """Follows the index of export files and fetches what is new."""

    def __init__(self, store: Store, client: Client, city: CityConfig) -> None:
        super().__init__(store, client, city, EXPORTS)

    def follow(self) -> tuple[Index, Config, list[IndexEntry]]:
        """Fetch config and index and return them with the entries still to fetch, oldest first."""
        self._city.update()
        index, entries = self.follow_index()
        config = self._city.held
        assert config is not None
        return index, config, entries

    def fetch(self, entry: IndexEntry, config: Config) -> Export:
        """Fetch one file and check it against the index and the city's signature. Raises FileUntrusted."""
        export = read_export(self.fetch_bytes(entry, MAX_EXPORT_BYTES))
        for pem in config.export_keys:
            public = load_pem_public_key(pem.encode())
            assert isinstance(public, EllipticCurvePublicKey)
            if verify_export(export, public) == "verified":
                return export
        raise FileUntrusted(f"file {entry.number} is not signed by a key of the city's config")
