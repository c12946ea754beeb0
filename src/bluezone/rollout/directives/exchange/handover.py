# SPDX-License-Identifier: Apache-2.0
"""How a message is handed to another office over the network, and what that office signs in return (docs/contracts.md).

The signature over a message's hash is checked before its body is read, and before anything parses it: whoever holds no
key of a partner makes this office do no more than that. The answer is signed too, over the message's hash: nobody
between the two offices can say that a message has arrived.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bluezone.rollout.directives.exchange.edxml import Signer

# Under the origin of an office.
PATH = "/exchange/messages/"
FROM, TO, DIGEST, SIGNATURE = "Exchange-From", "Exchange-To", "Exchange-Digest", "Exchange-Signature"
LARGEST_ANSWER = 4096
_MESSAGE, _RECEIPT = "bluezone exchange message 1", "bluezone exchange receipt 1"
_CODE = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)


class Outcome(StrEnum):
    """What became of a message: read in now, known before, or refused for good."""

    TAKEN = "taken"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True)
class Receipt:
    """What an office says of a message. code: of the refusal, else empty."""

    outcome: Outcome
    code: str = ""


def digest_of(body: bytes) -> str:
    """SHA-256 of a message as it goes over the network, 64 hex digits."""
    return hashlib.sha256(body).hexdigest()


def message_headers(sender: str, recipient: str, body: bytes, signer: Signer) -> dict[str, str]:
    """The headers of a message. sender, recipient: the agencies' identifiers on the document axis."""
    digest = digest_of(body)
    return {
        "Content-Type": "application/octet-stream",
        FROM: _as_header(sender),
        TO: _as_header(recipient),
        DIGEST: digest,
        SIGNATURE: _signed(_message(sender, recipient, digest), signer),
    }


def from_header(text: str) -> str:
    """An identifier as a header carries it; "" for what is none, such as one with characters that nobody can print."""
    try:
        found = base64.urlsafe_b64decode(text.encode("ascii")).decode()
    except (UnicodeError, ValueError, binascii.Error):
        return ""
    return found if found.isprintable() else ""


def is_signed_message(
    sender: str, recipient: str, digest: str, signature: str, held: Iterable[x509.Certificate]
) -> bool:
    """Whether one of the certificates held of the sender signed a message with this hash for this recipient."""
    return _is_signed(_message(sender, recipient, digest), signature, held)


def write_receipt(receipt: Receipt, digest: str, signer: Signer) -> tuple[bytes, str]:
    """The body of an answer to a message with this hash, and the signature for its header."""
    body = json.dumps({"message": digest, "outcome": receipt.outcome.value, "code": receipt.code}).encode()
    return body, _signed(_receipt(digest, body), signer)


def read_receipt(body: bytes, signature: str, digest: str, held: Iterable[x509.Certificate]) -> Receipt | None:
    """What the other office signed about the message with this hash; None for anything else."""
    if len(body) > LARGEST_ANSWER or not _is_signed(_receipt(digest, body), signature, held):
        return None
    try:
        said = json.loads(body)
        receipt = Receipt(Outcome(said["outcome"]), said["code"])
    except (ValueError, KeyError, TypeError):
        return None
    known = isinstance(receipt.code, str) and (not receipt.code or _CODE.fullmatch(receipt.code))
    return receipt if known and said.get("message") == digest else None


def _as_header(identifier: str) -> str:
    return base64.urlsafe_b64encode(identifier.encode()).decode()


def _message(sender: str, recipient: str, digest: str) -> bytes:
    return json.dumps([_MESSAGE, sender, recipient, digest]).encode()


def _receipt(digest: str, body: bytes) -> bytes:
    return json.dumps([_RECEIPT, digest, digest_of(body)]).encode()


def _signed(data: bytes, signer: Signer) -> str:
    key = signer.private_key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        made = key.sign(data, ec.ECDSA(hashes.SHA256()))
    else:
        made = key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(made).decode()


def _is_signed(data: bytes, signature: str, held: Iterable[x509.Certificate]) -> bool:
    try:
        made = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return False
    return any(_fits(one.public_key(), made, data) for one in held)


def _fits(key: object, signature: bytes, data: bytes) -> bool:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True
