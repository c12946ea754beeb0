# SPDX-License-Identifier: Apache-2.0
"""An alert as XML for phone networks and relays, and the Atom feed of the newest alerts.

Source: Common Alerting Protocol Version 1.2, OASIS Standard, 1 July 2010; RFC 4287 for the feed.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/cap+xml"
# A cell broadcast has at most 15 pages of 40 characters in UCS-2 (3GPP TS 23.041).
BROADCAST_CHARACTERS = 600
_RESPONSES = {"Alert": "Execute", "Update": "Execute", "Cancel": "AllClear"}

# Feed readers expect Atom without a prefix.
register_namespace("", ATOM)


@dataclass(frozen=True)
class Words:
    """The texts of an alert in one language."""

    language: str
    event: str
    sender_name: str
    headline: str
    description: str
    instruction: str

    @property
    def broadcast_text(self) -> str:
        """The text that phones show for a cell broadcast."""
        return f"{self.headline}\n{self.instruction}"


@dataclass(frozen=True)
class Area:
    """A unit: its name and its official code, or None.

    rings: its closed outlines, points (longitude, latitude) in degrees of WGS 84; empty if unknown.
    """

    name: str
    code: str | None
    rings: Sequence[Sequence[tuple[float, float]]] = ()


@dataclass(frozen=True)
class Message:
    """The content of an alert. references: "sender,identifier,sent" of earlier messages. web: page with more."""

    identifier: str
    sender: str
    sent: datetime.datetime
    status: str
    kind: str
    urgency: str
    severity: str
    certainty: str
    expires: datetime.datetime
    words: Sequence[Words]
    areas: Sequence[Area]
    references: Sequence[str] = ()
    web: str = ""
    contact: str = ""


def format_time(moment: datetime.datetime) -> str:
    """A time in the form that the schema requires: seconds, and the offset of the local zone, never "Z"."""
    return moment.replace(microsecond=0).isoformat(timespec="seconds")


def message_reference(sender: str, identifier: str, sent: datetime.datetime) -> str:
    """The reference to an earlier message."""
    return f"{sender},{identifier},{format_time(sent)}"


def alert_xml(message: Message) -> bytes:
    """The alert as UTF-8 XML, in a default namespace, since some readers cannot handle prefixes."""
    root = Element(f"{{{NAMESPACE}}}alert")
    _add_texts(
        root, identifier=message.identifier, sender=message.sender, sent=format_time(message.sent),
        status=message.status, msgType=message.kind, scope="Public", references=" ".join(message.references),
    )  # fmt: skip
    for words in message.words:
        _fill_info(SubElement(root, f"{{{NAMESPACE}}}info"), message, words)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=NAMESPACE))


def _fill_info(info: Element, message: Message, words: Words) -> None:
    _add_texts(
        info, language=words.language, category="Health", event=words.event, responseType=_RESPONSES[message.kind],
        urgency=message.urgency, severity=message.severity, certainty=message.certainty,
        effective=format_time(message.sent), expires=format_time(message.expires), senderName=words.sender_name,
        headline=words.headline, description=words.description, instruction=words.instruction, web=message.web,
        contact=message.contact,
    )  # fmt: skip
    _add_texts(SubElement(info, f"{{{NAMESPACE}}}parameter"), valueName="CellBroadcastText", value=words.broadcast_text)
    for area in message.areas:
        place = SubElement(info, f"{{{NAMESPACE}}}area")
        _add_texts(place, areaDesc=area.name)
        for ring in area.rings:
            # CAP writes latitude first; four decimals are precise to ten metres.
            points = " ".join(f"{latitude:.4f},{longitude:.4f}" for longitude, latitude in ring)
            _add_texts(place, polygon=points)
        if area.code:
            # The codes of the General Statistics Office, which are on every map of Vietnam.
            _add_texts(SubElement(place, f"{{{NAMESPACE}}}geocode"), valueName="GSO", value=area.code)


def feed_xml(title: str, address: str, updated: datetime.datetime, entries: Sequence[tuple[Message, str]]) -> bytes:
    """The Atom feed. entries: messages with their addresses, newest first."""
    root = Element(f"{{{ATOM}}}feed")
    _add_atom_texts(root, id=address, title=title, updated=format_time(updated))
    SubElement(root, f"{{{ATOM}}}link", {"rel": "self", "href": address})
    for message, link in entries:
        entry = SubElement(root, f"{{{ATOM}}}entry")
        first = message.words[0]
        _add_atom_texts(
            entry, id=link, title=first.headline, updated=format_time(message.sent), summary=first.instruction
        )
        author = SubElement(entry, f"{{{ATOM}}}author")
        _add_atom_texts(author, name=first.sender_name)
        SubElement(entry, f"{{{ATOM}}}link", {"rel": "alternate", "type": MEDIA_TYPE, "href": link})
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _add_texts(parent: Element, **values: str) -> None:
    """Add child elements in order, except empty ones."""
    for name, value in values.items():
        if value:
            SubElement(parent, f"{{{NAMESPACE}}}{name}").text = value


def _add_atom_texts(parent: Element, **values: str) -> None:
    for name, value in values.items():
        SubElement(parent, f"{{{ATOM}}}{name}").text = value
