# SPDX-License-Identifier: Apache-2.0
"""Parse an edXML file strictly, sign it and check its signature (XML-DSig)."""

import datetime
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from bluezone.refusal import Refused

# signxml is imported where it is used: few processes exchange letters, and every one would load it at its start.
if TYPE_CHECKING:
    from signxml.algorithms import DigestAlgorithm, SignatureMethod

EDXML = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"

# Base64 of 30 MB of attachments, and the letter itself.
LARGEST_MESSAGE = 42 * 1024 * 1024
DEEPEST_ELEMENT = 40


class InvalidEdxml(Refused):
    """The file is no edXML, or lacks or contradicts what a message must say."""

    code = "edxml_invalid"


class LargeEdxml(Refused):
    """The file is larger than a letter with its attachments."""

    code = "edxml_too_large"


def strict_parser() -> etree.XMLParser:
    """Return a parser that reads UTF-8 whatever the file declares, and neither loads, resolves nor fetches anything.

    huge_tree lifts libxml2's bound of 10 MB on one text, which an attachment in base64 exceeds; size and depth are
    bounded here, and what that bound protects from, growing entities, cannot be declared. Comments are never signed, so
    they are not read either.
    """
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=True, remove_comments=True
    )


def parse(data: bytes) -> etree._Element:
    """Return the root element of an edXML file.

    Raises LargeEdxml above LARGEST_MESSAGE bytes; InvalidEdxml for what is not UTF-8, declares a document type, nests
    deeper than DEEPEST_ELEMENT or has another root.
    """
    if len(data) > LARGEST_MESSAGE:
        raise LargeEdxml(f"the file is {len(data)} bytes, at most {LARGEST_MESSAGE} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidEdxml("the file is not UTF-8") from None
    if re.search(r"<!(?:DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise InvalidEdxml("the file declares a document type or entities, which no edXML needs")
    try:
        root = etree.fromstring(text.encode(), strict_parser())
    except etree.XMLSyntaxError:
        raise InvalidEdxml("the file is not well-formed XML") from None
    if root.getroottree().docinfo.doctype:
        raise InvalidEdxml("the file declares a document type, which no edXML needs")
    if root.tag != f"{{{EDXML}}}edXML":
        raise InvalidEdxml(f"the file's root is not edXML of {EDXML}")
    _refuse_depth(root)
    return root


def _refuse_depth(root: etree._Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST_ELEMENT:
            raise InvalidEdxml(f"elements are nested deeper than {DEEPEST_ELEMENT}")


_SMALLEST_RSA_KEY = 2048

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


@cache
def _methods() -> "frozenset[SignatureMethod]":
    from signxml.algorithms import SignatureMethod

    names = ("RSA_SHA256", "RSA_SHA384", "RSA_SHA512", "ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512")
    return frozenset(SignatureMethod[name] for name in names)


@cache
def _digests() -> "frozenset[DigestAlgorithm]":
    from signxml.algorithms import DigestAlgorithm

    return frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


def sign(root: etree._Element, signer: Signer) -> etree._Element:
    """Return the message with its signature in edXMLHeader.

    Raises SignatureWeak for a key that is neither RSA of at least 2048 bits nor ECDSA.
    """
    from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
    from signxml.signer import XMLSigner

    class Writer(XMLSigner):
        """A signer that parses as the reader does: attachments make texts above 10 MB."""

        @property
        def parser(self) -> etree.XMLParser:
            return strict_parser()

    _refuse_weak_key(signer.private_key.public_key())
    elliptic = isinstance(signer.private_key, ec.EllipticCurvePrivateKey)
    header = root.find(f"{{{EDXML}}}edXMLEnvelope/{{{EDXML}}}edXMLHeader")
    etree.SubElement(header, f"{{{SIGNATURE}}}Signature", Id="placeholder", nsmap={"ds": SIGNATURE})
    writer = Writer(
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
    from signxml.exceptions import SignXMLException
    from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

    expected = SignatureConfiguration(
        location=_PLACE, signature_methods=_methods(), digest_algorithms=_digests(), verification_time=at
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
    known = {method.value for method in _methods()} | {digest.value for digest in _digests()}
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
