# SPDX-License-Identifier: Apache-2.0
"""Each refusal in the reader's language: what happened, what was kept, what to do next."""

from django.utils.translation import gettext as _

from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance.addressees import RecipientUnknown, RecipientUnsettled, RecipientUnsure
from bluezone.rollout.directives.issuance.approval import DirectiveIncomplete, RecipientUnreached


def sentence_of(refused: Refused) -> str:
    """The sentence for a refusal; one without a sentence of its own says its code."""
    if isinstance(refused, RecipientUnknown):
        return _("Not in the directory: %(names)s. Correct the names or enter the agencies; nothing was sent.") % {
            "names": "; ".join(refused.names)
        }
    if isinstance(refused, RecipientUnsettled):
        text = (
            _("It is not certain who is meant: %(names)s. Choose on the draft's page; nothing was sent.")
            if isinstance(refused, RecipientUnsure)
            else _("Has ended: %(names)s. Choose who has taken over on the draft's page; nothing was sent.")
        )
        return text % {"names": "; ".join(refused.names)}
    if isinstance(refused, RecipientUnreached):
        return _("Nobody reads here for: %(names)s. Say that they get it on paper; nothing was sent.") % {
            "names": "; ".join(refused.names)
        }
    if isinstance(refused, DirectiveIncomplete):
        return _("Still missing: %(names)s. Complete the draft; nothing was stored.") % {
            "names": ", ".join(_field(name) for name in refused.missing)
        }
    return _sentences().get(refused.code) or _("Refused (%(code)s). Nothing was stored.") % {"code": refused.code}


def sentence_of_trouble(code: str) -> str:
    """Why a message to another office waits or was refused, and what to do about it."""
    return {
        "": _("It is sent within seconds."),
        "unreachable": _("The other office does not answer. It is tried again by itself."),
        "insecure": _(
            "The other office does not prove who it is: its certificate is none of the authority entered for it. It is "
            "tried again; have an administrator compare the authority by telephone."
        ),
        "unknown_there": _(
            "The other office does not know this one’s certificate. It is tried again; ask their administrator to "
            "enter it."
        ),
        "busy": _("The other office cannot take it at the moment. It is tried again by itself."),
        "not_an_office": _(
            "Another program answers at that address. It is tried again; have an administrator check the address."
        ),
        "receipt_wrong": _(
            "What answered did not sign for it with the certificate held here. It is tried again; ask whether that "
            "office has a new certificate."
        ),
        "edxml_not_for_us": _("The other office says that it does not serve this agency. Call it, then send again."),
        "edxml_document_unknown": _("The other office says that it does not have this document. Call it."),
        "edxml_document_differs": _(
            "The other office has another document of this number and day from here. Call it; number and day of a "
            "document are given once."
        ),
        "edxml_too_large": _("The other office says that the files are too large. Send them on paper or in parts."),
    }.get(code) or _("The other office refused it (%(code)s). Call it, then send again.") % {"code": code}


