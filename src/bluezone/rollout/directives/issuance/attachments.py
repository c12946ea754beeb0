# SPDX-License-Identifier: Apache-2.0
"""Files that people send in, kept once each; those that go with a letter, added and taken away while it is a draft,
and who may see them.
"""

import hashlib
import secrets
import unicodedata

from django.db import transaction
from django.db.models import Q

from bluezone.identity.models import User
from bluezone.letters.letter import FileTooLarge, Letter
from bluezone.rollout.directives import queries
from bluezone.rollout.directives.issuance.approval import DirectiveStateWrong
from bluezone.rollout.directives.models import Directive, DirectiveState, Dispatch, Report, StoredFile

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


def file_for(user: User, token: str) -> StoredFile | None:
    """The file of a token, for the parties of its document or report alone; None for everybody else.

    Parties are who reads for the issuing agency, and who reads for an agency that has got the document, also one to
    which it was passed on. Evidence of a report is for its agency and the issuer.
    """
    file = StoredFile.objects.filter(token=token).first()
    if file is None:
        return None
    agencies = queries.read_agencies(user)
    documents = Directive.objects.filter(Q(original=file) | Q(attachments=file))
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
