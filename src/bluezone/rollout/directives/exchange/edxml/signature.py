# SPDX-License-Identifier: Apache-2.0
"""Sign an edXML file and check its signature: XML-DSig, enveloped, over the whole file.

Source: W3C XML Signature Syntax and Processing 1.1. Our own choice: SHA-256 and better, RSA of 2048 bits and more or
ECDSA, exclusive canonicalisation, and trust by the sender's pinned certificate instead of by a chain.
"""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from bluezone.refusal import Refused
from bluezone.rollout.directives.exchange.edxml.strict_xml import EDXML, SIGNATURE, strict_parser

_SMALLEST_RSA_KEY = 2048
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})

# Where the header keeps the signature, and so where a signed file must carry its only one.
_PLACE = f"./{{{EDXML}}}edXMLEnvelope/{{{EDXML}}}edXMLHeader/"


class Unsigned(Refused):
    """The file carries no signature."""

    code = "edxml_unsigned"


class SignatureWeak(Refused):
    """The file is signed by a method that no longer proves anything, such as SHA-1, or with a short key."""

    code = "edxml_signature_weak"


class SignatureWrong(Refused):
    """The file was changed after it was signed, or was signed by another key than the sender's."""

    code = "edxml_signature_wrong"


class SignerUnknown(Refused):
    """No valid certificate is held for the agency that the file names as its sender."""

    code = "edxml_signer_unknown"


@dataclass(frozen=True)
class Signer:
    """The key of an agency and the certificate that others hold of it."""

    private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class Verified:
    """What a sender signed: the message without its signature, the certificate that proves it, and its SHA-256.

    digest: 64 hex digits over the canonical form, so that a file packed in another way is still known as the same.
    """

    root: etree._Element
    certificate: x509.Certificate
    digest: str


class _Writer(XMLSigner):
    """A signer that parses as the reader does: attachments make texts above 10 MB."""

    @property
    def parser(self) -> etree.XMLParser:
        return strict_parser()


def sign(root: etree._Element, signer: Signer) -> etree._Element:
    """Return the message with its signature in edXMLHeader.

    Raises SignatureWeak for a key that is neither RSA of at least 2048 bits nor ECDSA.
    """
    _refuse_weak_key(signer.private_key.public_key())
    elliptic = isinstance(signer.private_key, ec.EllipticCurvePrivateKey)
    header = root.find(f"{{{EDXML}}}edXMLEnvelope/{{{EDXML}}}edXMLHeader")
    etree.SubElement(header, f"{{{SIGNATURE}}}Signature", Id="placeholder", nsmap={"ds": SIGNATURE})
    writer = _Writer(
        signature_algorithm=SignatureMethod.ECDSA_SHA256 if elliptic else SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    certificate = signer.certificate.public_bytes(Encoding.PEM).decode()
    return writer.sign(root, key=signer.private_key, cert=certificate)


def verified(
    root: etree._Element, sender: str, trusted: Mapping[str, Sequence[x509.Certificate]], at: datetime.datetime
) -> Verified:
    """Return what was signed, and nothing else: the message without its signature.

    sender:  code of the agency the message names as its sender.
    trusted: the certificates held of each agency, by its code.
    at:      the time for which a certificate must be valid, aware.
    Raises Unsigned, SignatureWeak, SignerUnknown or SignatureWrong.
    """
    signatures = list(root.iter(f"{{{SIGNATURE}}}Signature"))
    if not signatures:
        raise Unsigned("the file carries no signature")
    if len(signatures) > 1:
        raise SignatureWrong(f"the file carries {len(signatures)} signatures, expected one")
    _refuse_weak_method(signatures[0])
    held = [certificate for certificate in trusted.get(sender, ()) if _is_valid(certificate, at)]
    if not held:
        raise SignerUnknown("no certificate valid now is held for the file's sender")
    for certificate in held:
        _refuse_weak_key(certificate.public_key())
        if signed := _signed_by(root, certificate, at):
            canonical = etree.tostring(signed[0], method="c14n", exclusive=True, with_comments=False)
            return Verified(signed[0], certificate, hashlib.sha256(canonical).hexdigest())
    raise SignatureWrong("the file was changed after it was signed, or another key than the sender's signed it")


def _signed_by(root: etree._Element, certificate: x509.Certificate, at: datetime.datetime) -> list[etree._Element]:
    """Return the signed message in a list, or an empty one when this certificate's key did not sign it whole."""
    expected = SignatureConfiguration(
        location=_PLACE, signature_methods=_METHODS, digest_algorithms=_DIGESTS, verification_time=at
    )
    try:
        result = XMLVerifier().verify(root, x509_cert=certificate, parser=strict_parser(), expect_config=expected)
    except (SignXMLException, UnsupportedAlgorithm, ValueError, etree.LxmlError):
        return []
    if not isinstance(result, VerifyResult) or result.signed_xml is None:
        return []
    # A signature over a part of the file would leave the rest to whoever passed it on.
    references = list(result.signature_xml.iter(f"{{{SIGNATURE}}}Reference"))
    whole = [reference.get("URI") for reference in references] == [""] and result.signed_xml.tag == root.tag
    return [result.signed_xml] if whole else []


def _refuse_weak_method(signature: etree._Element) -> None:
    known = {method.value for method in _METHODS} | {digest.value for digest in _DIGESTS}
    for name in ("SignatureMethod", "DigestMethod"):
        for element in signature.iter(f"{{{SIGNATURE}}}{name}"):
            if element.get("Algorithm") not in known:
                raise SignatureWeak(f"{name} is none of those accepted, which are RSA or ECDSA with SHA-256 or better")


def _refuse_weak_key(key: object) -> None:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA_KEY:
        return
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SignatureWeak(f"the key is neither RSA of at least {_SMALLEST_RSA_KEY} bits nor ECDSA")


def _is_valid(certificate: x509.Certificate, at: datetime.datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