def _field(name: str) -> str:
    if name.startswith("lead of "):
        return _("who leads task %(label)s") % {"label": name.removeprefix("lead of ")}
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
        "letter_too_large": _(
            "The letter is larger than a letter is. Nothing was stored. Send it without attachments."
        ),
        "letter_unreadable": _(
            "The file is damaged, protected or of a kind that is not read. Nothing was stored. Save it as DOCX or PDF."
        ),
        "old_word_unread": _(
            "This is a document of Word 97-2003, which this server cannot read. Save it as DOCX or PDF, or ask whoever "
            "runs the server to install the package antiword."
        ),
        "file_type_refused": _(
            "Files are kept as PDF, DOCX, XLSX, JPEG, PNG, TIFF or plain text. Nothing was stored. Open another kind "
            "(.doc, .rtf, .odt) in Word or LibreOffice, save it as DOCX and send that."
        ),
        "file_too_large": _("The file is larger than 10 MB. Nothing was stored. Make it smaller and send it again."),
        "file_active": _(
            "The file holds a script, a program, another file or an action that starts something. Nothing was stored. "
            "Print it to a new PDF, or save it without macros, and send it again."
        ),
        "file_unreadable": _(
            "The PDF is damaged, locked or too large to be looked through. Nothing was stored. Save it again as PDF."
        ),
        "issued_elsewhere": _(
            "This document is another office’s, which does not read requests here. Nothing was stored. Call it."
        ),
        "edxml_invalid": _("This is no edXML file that can be read. Nothing was stored. Ask the sender for it again."),
        "edxml_too_large": _("The file with its attachments is too large. Nothing was stored. Ask for smaller scans."),
        "edxml_unsigned": _("The file carries no signature. Nothing was stored. Ask the sender for the signed file."),
        "edxml_signature_weak": _(
            "The file is signed with SHA-1 or a short key, which proves nothing today. Nothing was stored. Ask the "
            "sender to sign with SHA-256."
        ),
        "edxml_signature_wrong": _(
            "The file was changed after it was signed, or somebody else signed it. Nothing was stored. Do not act on "
            "it; call the sender."
        ),
        "edxml_signer_unknown": _(
            "No certificate valid today is held for the office the file names as its sender. Nothing was stored. Get "
            "the certificate from that office and have an administrator enter it."
        ),
        "edxml_not_for_us": _(
            "The file is for other agencies, not for one of this office that this account serves. Nothing was stored."
        ),
        "edxml_repeated": _("This was read in before, or says what is known already. Nothing was changed."),
        "edxml_document_unknown": _(
            "The file is about a document that is not here, or not at its sender. Nothing was stored. Read in the "
            "document first."
        ),
        "edxml_document_differs": _(
            "A document of this number and day is here already and says something else. Nothing was stored. Call the "
            "sender: it has to replace or update the document."
        ),
        "partner_address_unfit": _(
            "Write the address as https://host or https://host:port, and the authority as PEM. Nothing was stored."
        ),
        "nothing_to_write": _("There is nothing to send of this document yet."),
        "agency_without_identifier": _(
            "An agency has no identifier on the document axis. Nothing was written. Enter it in the directory."
        ),
        "certificate_unreadable": _(
            "This is no certificate (PEM or DER), or it holds a private key. Nothing was stored. Ask for the "
            "certificate alone."
        ),
        "certificate_unfit": _(
            "The certificate is past its time, has a weak key, or is this office’s own. Nothing was stored."
        ),
        "certificate_held": _("This certificate is entered for this agency already."),
        "directive_state_wrong": _("Somebody else has moved this document on. Look at its state below."),
        "directive_ahead": _("The letter is dated after today. Correct the day; nothing was sent."),
        "directive_changed": _(
            "What is confirmed is not what was shown: the letter was submitted anew, or its names mean other agencies "
            "since. Nothing was confirmed or sent. Look at it again, or have it submitted again."
        ),
        "issuer_ended": _("The agency that is to issue this letter has ended. Take the letter in for its successor."),
        "own_draft": _("You have written this draft and sign by a delegation only. Somebody else has to confirm it."),
        "signed_copy_wrong": _(
            "The file is no PDF with an electronic signature that fits it. Nothing was stored. Have it signed again."
        ),
        "signer_differs": _("The letter names another signer. Say that you confirm it all the same, or return it."),
        "recipient_repeated": _("This agency has the letter already. Nothing was sent."),
        "completion_without_report": _(
            "Say what was done, and send the reports that the tasks ask for; then report it done. Nothing was changed."
        ),
        "assignee_wrong": _(
            "The person does not work at this agency, or the day is after the letter’s own. Nothing was changed."
        ),
        "extension_not_later": _("More time ends after the day that holds now. Nothing was sent."),
        "directive_repeated": _("A document of this number and day is registered already. Check the number."),
        "directive_not_in_force": _("The issuer has recalled or replaced this document. Do not act on it."),
        "act_out_of_order": _("This step does not follow from the state shown. Nothing was changed."),
        "undo_too_late": _("The ten seconds are over. Nothing was changed."),
        "agency_not_below": _("A document is passed on only to agencies below one’s own. Nothing was sent."),
        "not_a_party": _("This task does not name this agency. Nothing was stored."),
        "request_open": _("The agency waits for the answer to an earlier request."),
        "request_answered": _("Somebody has answered this request already."),
        "report_period_locked": _("This period is locked or has not begun. What was entered before is kept."),
        "period_not_locked": _("This period is open: enter the report. Nothing was sent."),
        "reopening_wrong": _("Choose a day from today on and at most a month ahead. Nothing was changed."),
        "report_settled": _("This report was checked already. What was entered before is kept."),
    }
