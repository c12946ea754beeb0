# SPDX-License-Identifier: Apache-2.0
"""Write a document or a status as a signed edXML file (what comes from where: the package's docstring)."""

import base64
import datetime
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from lxml import etree

from bluezone.rollout.directives.exchange.edxml.messages import (
    Attachment,
    Business,
    BusinessKind,
    Edoc,
    Organisation,
    Staff,
    StatusMessage,
    Trace,
)
from bluezone.rollout.directives.exchange.edxml.signature import (
    EDXML,
    LARGEST_MESSAGE,
    InvalidEdxml,
    LargeEdxml,
    Signer,
    sign,
)

# The format states no zone; offices of Vietnam write their own time.
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

ORGANISATION_FIELDS = {
    "OrganId": "id",
    "OrganizationInCharge": "in_charge",
    "OrganName": "name",
    "OrganAdd": "address",
    "Email": "email",
    "Telephone": "telephone",
    "Fax": "fax",
    "Website": "website",
}
XLINK = "http://www.w3.org/1999/xlink"
TRACE_ATTRIBUTES = {
    "id": "trace",
    "version": "1.0",
    "mustUnderstand": "1",
    "actor": "http://schemas.xmlsoap.org/soap/actor/next",
}
STAFF_FIELDS = {"Department": "department", "Staff": "name", "Email": "email", "Mobile": "mobile"}


def write_message(message: Edoc | StatusMessage, signer: Signer) -> bytes:
    """Return the message as a signed edXML file in UTF-8.

    Raises InvalidEdxml for a message that XML cannot carry or that names no document to act on; LargeEdxml for
    attachments that no reader would take.
    """
    _refuse_incomplete(message)
    # Readers that go by the prefix expect it within the envelope, and none outside.
    root = etree.Element(_name("edXML"), nsmap={None: EDXML})
    envelope = etree.SubElement(root, _name("edXMLEnvelope"), nsmap={"edXML": EDXML})
    header = _add(envelope, "edXMLHeader")
    try:
        if isinstance(message, StatusMessage):
            _add_status(header, message)
        else:
            _add_document(header, message)
            _add_manifest(envelope, message.attachments)
            _add_attachments(root, message.attachments)
    except ValueError:
        raise InvalidEdxml("a text of the message holds a control character, which XML cannot carry") from None
    data = etree.tostring(sign(root, signer), encoding="UTF-8", xml_declaration=True)
    if len(data) > LARGEST_MESSAGE:
        raise LargeEdxml(f"the message is {len(data)} bytes with its attachments, at most {LARGEST_MESSAGE} are sent")
    return bytes(data)


def _refuse_incomplete(message: Edoc | StatusMessage) -> None:
    if isinstance(message, StatusMessage):
        return
    if message.business.kind is not BusinessKind.NEW and not message.business.document_id:
        raise InvalidEdxml(f"a {message.business.kind.name.lower()} must name the document it acts on")
    if not message.recipients:
        raise InvalidEdxml("the document has no recipient")


def _name(local: str) -> str:
    return f"{{{EDXML}}}{local}"


def _add(parent: etree._Element, local: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, _name(local))
    element.text = text
    return element


def _add_some(parent: etree._Element, values: Iterable[tuple[str, str]]) -> None:
    """Add an element for each value that is not empty."""
    for local, value in values:
        if value:
            _add(parent, local, value)


def _add_organisation(parent: etree._Element, local: str, organisation: Organisation) -> None:
    element = _add(parent, local)
    _add_some(element, ((name, getattr(organisation, field)) for name, field in ORGANISATION_FIELDS.items()))


def _add_staff(parent: etree._Element, staff: Staff) -> None:
    if staff != Staff():
        element = _add(parent, "StaffInfo")
        _add_some(element, ((name, getattr(staff, field)) for name, field in STAFF_FIELDS.items()))


def _add_document(header: etree._Element, edoc: Edoc) -> None:
    """Add the header in the order in which the standard numbers its parts (1.1 to 1.14 and 2)."""
    message = _add(header, "MessageHeader")
    _add_organisation(message, "From", edoc.sender)
    for recipient in edoc.recipients:
        _add_organisation(message, "To", recipient)
    _add_some(_add(message, "Code"), (("CodeNumber", edoc.number), ("CodeNotation", edoc.notation)))
    promulgation = _add(message, "PromulgationInfo")
    _add_some(promulgation, (("Place", edoc.place), ("PromulgationDate", f"{edoc.date:%Y/%m/%d}")))
    kind = _add(message, "DocumentType")
    _add_some(
        kind, (("Type", str(edoc.type_code)), ("TypeName", edoc.type_name), ("TypeDetail", str(edoc.type_detail)))
    )
    _add_some(message, (("Subject", edoc.subject), ("Content", edoc.content)))
    _add_some(
        _add(message, "SignerInfo"),
        (("Competence", edoc.signer_authority), ("Position", edoc.signer_position), ("FullName", edoc.signer_name)),
    )
    if edoc.due_date:
        _add(message, "DueDate", f"{edoc.due_date:%Y/%m/%d}")
    if edoc.to_places:
        _add_some(_add(message, "ToPlaces"), (("Place", place) for place in edoc.to_places))
    _add_other(message, edoc)
    _add(message, "SteeringType", str(edoc.steering))
    _add(message, "DocumentId", edoc.document_id)
    _add_traces(header, edoc.traces, edoc.business)


