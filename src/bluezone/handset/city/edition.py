# SPDX-License-Identifier: Apache-2.0
"""Checks whether the web edition at an address is in the city's log, for people who check it on behalf of others.

Source: docs/attacks.md row 46: served code cannot check itself, but everyone can fetch it like a reader and check it.
"""

import hashlib
import re
from typing import Any

from bluezone.handset.client import MAX_SIGNED_BYTES, Client, ServerAnswerRefused
from bluezone.protocol.signed.config import decode_config
from bluezone.protocol.signed.envelope import fingerprint, open_signed
from bluezone.refusal import Refused
from bluezone.transparency.leaves import edition_leaf, manifest
from bluezone.transparency.merkle import leaf_hash
from bluezone.transparency.notes import MOST_BYTES, log_key, read_proof, verify_proof
from bluezone.transparency.watch import current_policy

LIST = "/transparency/"
APP = "/app/"
_LISTED = re.compile(rf'data-path="{APP}([^"]*)">([0-9a-f]{{64}})<')


class EditionNotLogged(Refused):
    """The city's log does not name the web edition that was served to this address."""

    code = "edition_not_logged"


def check_edition(client: Client, city_key: bytes) -> dict[str, Any]:
    """Fetch the whole web edition and find it in the log.

    city_key: 32 bytes.
    Returns the number of files, the number of the leaf, the size of the log, and the witnesses that signed.
    Raises EditionNotLogged, NoteInvalid, ProofInvalid, and as Client.
    """
    listed = dict(_LISTED.findall(client.get(LIST).decode("utf-8", "replace")))
    served = {
        path: hashlib.sha256(client.get(APP + path, MAX_SIGNED_BYTES)).hexdigest() for path in (listed or {"": ""})
    }
    different = sorted(APP + path for path in served if served[path] != listed.get(path))
    if different:
        raise EditionNotLogged(f"{different[0]} is not the file that {LIST} lists")
    content = edition_leaf("web", hashlib.sha256(manifest(served)).hexdigest())
    try:
        proof = read_proof(client.get(f"/v1/log/proof/{leaf_hash(content).hex()}", MOST_BYTES))
    except ServerAnswerRefused:
        raise EditionNotLogged("the city's log does not name the web edition that is served here") from None
    checkpoint = verify_proof(proof, content, log_key(city_key))
    config = decode_config(open_signed("config", client.get("/v1/config"), {fingerprint(city_key): city_key}))
    policy = current_policy(config.witnesses)
    signed = policy.cosignatures(proof.note, config, city_key, float("inf")) if policy else {}
    return {
        "files": len(served), "leaf": proof.number, "size": checkpoint.size,
        "witnesses": [f"{witness.operator} ({witness.name})" for witness in signed],
    }  # fmt: skip
