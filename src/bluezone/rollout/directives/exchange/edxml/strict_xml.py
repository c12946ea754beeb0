# SPDX-License-Identifier: Apache-2.0
"""Parse an edXML file a stranger may have made: no document type, entities or network, bounded size and depth."""

import re

from lxml import etree

from bluezone.refusal import Refused

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
