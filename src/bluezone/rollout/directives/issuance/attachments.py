# SPDX-License-Identifier: Apache-2.0
"""Files that people send in, kept once each; those that go with a letter, added and taken away while it is a draft;
and every stored file and seal for its parties alone.
"""

import datetime
import hashlib
import secrets
import unicodedata

from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.letters.files.confinement import draw_scan_page
from bluezone.letters.letter import FileTooLarge, Letter
from bluezone.refusal import Refused
from bluezone.rollout.directives import permissions
from bluezone.rollout.directives.issuance import approval, versions
from bluezone.rollout.directives.issuance.approval import DirectiveStateWrong
from bluezone.rollout.directives.models import Directive, DirectiveState, Dispatch, Report, StoredFile
from bluezone.training import practised

# What a browser may show by itself; all else is only downloaded.
SHOWN_INLINE = frozenset({"image/jpeg", "image/png"})


def store(letter: Letter, name: str) -> StoredFile:
    """Keep a file as it came; `letter.examine()` was called before the transaction.

    Raises what `Letter.check` refuses; nothing is kept then.
    """
    made: StoredFile = StoredFile.objects.create(
        content_type=letter.check(),
        token=secrets.token_urlsafe(32),
        name=_plain(name),
        sha256=hashlib.sha256(letter.data).hexdigest(),
        size=len(letter.data),
        content=letter.data,
        signatures=letter.signatures,
    )
    return made


def _plain(name: str) -> str:
    """A file name without folders and control characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip(" .")[-200:] or "tệp"


MOST_FILES = 10
# Base64 of it, with the letter's text, fits an exchange file.
LARGEST_TOGETHER = 10 * 1024 * 1024


def add(directive: Directive, data: bytes, name: str) -> StoredFile:
    """Keep a file with a draft. Raises DirectiveStateWrong, FileTooLarge and what `Letter.check` refuses."""
    if len(data) > LARGEST_TOGETHER:
        raise FileTooLarge(f"a letter has at most {MOST_FILES} files of {LARGEST_TOGETHER} bytes together")
    letter = Letter(data)
    letter.examine()
    with transaction.atomic():
        locked = _draft(directive)
        sizes = list(locked.attachments.values_list("size", flat=True)) + (
            [locked.original.size] if locked.original else []
        )
        if len(sizes) >= MOST_FILES or sum(sizes) + len(data) > LARGEST_TOGETHER:
            raise FileTooLarge(f"a letter has at most {MOST_FILES} files of {LARGEST_TOGETHER} bytes together")
        made = store(letter, name)
        locked.attachments.add(made)
    return made


def take_away(directive: Directive, token: str) -> None:
    """Delete a file of a draft. Raises DirectiveStateWrong."""
    with transaction.atomic():
        locked = _draft(directive)
        for file in locked.attachments.filter(token=token):
            locked.attachments.remove(file)
            file.delete()


# States of a signature (letters.pdf_letter) by which the file is as it was signed.
_FITTING = ("whole", "added")


class SignedCopyWrong(Refused):
    """The file is no PDF with an electronic signature that fits it."""

    code = "signed_copy_wrong"


def keep_signed_copy(directive: Directive, letter: Letter, name: str, user: User, now: datetime.datetime) -> None:
    """Keep the PDF that the signer has signed (USB token, remote signing) beside the confirmation; the last one counts.

    Who signed is told on the page, by the certificates held here. Raises DirectiveStateWrong, SignedCopyWrong (no
    signature, or one that does not fit) and what `Letter.check` refuses.
    """
    letter.examine()
    with transaction.atomic():
        locked = approval.lock(directive, DirectiveState.APPROVED)
        kept = store(letter, name)
        if not kept.signatures or any(one["state"] not in _FITTING for one in kept.signatures):
            raise SignedCopyWrong(f"signatures: {', '.join(one['state'] for one in kept.signatures) or 'none'}")
        locked.signed_copy = kept
        locked.save(update_fields=["signed_copy"])
        approval.audit(user, "signed_copy_kept", locked, now, sha256=kept.sha256)
    directive.refresh_from_db()


def file_for(user: User, token: str) -> StoredFile | None:
    """The file of a token, for the parties of its document or report alone; None for everybody else.

    Parties are who reads for the issuing agency, and who reads for an agency that has got the document, also one to
    which it was passed on. Evidence of a report is for its agency and the issuer.
    """
    file = StoredFile.objects.filter(token=token).first()
    if file is None:
        return None
    agencies = permissions.read_agencies(user)
    documents = Directive.objects.filter(Q(original=file) | Q(attachments=file) | Q(signed_copy=file))
    allowed = (
        documents.filter(issuer__in=agencies, from_file=False).exists()
        or Dispatch.objects.filter(directive__in=documents, agency__in=agencies).exists()
        or Report.objects.filter(evidence=file)
        .filter(Q(agency__in=agencies) | Q(task__directive__issuer__in=agencies))
        .exists()
    )
    return file if allowed else None


def _draft(directive: Directive) -> Directive:
    locked: Directive = (
        Directive.objects.select_for_update(of=("self",)).select_related("original").get(pk=directive.pk)
    )
    if locked.state != DirectiveState.DRAFT:
        raise DirectiveStateWrong(f"the directive is {locked.state}, expected draft")
    return locked


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def stored_file(request: OfficeRequest, token: str, page: int | None = None) -> HttpResponse:
    """A stored file with the type its content has; only pictures open in the browser. 404 for whoever is no party.

    page: of a scan, from 0, drawn as a picture; 404 where there is none.
    """
    file = file_for(request.user, token)
    if file is None:
        raise Http404("no such file for this account")
    if page is not None:
        try:
            return HttpResponse(draw_scan_page(bytes(file.content), page), content_type="image/jpeg")
        except Refused:
            raise Http404("no such page in this file") from None
    response = HttpResponse(bytes(file.content), content_type=file.content_type)
    inline = file.content_type in SHOWN_INLINE
    response.headers["Content-Disposition"] = content_disposition_header(not inline, file.name) or "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def seal(request: OfficeRequest, pk: int) -> HttpResponse:
    """The seal of a letter as a file, to check without this office; 404 for others than the issuer or without one."""
    found = Directive.objects.filter(pk=pk, from_file=False, issuer__in=permissions.read_agencies(request.user))
    return _seal_answer(found.exclude(issued_at=None).select_related("approved_version").first())


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def received_seal(request: OfficeRequest, pk: int) -> HttpResponse:
    """The same by the document that an agency has got; 404 for others than its own, or without one."""
    got = Dispatch.objects.filter(pk=pk, agency__in=permissions.read_agencies(request.user))
    found = got.exclude(directive__issued_at=None).select_related("directive__approved_version").first()
    return _seal_answer(found.directive if found else None)


def _seal_answer(directive: Directive | None) -> HttpResponse:
    data = versions.seal_file(directive) if directive else None
    if directive is None or data is None:
        raise Http404("no seal for this account")
    response = HttpResponse(data, content_type="application/json")
    name = f"{directive.code.replace('/', '-')}.seal.json"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response
