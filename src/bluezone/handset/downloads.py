# SPDX-License-Identifier: Apache-2.0
"""Export files on the phone: only those of one signed, unbroken history are ever looked at.

Source: protocol.md section 5; specs/attacks.md rows 18, 37 and 38. Each file is taken in, with what it says of
the owner, in one transaction: a kill between two files costs nothing and repeats nothing.
"""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bluezone.handset.cityconfig import CityConfig
from bluezone.handset.client import MAX_EXPORT_BYTES, Client
from bluezone.handset.store import Store
from bluezone.protocol.configfile import Config
from bluezone.protocol.exportfile import Export, read_export, verify_export
from bluezone.protocol.indexfile import (
    STALE_SECONDS,
    Index,
    IndexEntry,
    IndexGap,
    IndexRolledBack,
    decode_index,
    follow_index,
)
from bluezone.protocol.signedjson import CHAIN_START, extend_chain, open_signed
from bluezone.refusal import Refused


class FileUntrusted(Refused):
    """A downloaded list is not the one the signed index names, or its signature is not the city's."""

    code = "file_untrusted"


class ConfigMismatch(Refused):
    """The index was made under a config that is not in this phone's history: two phones are told different things."""

    code = "config_mismatch"


@dataclass(frozen=True, slots=True)
class Held:
    """What was taken in: newest file, chain value after it (32 bytes), largest generated_at of an index."""

    number: int
    chain: bytes
    generated_at: int

    def is_stale(self, now: float) -> bool:
        """Whether the newest list is over 36 hours old, or there is none."""
        return now - self.generated_at > STALE_SECONDS


class Downloads:
    """Follows the index and fetches what is new."""

    def __init__(self, store: Store, client: Client, city: CityConfig) -> None:
        self._store = store
        self._client = client
        self._city = city

    @property
    def held(self) -> Held:
        """Where this phone stands."""
        kept = self._store.get("exports", {"number": 0, "chain": CHAIN_START.hex(), "generated_at": 0})
        return Held(kept["number"], bytes.fromhex(kept["chain"]), kept["generated_at"])

    def follow(self) -> tuple[Index, Config, list[IndexEntry]]:
        """Fetch config and index and return them with the entries still to fetch, oldest first."""
        config = self._city.update()
        index = decode_index(open_signed("exports", self._client.get("/v1/exports/index.json"), self._city.trusted()))
        if index.kind != "exports":
            raise FileUntrusted(f"the index lists {index.kind}, expected exports")
        if not self._city.knows(index.config_sha256):
            # The config may have been renewed between the two calls; a second look tells.
            config = self._city.update()
            if not self._city.knows(index.config_sha256):
                raise ConfigMismatch("the index names a config that is not in this phone's history")
        held = self.held
        if index.generated_at < held.generated_at:
            raise IndexRolledBack(f"index was made at {index.generated_at}, one of {held.generated_at} is known here")
        try:
            entries = follow_index(index, held.number, held.chain)
        except IndexGap:
            entries = list(index.entries)
            self._keep(Held(index.first_number - 1, bytes.fromhex(index.chain_before), held.generated_at))
            self._store.put("notice", "exports_started_anew")
        else:
            if held.number == 0 and entries:
                self._keep(Held(index.first_number - 1, bytes.fromhex(index.chain_before), held.generated_at))
        return index, config, entries

    def fetch(self, entry: IndexEntry, config: Config) -> Export:
        """Fetch one file and check it against the index and the city's signature. Raises FileUntrusted."""
        if entry.size > MAX_EXPORT_BYTES:
            raise FileUntrusted(f"file {entry.number} is {entry.size} bytes, expected at most {MAX_EXPORT_BYTES}")
        data = self._client.get(f"/v1/exports/{entry.name}", entry.size)
        if len(data) != entry.size or hashlib.sha256(data).hexdigest() != entry.sha256:
            raise FileUntrusted(f"file {entry.number} is not the one the index names")
        export = read_export(data)
        for pem in config.export_keys:
            public = load_pem_public_key(pem.encode())
            assert isinstance(public, EllipticCurvePublicKey)
            if verify_export(export, public) == "verified":
                return export
        raise FileUntrusted(f"file {entry.number} is not signed by a key of the city's config")

    def taken_in(self, entry: IndexEntry) -> None:
        """Note that a file was matched; call it in the transaction that keeps what was found."""
        held = self.held
        chain = extend_chain(held.chain, bytes.fromhex(entry.sha256))
        self._keep(Held(entry.number, chain, held.generated_at))

    def followed(self, index: Index) -> None:
        """Note that everything the index lists was taken in."""
        held = self.held
        self._keep(Held(held.number, held.chain, max(held.generated_at, index.generated_at)))

    def _keep(self, held: Held) -> None:
        kept = {"number": held.number, "chain": held.chain.hex(), "generated_at": held.generated_at}
        self._store.put("exports", kept)
