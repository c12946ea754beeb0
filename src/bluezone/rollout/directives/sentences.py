# SPDX-License-Identifier: Apache-2.0
"""Each refusal in the reader's language: what happened, what was kept, what to do next."""

from django.utils.translation import gettext as _

from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance.addressees import RecipientUnknown, RecipientUnsettled, RecipientUnsure
from bluezone.rollout.directives.issuance.approval import DirectiveIncomplete, RecipientUnreached


def sentence_of(refused: Refused) -> str:
    """The sentence for a refusal; one without a sentence of its own says its code."""
    if isinstance(refused, RecipientUnknown):
        return _("Not in the directory: %(names)s. Correct the names or enter the agencies. Nothing was sent.") % {
            "names": "; ".join(refused.names)
        }
    if isinstance(refused, RecipientUnsettled):
        text = (
            _("It is not clear which agencies are meant: %(names)s. Choose them on the draft's page. Nothing was sent.")
            if isinstance(refused, RecipientUnsure)
            else _("No longer exists: %(names)s. Choose the successor on the draft's page. Nothing was sent.")
        )
        return text % {"names": "; ".join(refused.names)}
    if isinstance(refused, RecipientUnreached):
        return _("No one reads here for: %(names)s. Confirm that they get it on paper. Nothing was sent.") % {
            "names": "; ".join(refused.names)
        }
    if isinstance(refused, DirectiveIncomplete):
        return _("Still missing: %(names)s. Complete the draft. Nothing was stored.") % {
            "names": ", ".join(_field(name) for name in refused.missing)
        }
    return _sentences().get(refused.code) or _("Refused (%(code)s). Nothing was stored.") % {"code": refused.code}


def sentence_of_trouble(code: str) -> str:
    """Why a message to another office waits or was refused, and what to do about it."""
    return {
        "": _("It will be sent within seconds."),
        "unreachable": _("The other office does not answer. The system will try again automatically."),
        "insecure": _(
            "The other office could not be authenticated: its certificate was not issued by the authority entered "
            "for it. The system will try again. Ask an administrator to compare the authority by telephone."
        ),
        "unknown_there": _(
            "The other office does not know this office’s certificate. The system will try again. Ask their "
            "administrator to enter it."
        ),
        "busy": _("The other office cannot accept it at the moment. The system will try again automatically."),
        "not_an_office": _(
            "Another program answers at that address. The system will try again. Ask an administrator to "
            "check the address."
        ),
        "receipt_wrong": _(
            "The answer was not signed with the certificate stored here. The system will try again. Ask whether "
            "that office has a new certificate."
        ),
        "edxml_not_for_us": _("The other office says that it does not serve this agency. Call it, then send again."),
        "edxml_document_unknown": _("The other office says that it does not have this document. Call it."),
        "edxml_document_differs": _(
            "The other office already has a different document with this number and day from this office. Call it. "
            "A number and day may be used only once."
        ),
        "edxml_too_large": _("The other office says that the files are too large. Send them on paper or in parts."),
    }.get(code) or _("The other office refused it (%(code)s). Call it, then send again.") % {"code": code}


def _field(name: str) -> str:
    if name.startswith("lead of "):
        return _("the lead agency for task %(label)s") % {"label": name.removeprefix("lead of ")}
    return {
        "number": _("Number of the document"),
        "subject": _("Subject"),
        "notation": _("Notation"),
        "date": _("Date of the document"),
        "signer_name": _("Signer"),
        "recipients_action": _("For action"),
    }.get(name, name)


