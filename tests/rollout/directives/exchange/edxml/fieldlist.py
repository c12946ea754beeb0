# SPDX-License-Identifier: Apache-2.0
"""An independent reader of edXML, written from the list of fields that public gateways demand and not from our code.

It goes by the text where those gateways do (prefixes, order), and checks the signature with the certificate alone.
"""

import base64
import hashlib
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

SPACE = "{http://www.mic.gov.vn/TBT/QCVN_102_2016}"
XLINK = "{http://www.w3.org/1999/xlink}"
DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
# 1.1 to 1.14 of a message's header, in this order.
ORDER = [
    "From", "To", "Code", "PromulgationInfo", "DocumentType", "Subject", "Content", "SignerInfo", "DueDate", "ToPlaces",
    "OtherInfo", "SteeringType", "DocumentId",
]  # fmt: skip
# What has to say something. DueDate and ToPlaces are of letters that have them.
DEMANDED = [
    "From/OrganId", "From/OrganizationInCharge", "From/OrganName", "To/OrganId", "To/OrganizationInCharge",
    "To/OrganName", "Code/CodeNumber", "Code/CodeNotation", "PromulgationInfo/Place",
    "PromulgationInfo/PromulgationDate", "DocumentType/Type", "DocumentType/TypeName", "DocumentType/TypeDetail",
    "Subject", "Content", "SignerInfo/FullName", "SignerInfo/Position", "OtherInfo/Priority",
    "OtherInfo/SphereOfPromulgation", "OtherInfo/TyperNotation", "OtherInfo/PromulgationAmount",
    "OtherInfo/PageAmount", "SteeringType", "DocumentId",
]  # fmt: skip


@dataclass
class Found:
    """What the file says, and what a gateway would object to."""

    values: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    objections: list[str] = field(default_factory=list)


def read(data: bytes) -> Found:
    """Read a document as a gateway would."""
    found = Found()
    root = ElementTree.fromstring(data)
    header = root.find(f"{SPACE}edXMLEnvelope/{SPACE}edXMLHeader")
    message = header.find(f"{SPACE}MessageHeader")
    names = [child.tag.removeprefix(SPACE) for child in message]
    if names != [name for name in ORDER for _ in range(names.count(name))]:
        found.objections.append(f"order {names}")
    for path in DEMANDED:
        element = message.find("/".join(SPACE + part for part in path.split("/")))
        text = (element.text or "").strip() if element is not None else ""
        found.values[path] = text
        if not text:
            found.objections.append(f"{path} says nothing")
    _look_at_trace(header, found)
    _look_at_files(root, found)
    _look_at_prefixes(data.decode(), found)
    return found


def _look_at_trace(header, found: Found) -> None:
    traces = header.find(f"{SPACE}TraceHeaderList")
    if set(traces.attrib) != {"id", "version", "mustUnderstand", "actor"}:
        found.objections.append(f"TraceHeaderList has {sorted(traces.attrib)}")
    for path in ("TraceHeader/OrganId", "TraceHeader/Timestamp", "Bussiness/BussinessDocType", "Bussiness/Paper"):
        if traces.find("/".join(SPACE + part for part in path.split("/"))) is None:
            found.objections.append(f"{path} is missing")
    if header.find(f"{SPACE}DigitalSignature") is None:
        found.objections.append("DigitalSignature is missing")


def _look_at_files(root, found: Found) -> None:
    manifest = root.find(f"{SPACE}edXMLEnvelope/{SPACE}edXMLBody/{SPACE}edXMLManifest")
    if manifest.get("version") != "1.0":
        found.objections.append("the manifest has no version")
    for reference in manifest:
        content_id = reference.findtext(f"{SPACE}ContentId")
        if reference.get(f"{XLINK}href") != content_id or reference.get(f"{XLINK}type") != "simple":
            found.objections.append(f"no xlink:href to {content_id}")
    for one in root.find(f"{SPACE}AttachmentEncoded") or ():
        name = one.findtext(f"{SPACE}AttachmentName")
        found.files[name] = base64.b64decode(one.findtext(f"{SPACE}ContentTransferEncoded"))


def _look_at_prefixes(text: str, found: Found) -> None:
    inside, _, outside = text.partition("</edXML:edXMLEnvelope>")
    if re.search(r"<(?!edXML[ :]|\?xml|/?ds:|/edXML:)", inside):
        found.objections.append("an element of the envelope is without its prefix")
    if "<edXML:" in outside:
        found.objections.append("an element outside the envelope has the prefix")


def signed_by(data: bytes, certificate) -> bool:
    """Whether the enveloped signature covers the whole file and is of this RSA key."""
    root = etree.fromstring(data)
    signature = next(root.iter(f"{DSIG}Signature"))
    info = signature.find(f"{DSIG}SignedInfo")
    canonical_info = etree.tostring(info, method="c14n", exclusive=True)
    value = base64.b64decode("".join(signature.findtext(f"{DSIG}SignatureValue").split()))
    certificate.public_key().verify(value, canonical_info, padding.PKCS1v15(), hashes.SHA256())
    digest = base64.b64decode(info.findtext(f"{DSIG}Reference/{DSIG}DigestValue"))
    signature.getparent().remove(signature)
    return digest == hashlib.sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()