def _add_other(message: etree._Element, edoc: Edoc) -> None:
    other = _add(message, "OtherInfo")
    _add_some(
        other,
        (
            ("Priority", str(edoc.priority)),
            ("SphereOfPromulgation", edoc.sphere),
            ("TyperNotation", edoc.typist),
            ("PromulgationAmount", str(edoc.copies)),
            ("PageAmount", str(edoc.pages)),
        ),
    )
    if edoc.appendixes:
        _add_some(_add(other, "Appendixes"), (("Appendix", title) for title in edoc.appendixes))


def _add_traces(header: etree._Element, traces: tuple[Trace, ...], business: Business) -> None:
    element = _add(header, "TraceHeaderList")
    for name, value in TRACE_ATTRIBUTES.items():
        element.set(name, value)
    for trace in traces:
        hop = _add(element, "TraceHeader")
        _add_some(hop, (("OrganId", trace.organ_id), ("Timestamp", written_time(trace.timestamp))))
    act = _add(element, "Bussiness")
    _add_some(
        act,
        (
            ("DocumentId", business.document_id),
            ("BussinessDocType", str(int(business.kind))),
            ("BussinessDocReason", business.reason),
            ("Paper", str(int(business.paper))),
        ),
    )
    if business.replacements:
        replacements = _add(act, "ReplacementInfoList")
        for replacement in business.replacements:
            one = _add(replacements, "ReplacementInfo")
            _add(one, "DocumentId", replacement.document_id)
            _add_some(_add(one, "OrganIdList"), (("OrganId", organ_id) for organ_id in replacement.organ_ids))
    _add_staff(act, business.staff)
    # Its place; the signature itself is XML-DSig beside it.
    _add(header, "DigitalSignature")


def _add_status(header: etree._Element, message: StatusMessage) -> None:
    status = _add(header, "Status")
    _add_some(
        _add(status, "ResponseFor"),
        (
            ("OrganId", message.response_for.organ_id),
            ("Code", message.response_for.code),
            ("PromulgationDate", f"{message.response_for.date:%Y/%m/%d}"),
            ("DocumentId", message.response_for.document_id),
        ),
    )
    _add_organisation(status, "From", message.sender)
    if message.recipient:
        _add_organisation(status, "To", message.recipient)
    _add(status, "StatusCode", message.status.value)
    _add_some(status, (("Description", message.description), ("Timestamp", written_time(message.timestamp))))
    _add_staff(status, message.staff)


def _add_manifest(envelope: etree._Element, attachments: tuple[Attachment, ...]) -> None:
    manifest = _add(_add(envelope, "edXMLBody"), "edXMLManifest")
    manifest.set("version", "1.0")
    for number, attachment in enumerate(attachments, 1):
        reference = etree.SubElement(manifest, _name("Reference"), nsmap={"xlink": XLINK})
        for name, value in (("href", f"cid:{number}"), ("role", "XLinkRole"), ("type", "simple")):
            reference.set(f"{{{XLINK}}}{name}", value)
        _add_some(
            reference,
            (
                ("Description", attachment.description),
                ("AttachmentName", attachment.name),
                ("ContentType", attachment.content_type),
                ("ContentId", f"cid:{number}"),
            ),
        )


def _add_attachments(root: etree._Element, attachments: tuple[Attachment, ...]) -> None:
    if sum(len(attachment.content) for attachment in attachments) > LARGEST_MESSAGE * 3 // 4:
        raise LargeEdxml(f"the attachments are too large; with them a message may have {LARGEST_MESSAGE} bytes")
    encoded = _add(root, "AttachmentEncoded")
    for number, attachment in enumerate(attachments, 1):
        _add_some(
            _add(encoded, "Attachment"),
            (
                ("ContentId", f"cid:{number}"),
                ("AttachmentName", attachment.name),
                ("Description", attachment.description),
                ("ContentType", attachment.content_type),
                ("ContentTransferEncoded", base64.b64encode(attachment.content).decode()),
            ),
        )


def written_time(moment: datetime.datetime) -> str:
    """Return an aware time as the format writes it, in Vietnam's zone, to the second."""
    return f"{moment.astimezone(ZONE):%Y/%m/%d %H:%M:%S}"