def _sentences() -> dict[str, str]:
    return {
        "not_a_directive": _(
            "This does not look like an administrative letter. Nothing was stored. "
            "Paste it whole, from the national title to Nơi nhận."
        ),
        "letter_too_large": _("The file is too large for a letter. Nothing was stored. Send it without attachments."),
        "letter_unreadable": _(
            "The file is damaged, protected or of a type that cannot be read. Nothing was stored. Save "
            "it as DOCX or PDF."
        ),
        "old_word_unread": _(
            "This is a Word 97-2003 document, which this server cannot read. Save it as DOCX or PDF, or ask the "
            "operator of the server to install the package antiword."
        ),
        "file_type_refused": _(
            "Files are kept as PDF, DOCX, XLSX, JPEG, PNG, TIFF or plain text. Nothing was stored. Open another "
            "type (.doc, .rtf, .odt) in Word or LibreOffice, save it as DOCX and send that."
        ),
        "file_too_large": _("The file is larger than 10 MB. Nothing was stored. Make it smaller and send it again."),
        "file_active": _(
            "The file contains a script, a program, another file or an automatic action. Nothing was stored. Print "
            "it to a new PDF, or save it without macros, and send it again."
        ),
        "file_unreadable": _(
            "The PDF is damaged, locked or too large to be checked. Nothing was stored. Save it again as PDF."
        ),
        "issued_elsewhere": _(
            "This document belongs to another office, which does not read requests here. Nothing was "
            "stored. Call that office."
        ),
        "edxml_invalid": _("This is not a readable edXML file. Nothing was stored. Ask the sender for it again."),
        "edxml_too_large": _("The file with its attachments is too large. Nothing was stored. Ask for smaller scans."),
        "edxml_unsigned": _("The file has no signature. Nothing was stored. Ask the sender for the signed file."),
        "edxml_signature_weak": _(
            "The file is signed with SHA-1 or a short key, which is no longer secure. Nothing was stored. Ask the "
            "sender to sign with SHA-256."
        ),
        "edxml_signature_wrong": _(
            "The file was changed after it was signed, or someone else signed it. Nothing was stored. Do not act on "
            "it; call the sender."
        ),
        "edxml_signer_unknown": _(
            "There is no valid certificate here for the office that the file names as its sender. Nothing was "
            "stored. Get the certificate from that office and ask an administrator to enter it."
        ),
        "edxml_not_for_us": _(
            "The file is for other agencies, not for an agency of this office that this account serves. "
            "Nothing was stored."
        ),
        "edxml_repeated": _("This was already imported, or contains nothing new. Nothing was changed."),
        "edxml_document_unknown": _(
            "The file is about a document that is not here, or that the sender does not have. Nothing was stored. "
            "Import the document first."
        ),
        "edxml_document_differs": _(
            "There is already a different document with this number and day here. Nothing was stored. Call the "
            "sender, which has to replace or update the document."
        ),
        "partner_address_unfit": _(
            "Write the address as https://host or https://host:port, and the authority as PEM. Nothing was stored."
        ),
        "nothing_to_write": _("There is nothing to send for this document yet."),
        "agency_without_identifier": _(
            "An agency has no identifier on the document axis. Nothing was written. Enter it in the directory."
        ),
        "certificate_unreadable": _(
            "This is not a certificate (PEM or DER), or it contains a private key. Nothing was stored. Ask for a "
            "file with only the certificate."
        ),
        "certificate_unfit": _(
            "The certificate has expired, has a weak key or is this office’s own. Nothing was stored."
        ),
        "certificate_held": _("This certificate has already been entered for this agency."),
        "directive_state_wrong": _("Someone else has already processed this document. See its state below."),
        "directive_ahead": _("The letter has a future date. Correct the day. Nothing was sent."),
        "directive_changed": _(
            "The letter has changed since it was shown: it was submitted again, or its names now mean other "
            "agencies. Nothing was confirmed or sent. Look at it again, or have it submitted again."
        ),
        "issuer_ended": _("The agency that issues this letter no longer exists. Enter the letter for its successor."),
        "own_draft": _("You wrote this draft and can sign only by delegation. Someone else has to confirm it."),
        "signed_copy_wrong": _(
            "The file is not a PDF with a valid electronic signature. Nothing was stored. Have it signed again."
        ),
        "signer_differs": _("The letter names another signer. Tick that you confirm it anyway, or return it."),
        "recipient_repeated": _("This agency already has the letter. Nothing was sent."),
        "completion_without_report": _(
            "Say what was done and send the reports that the tasks require. Then report it done. Nothing was changed."
        ),
        "assignee_wrong": _(
            "The person does not work at this agency, or the day is after the letter’s due day. Nothing was changed."
        ),
        "extension_not_later": _("The new day must be after the current one. Nothing was sent."),
        "directive_repeated": _("A document with this number and day is already registered. Check the number."),
        "directive_not_in_force": _("The issuer has recalled or replaced this document. Do not act on it."),
        "act_out_of_order": _("This step is not possible in the current state. Nothing was changed."),
        "undo_too_late": _("The ten seconds are over. Nothing was changed."),
        "agency_not_below": _("You can pass a document on only to agencies below yours. Nothing was sent."),
        "not_a_party": _("This task does not name this agency. Nothing was stored."),
        "request_open": _("The agency is waiting for the answer to an earlier request."),
        "request_answered": _("Someone has already answered this request."),
        "report_period_locked": _("This period is locked or has not started. What was entered before is kept."),
        "period_not_locked": _("This period is open: enter the report. Nothing was sent."),
        "reopening_wrong": _("Choose a day from today up to one month ahead. Nothing was changed."),
        "report_settled": _("This report has already been checked. What was entered before is kept."),
    }
