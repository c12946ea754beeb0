# SPDX-License-Identifier: Apache-2.0
"""Small Android packages with a signature block of scheme 2 or 3, written after the description of the format. No phone
would install them.
"""

import datetime
import io
import struct
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate() -> bytes:
    """A self-signed certificate, DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bac Kan")])
    begins = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=9_000))
        .sign(key, hashes.SHA256())
    )
    return signed.public_bytes(serialization.Encoding.DER)


def signed_package(signer: bytes, scheme: int = 0x7109871A) -> bytes:
    """A ZIP with one file and the signature block of a signer. signer: the certificate, DER."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("classes.dex", b"dex\n035\0" + bytes(500))
    content = packed.getvalue()
    end = content.rindex(b"PK\x05\x06")
    directory = struct.unpack_from("<I", content, end + 16)[0]
    digests = _list(_part(struct.pack("<I", 0x0201) + _part(bytes(32))))
    signed_data = _part(digests + _list(_part(signer)) + _list(b""))
    block = _pair(0x504B4453, b"dependencies") + _pair(scheme, _list(_part(signed_data + _list(b"") + _part(b"key"))))
    size = struct.pack("<Q", len(block) + 24)
    signing_block = size + block + size + b"APK Sig Block 42"
    end_record = content[end : end + 16] + struct.pack("<I", directory + len(signing_block)) + content[end + 20 :]
    return content[:directory] + signing_block + content[directory:end] + end_record


def _part(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


_list = _part


def _pair(number: int, value: bytes) -> bytes:
    return struct.pack("<QI", len(value) + 4, number) + value
