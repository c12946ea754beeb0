# SPDX-License-Identifier: Apache-2.0
"""Documents and their states as edXML files, the exchange format of Vietnamese offices (QCVN 102:2016/BTTTT).

What is derived from where; the standard's own tables were not at hand:
- names of a document's elements, the namespace, the form of DocumentId, dates and times, "Bussiness" with its
  spelling, and attachments in base64: sample files of a public kit for the national document axis
  (PVN-Organization/API-Gateway-iOffice, edoc_new.edxml and knobstick.edxml);
- order of the elements (1.1 From to 1.14 DocumentId), the prefix within the envelope and none outside it, Type 18 for
  công văn, the attributes of TraceHeaderList, xlink:href of Reference, the empty DigitalSignature, no field of a
  document left empty: a public adapter of a provincial gateway, whose messages were taken only with them, and another
  adapter that numbers the parts alike;
- kinds of message (0 new, 1 revocation, 2 update, 3 replacement), ReplacementInfoList, the degrees of SteeringType
  and of Priority: public adapters of provincial axes;
- the fields of a status and its codes 01-06, 13, 15, 16: the same adapters. No source gives 07-12 and 14 a meaning;
  a status with one of them is refused.
Our own choices: a status stands in edXML/edXMLEnvelope/edXMLHeader, as a document's header does; DocumentId inside
Bussiness names the document that is revoked, updated or replaced; a status 13 for one agency alone names it in To;
times are of the zone Asia/Ho_Chi_Minh, which the format does not state; kinds other than công văn take their number
from the list in which that is the 18th (Nghị định 30/2020, Article 7); the signature is XML-DSig over the whole file
with exclusive canonicalisation and SHA-256, in edXMLHeader. The sample signs with SHA-1; such a file is refused.
"""

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
    document_id,
)
from bluezone.rollout.directives.exchange.edxml.reader import SignedMessage, read_message, read_signed
from bluezone.rollout.directives.exchange.edxml.signature import (
    InvalidEdxml,
    LargeEdxml,
    SignatureWeak,
    SignatureWrong,
    Signer,
    SignerUnknown,
    Unsigned,
)
from bluezone.rollout.directives.exchange.edxml.writer import write_message

__all__ = [
    "Attachment",
    "Business",
    "BusinessKind",
    "Edoc",
    "InvalidEdxml",
    "LargeEdxml",
    "Organisation",
    "Replacement",
    "ResponseFor",
    "SignatureWeak",
    "SignatureWrong",
    "SignedMessage",
    "Signer",
    "SignerUnknown",
    "Staff",
    "StatusCode",
    "StatusMessage",
    "Trace",
    "Unsigned",
    "document_id",
    "read_message",
    "read_signed",
    "write_message",
]
