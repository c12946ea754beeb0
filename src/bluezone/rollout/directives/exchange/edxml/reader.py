# SPDX-License-Identifier: Apache-2.0
"""Read a signed edXML file: only what its sender signed is looked at (sources: the package's docstring)."""

import base64
import binascii
import datetime
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from lxml import etree

from bluezone.rollout.directives.exchange.edxml.messages import (
    Attachment,
    Business,
    BusinessKind,
    Edoc,
    Organisation,
    Replacement,
    ResponseFor,
    Staff,
    StatusCode,
    StatusMessage,
    Trace,
)
from bluezone.rollout.directives.exchange.edxml.signature import EDXML, InvalidEdxml, parse, verified
from bluezone.rollout.directives.exchange.edxml.writer import ORGANISATION_FIELDS, STAFF_FIELDS, ZONE

_DATES = ("%Y/%m/%d", "%Y-%m-%d", "%d/%m/%Y")
_TIMES = ("%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S")


@dataclass(frozen=True)
class SignedMessage:
    """A message with the certificate that proves its sender, and the SHA-256 of what was signed (64 hex digits)."""

    message: Edoc | StatusMessage
    certificate: x509.Certificate
    digest: str


def read_message(
    data: bytes, trusted: Mapping[str, Sequence[x509.Certificate]], at: datetime.datetime
) -> Edoc | StatusMessage:
    """Return the message alone of `read_signed`, which see."""
    return read_signed(data, trusted, at).message


def read_signed(data: bytes, trusted: Mapping[str, Sequence[x509.Certificate]], at: datetime.datetime) -> SignedMessage:
    """Return the message of a file that its sender signed.

    data:    the file, at most parsing.LARGEST_MESSAGE bytes.
    trusted: the certificates held of each agency, by its code.
    at:      now, aware; a certificate must be valid then.
    Raises InvalidEdxml, LargeEdxml, Unsigned, SignatureWeak, SignerUnknown or SignatureWrong.
    """
    root = parse(data)
    sender = _sender(root)
    proved = verified(root, sender, trusted, at)
    header = _one(_one(proved.root, "edXMLEnvelope"), "edXMLHeader")
    status = header.find(_name("Status"))
    message = _status(status) if status is not None else _edoc(proved.root, header)
    if message.sender.id != sender:
        raise InvalidEdxml("the file names two senders")
    return SignedMessage(message, proved.certificate, proved.digest)


def _sender(root: etree._Element) -> str:
    for path in ("MessageHeader", "Status"):
        element = root.find("/".join(map(_name, ("edXMLEnvelope", "edXMLHeader", path, "From", "OrganId"))))
        if element is not None and element.text and element.text.strip():
            return unicodedata.normalize("NFC", element.text.strip())
    raise InvalidEdxml("the file names no sender")


def _name(local: str) -> str:
    return f"{{{EDXML}}}{local}"


def _one(parent: etree._Element, local: str) -> etree._Element:
    found = parent.findall(_name(local))
    if len(found) != 1:
        raise InvalidEdxml(f"{etree.QName(parent).localname} has {len(found)} elements {local}, expected one")
    return found[0]


def _text(parent: etree._Element | None, *locals: str, required: bool = False) -> str:
    """Return the text of the first element of these names, NFC and without blanks around it; "" for none."""
    children = [] if parent is None else [parent.find(_name(local)) for local in locals]
    element = next((child for child in children if child is not None), None)
    text = unicodedata.normalize("NFC", (element.text or "").strip()) if element is not None else ""
    if required and not text:
        raise InvalidEdxml(f"{locals[0]} is missing")
    return text


def _texts(parent: etree._Element | None, local: str) -> tuple[str, ...]:
    """Return the texts of the children of a list, without empty ones."""
    found = None if parent is None else parent.find(_name(local))
    texts = ((child.text or "").strip() for child in (found if found is not None else ()))
    return tuple(unicodedata.normalize("NFC", text) for text in texts if text)


def _number(parent: etree._Element | None, *locals: str) -> int:
    text = _text(parent, *locals)
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise InvalidEdxml(f"{locals[0]} is not a number")
    return int(text or 0)


def _date(text: str, name: str) -> datetime.date:
    return _moment(text, _DATES, name).date()


def _time(text: str, name: str) -> datetime.datetime:
    return _moment(text, _TIMES, name).replace(tzinfo=ZONE).astimezone(datetime.UTC)


def _moment(text: str, forms: Sequence[str], name: str) -> datetime.datetime:
    for form in forms:
        try:
            return datetime.datetime.strptime(text, form)  # noqa: DTZ007 (the format states no zone)
        except ValueError:
            continue
    raise InvalidEdxml(f"{name} is not a date of the form {forms[0]}")


def _organisation(element: etree._Element) -> Organisation:
    values = {field: _text(element, name) for name, field in ORGANISATION_FIELDS.items()}
    if not values["id"]:
        raise InvalidEdxml("an organisation has no OrganId")
    return Organisation(**values)


def _staff(parent: etree._Element) -> Staff:
    element = parent.find(_name("StaffInfo"))
    if element is None:
        return Staff()
    return Staff(**{field: _text(element, name) for name, field in STAFF_FIELDS.items()})


