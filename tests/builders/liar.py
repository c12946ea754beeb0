# SPDX-License-Identifier: Apache-2.0
"""An operator who signs other files for one phone than for all others."""

import dataclasses
import hashlib

from tests.builders.handset import Served

from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.config import Config, decode_config, encode_config
from bluezone.protocol.signed.envelope import UntrustedSignature, fingerprint, open_signed, sign_payload
from bluezone.protocol.signed.epoch import Branch, Epoch, sign_epoch
from bluezone.protocol.signed.index import EXPORTS, VENUES, Index, chain_value, decode_index, encode_index


class Liar:
    """An operator who has the city's key and shows one phone other files."""

    def __init__(self, server: Served) -> None:
        self._key = server.key_server.secrets.signing_key
        public = self._key.public_key().public_bytes_raw()
        self._trusted = {fingerprint(public): public}
        self.server = server

    def config(self) -> Config:
        return decode_config(self.payload())

    def payload(self) -> bytes:
        number = self.server.key_server.configs.newest_number()
        return open_signed("config", self.server.key_server.configs.path(number).read_bytes(), self._trusted)

    def sign(self, config: Config) -> bytes:
        return sign_payload("config", encode_config(config), self._key)

    def changed_index(self, body: bytes, **changes: object) -> bytes:
        """An index of either kind with some values changed, signed."""
        index = next(
            decode_index(open_signed(kind, body, self._trusted)) for kind in (EXPORTS, VENUES) if self._is(kind, body)
        )
        return sign_payload(index.kind, encode_index(dataclasses.replace(index, **changes)), self._key)

    def _is(self, kind: str, body: bytes) -> bool:
        try:
            open_signed(kind, body, self._trusted)
        except UntrustedSignature:
            return False
        return True

    def with_other_first_file(self, body: bytes) -> bytes:
        index = decode_index(open_signed("exports", body, self._trusted))
        entries = (dataclasses.replace(index.entries[0], sha256="0" * 64), *index.entries[1:])
        return sign_payload("exports", encode_index(dataclasses.replace(index, entries=entries)), self._key)

    def show(self, path: str, body: bytes) -> None:
        self.server.tamper = lambda requested, real: body if requested == path else real

    def epoch(self, number: int = 1) -> Epoch:
        """An honest record of the next epoch, from the files that the server has published."""
        config = self.config()
        branches = {}
        for kind in (EXPORTS, VENUES):
            index = self._index(kind)
            branches[kind] = Branch(number * 100_000, index.number, chain_value(index, index.number).hex())
        ours = Branch(number * 100_000, config.number, hashlib.sha256(self.payload()).hexdigest())
        return Epoch(number, config.generated_at, ours, **branches)

    def show_epoch(self, epochs: list[Epoch], signer: Ed25519Signer, **changes: object) -> None:
        """Show a city in the last of these epochs. changes: to its first config."""
        last = epochs[-1]
        records = tuple(sign_epoch(epoch, signer) for epoch in epochs)
        first = dataclasses.replace(self.config(), number=last.config.first, history=(), epochs=records)
        first = dataclasses.replace(first, **changes)
        signed = self.sign(first)
        sha256 = hashlib.sha256(encode_config(first)).hexdigest()

        def tamper(path: str, body: bytes) -> bytes:
            if path in ("/v1/config", f"/v1/config/{last.config.first}"):
                return signed
            kind = path.split("/")[2]
            if not path.endswith("index.json"):
                return body
            branch = last.branch(kind)
            index = dataclasses.replace(
                self._index(kind, body), number=branch.first - 1, entries=(), chain_before=branch.head,
                epoch=last.number, config_sha256=sha256,
            )  # fmt: skip
            return sign_payload(kind, encode_index(index), self._key)

        self.server.tamper = tamper

    def _index(self, kind: str, body: bytes | None = None) -> Index:
        data = body or (self.server.key_server.data_dir / kind / "index.json").read_bytes()
        return decode_index(open_signed(kind, data, self._trusted))
