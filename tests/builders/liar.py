# SPDX-License-Identifier: Apache-2.0
"""An operator who signs other files for one phone than for all others."""

import dataclasses

from tests.builders.handset import Served

from bluezone.protocol.signed.config import Config, decode_config, encode_config
from bluezone.protocol.signed.envelope import fingerprint, open_signed, sign_payload
from bluezone.protocol.signed.index import decode_index, encode_index


class Liar:
    """The operator, who has the city's key, shows one phone other files."""

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
        index = decode_index(open_signed("exports", body, self._trusted))
        return sign_payload("exports", encode_index(dataclasses.replace(index, **changes)), self._key)

    def with_other_first_file(self, body: bytes) -> bytes:
        index = decode_index(open_signed("exports", body, self._trusted))
        entries = (dataclasses.replace(index.entries[0], sha256="0" * 64), *index.entries[1:])
        return sign_payload("exports", encode_index(dataclasses.replace(index, entries=entries)), self._key)

    def show(self, path: str, body: bytes) -> None:
        self.server.tamper = lambda asked, real: body if asked == path else real