def _edoc(root: etree._Element, header: etree._Element) -> Edoc:
    message = _one(header, "MessageHeader")
    code, promulgation = _one(message, "Code"), _one(message, "PromulgationInfo")
    kind, signer, other = (message.find(_name(local)) for local in ("DocumentType", "SignerInfo", "OtherInfo"))
    due = _text(message, "DueDate")
    recipients = tuple(_organisation(element) for element in message.findall(_name("To")))
    if not recipients:
        raise InvalidEdxml("the document has no recipient")
    edoc = Edoc(
        sender=_organisation(_one(message, "From")),
        recipients=recipients,
        number=_text(code, "CodeNumber", required=True),
        notation=_text(code, "CodeNotation", required=True),
        date=_date(_text(promulgation, "PromulgationDate", required=True), "PromulgationDate"),
        place=_text(promulgation, "Place"),
        subject=_text(message, "Subject", required=True),
        content=_text(message, "Content"),
        type_name=_text(kind, "TypeName"),
        type_code=_number(kind, "Type"),
        type_detail=_number(kind, "TypeDetail"),
        signer_authority=_text(signer, "Competence"),
        signer_position=_text(signer, "Position"),
        signer_name=_text(signer, "FullName"),
        due_date=_date(due, "DueDate") if due else None,
        priority=_number(other, "Priority"),
        sphere=_text(other, "SphereOfPromulgation"),
        typist=_text(other, "TyperNotation"),
        copies=_number(other, "PromulgationAmount"),
        pages=_number(other, "PageAmount"),
        appendixes=_texts(other, "Appendixes"),
        steering=_number(message, "SteeringType"),
        to_places=_texts(message, "ToPlaces"),
        traces=_traces(header),
        business=_business(header),
        attachments=_attachments(root),
    )
    if _text(message, "DocumentId", required=True) != edoc.document_id:
        raise InvalidEdxml("DocumentId does not name the sender, day and number of the document")
    return edoc


def _traces(header: etree._Element) -> tuple[Trace, ...]:
    hops = header.iterfind(f"{_name('TraceHeaderList')}/{_name('TraceHeader')}")
    return tuple(Trace(_text(hop, "OrganId"), _time(_text(hop, "Timestamp"), "Timestamp")) for hop in hops)


def _business(header: etree._Element) -> Business:
    traces = header.find(_name("TraceHeaderList"))
    # The samples write "Bussiness"; some adapters write the word as it is spelled.
    act = next((child for child in (traces if traces is not None else ()) if child.tag in _BUSINESS), None)
    if act is None:
        return Business()
    number = _number(act, "BussinessDocType", "BusinessDocType")
    if number not in set(BusinessKind):
        raise InvalidEdxml(f"BussinessDocType is {number}, expected 0..3")
    business = Business(
        kind=BusinessKind(number),
        reason=_text(act, "BussinessDocReason", "BusinessDocReason"),
        document_id=_text(act, "DocumentId"),
        paper=bool(_number(act, "Paper")),
        staff=_staff(act),
        replacements=tuple(
            Replacement(
                _text(one, "DocumentId", required=True),
                tuple(
                    (organ.text or "").strip() for organ in one.iterfind(f"{_name('OrganIdList')}/{_name('OrganId')}")
                ),
            )
            for one in act.iterfind(f"{_name('ReplacementInfoList')}/{_name('ReplacementInfo')}")
        ),
    )
    if business.kind is not BusinessKind.NEW and not (business.document_id or business.replacements):
        raise InvalidEdxml(f"a {business.kind.name.lower()} must name the document it acts on")
    return business


_BUSINESS = {_name("Bussiness"), _name("Business")}


def _attachments(root: etree._Element) -> tuple[Attachment, ...]:
    """Return the attachments in the manifest's order; each must be listed there and be there, once."""
    encoded = {_content_id(one): one for one in root.iterfind(f"{_name('AttachmentEncoded')}/*")}
    manifest = "/".join(map(_name, ("edXMLEnvelope", "edXMLBody", "edXMLManifest", "Reference")))
    listed = [(_content_id(reference), reference) for reference in root.iterfind(manifest)]
    if sorted(content_id for content_id, _ in listed) != sorted(encoded):
        raise InvalidEdxml("the attachments are not those that the manifest lists")
    return tuple(_attachment(reference, encoded[content_id]) for content_id, reference in listed)


def _content_id(element: etree._Element) -> str:
    """Return the id of an attachment; some adapters write "cid:" in the manifest alone."""
    return _text(element, "ContentId", required=True).removeprefix("cid:")


def _attachment(reference: etree._Element, encoded: etree._Element) -> Attachment:
    content = "".join((encoded.findtext(_name("ContentTransferEncoded")) or "").split())
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidEdxml("an attachment is not base64") from None
    return Attachment(
        name=_text(reference, "AttachmentName", required=True),
        content_type=_text(reference, "ContentType") or "application/octet-stream",
        content=data,
        description=_text(reference, "Description"),
    )


def _status(status: etree._Element) -> StatusMessage:
    about = _one(status, "ResponseFor")
    code = _text(status, "StatusCode", required=True)
    if code not in set(StatusCode):
        raise InvalidEdxml(f"StatusCode is none of {', '.join(StatusCode)}")
    to = status.find(_name("To"))
    return StatusMessage(
        response_for=ResponseFor(
            organ_id=_text(about, "OrganId", required=True),
            code=_text(about, "Code"),
            date=_date(_text(about, "PromulgationDate", required=True), "PromulgationDate"),
            document_id=_text(about, "DocumentId", required=True),
        ),
        sender=_organisation(_one(status, "From")),
        status=StatusCode(code),
        description=_text(status, "Description"),
        timestamp=_time(_text(status, "Timestamp", required=True), "Timestamp"),
        staff=_staff(status),
        recipient=_organisation(to) if to is not None else None,
    )
