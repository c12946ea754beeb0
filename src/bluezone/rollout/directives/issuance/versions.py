# SPDX-License-Identifier: Apache-2.0
"""What a signer confirms: everything shown of a letter but its number and day, as one immutable version with a hash,
and how two versions differ; the seal that covers a version with number, day and recipients once it is sent.
"""

import datetime
import functools
import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from bluezone.identity.models import User
from bluezone.letters.files.seals import SealInvalid, digest_of, fingerprint_of, read_seal, sign_seal, write_seal
from bluezone.office_secrets import office_secret
from bluezone.rollout.directives.issuance.addressees import Directory, Receiver, receivers_of
from bluezone.rollout.directives.models import (
    Directive,
    DirectiveStep,
    DirectiveVersion,
    LetterSeal,
    Step,
    StoredFile,
    Task,
)

Content = dict[str, Any]
# Parts whose texts are compared and shown as they are; the others are lists, compared entry by entry.
PLAIN = (
    "kind",
    "notation",
    "subject",
    "issuer",
    "authority",
    "signer_position",
    "signer_name",
    "basis",
    "priority",
    "campaign",
    "ends",
    "filed_by",
    "text",
)


def content_of(directive: Directive, directory: Directory) -> Content:
    """Everything that is shown of a letter but number and day. Raises what `Directory.expand` does.

    Strings are NFC. Agencies stand by key and name; files by name and SHA-256.
    """
    tasks = list(directive.tasks.all())
    receivers = receivers_of(directive, tasks, directory)
    files = list(directive.attachments.defer("content").order_by("pk"))
    content = {
        "kind": directive.kind,
        "notation": directive.notation,
        "subject": directive.subject,
        "issuer": directive.issuer.name,
        "authority": directive.authority,
        "signer_position": directive.signer_position,
        "signer_name": directive.signer_name,
        "basis": directive.basis,
        "priority": directive.priority,
        "campaign": directive.campaign.name if directive.campaign else "",
        "ends": f"{directive.ending} {directive.replaces.code}" if directive.replaces else "",
        "filed_by": directive.recipients_file,
        "text": directive.text,
        "original": [_file(directive.original)] if directive.original else [],
        "files": [_file(one) for one in files],
        "recipients": [_receiver(one) for one in receivers],
        "tasks": [_task(task, directory) for task in tasks],
    }
    composed: Content = json.loads(unicodedata.normalize("NFC", json.dumps(content, ensure_ascii=False)))
    return composed


def seal(directive: Directive, version: DirectiveVersion, receivers: Iterable[Receiver]) -> str:
    """Seal a letter that is sent: what was confirmed, with number, day, and to whom it went by which way.

    Stores it with the office's signature, but for a letter of practice. Returns its SHA-256, 64 hex digits.
    """
    content = {
        "confirmed": version.sha256,
        "number": directive.number,
        "notation": directive.notation,
        "date": directive.date.isoformat() if directive.date else "",
        "signed_copy": directive.signed_copy.sha256 if directive.signed_copy else "",
        "sent_to": sorted([one.agency.key, str(one.purpose), str(one.channel)] for one in receivers),
    }
    if not directive.training:
        LetterSeal.objects.create(directive=directive, content=content, **sign_seal(content, seal_key()))
    return digest_of(content)


def seal_key() -> Ed25519PrivateKey:
    """The key with which this office seals, made of a secret of the data folder."""
    return _seal_key(office_secret(settings.DATA_FOLDER, "seal"))


@functools.lru_cache(maxsize=1)
def _seal_key(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(
        hashlib.sha256(b"bluezone letter seals v1\0" + secret.encode()).digest()
    )


@dataclass(frozen=True)
class SealFound:
    """What a check of a letter's seal found. fits: it says what the letter says, and its signature fits.

    fingerprint: of the key that signed it, 64 hex digits; own: it is the key with which this office seals now.
    """

    fits: bool
    fingerprint: str = ""
    own: bool = False


def seal_file(directive: Directive) -> bytes | None:
    """The seal as a file, None where the letter was sealed by a hash alone."""
    sealed = LetterSeal.objects.filter(directive=directive).first()
    if sealed is None or directive.approved_version is None:
        return None
    signed = {"key": sealed.key, "signature": sealed.signature}
    return write_seal(directive.approved_version.content, sealed.content, signed)


def check_seal(directive: Directive) -> SealFound | None:
    """Check the seal of a letter against what is stored of it now, None where it was sealed by a hash alone."""
    data = seal_file(directive)
    if data is None:
        return None
    try:
        found = read_seal(data)
    except SealInvalid:
        return SealFound(fits=False)
    day = directive.date.isoformat() if directive.date else ""
    said = (found.seal["number"], found.seal["notation"], found.seal["date"], digest_of(found.seal))
    fits = said == (directive.number, directive.notation, day, directive.seal)
    own = fingerprint_of(seal_key().public_key().public_bytes_raw())
    return SealFound(fits, found.fingerprint, found.fingerprint == own)


def without_channels(content: Mapping[str, Any]) -> Content:
    """The same but for how each agency is reached, which an account that is made meanwhile may change."""
    recipients = [{**one, "channel": ""} for one in content["recipients"]]
    return {**content, "recipients": recipients}


@dataclass(frozen=True)
class Difference:
    """One part that differs. part: a name of PLAIN, "original", "files", "recipients" or "tasks"; label: which entry.

    before, after: as read by a person; "" where it is not there.
    """

    part: str
    label: str
    before: str
    after: str


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """What somebody who has read `old` has to read of `new`, in the order of the letter."""
    found = [Difference(part, "", old[part], new[part]) for part in PLAIN if old[part] != new[part]]
    for part in ("original", "files", "recipients", "tasks"):
        before, after = _by_label(part, old[part]), _by_label(part, new[part])
        found += [
            Difference(part, label, before.get(label, ""), after.get(label, ""))
            for label in dict.fromkeys([*before, *after])
            if before.get(label) != after.get(label)
        ]
    return found


def _by_label(part: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    named = {"tasks": "label", "recipients": "name"}.get(part, "name")
    return {str(entry[named]): _told(part, entry) for entry in entries}


def _told(part: str, entry: Mapping[str, Any]) -> str:
    if part == "tasks":
        lead, others = (", ".join(one["name"] for one in entry[role]) for role in ("lead", "cooperating"))
        due = f"{entry['due']} {entry['due_time']}".strip()
        report = " ".join(map(str, filter(None, [entry["report_every"], entry["report_from"]])))
        numbers = "; ".join(entry["fields"])
        return "\n".join(filter(None, [entry["text"], lead, others, due, report, numbers]))
    if part == "recipients":
        return f"{entry['name']} · {entry['purpose']} · {entry['channel']}"
    return f"{entry['name']} · {entry['sha256']}"


def _file(file: StoredFile) -> dict[str, str]:
    return {"name": file.name, "sha256": file.sha256}


def _receiver(receiver: Receiver) -> dict[str, str]:
    agency = receiver.agency
    return {
        "key": agency.key,
        "name": agency.name,
        "purpose": str(receiver.purpose),
        "channel": str(receiver.channel),
    }


def _task(task: Task, directory: Directory) -> dict[str, Any]:
    lead = directory.expand(task.lead_names)
    named = {one.pk for one in lead}
    cooperating = [one for one in directory.expand(task.cooperating_names) if one.pk not in named]
    return {
        "label": task.label,
        "text": task.text,
        "lead": [{"key": one.key, "name": one.name} for one in lead],
        "cooperating": [{"key": one.key, "name": one.name} for one in cooperating],
        "due": task.due.isoformat() if task.due else "",
        "due_time": f"{task.due_time:%H:%M}" if task.due_time else "",
        "report_every": task.report_every,
        "report_from": task.report_from.isoformat() if task.report_from else "",
        "days_to_report": task.days_to_report,
        "days_to_lock": task.days_to_lock,
        "fields": [field["label"] for field in task.fields],
    }


def last_version(directive: Directive) -> DirectiveVersion | None:
    """What was submitted last."""
    return directive.versions.order_by("-number").first()


def note_seen(version: DirectiveVersion, user: User, now: datetime.datetime) -> None:
    """Note once that a signer has been shown a version."""
    seen = {"directive_id": version.directive_id, "what": Step.SEEN, "version": version, "actor": user}
    if not DirectiveStep.objects.filter(**seen).exists():
        DirectiveStep.objects.create(at=now, **seen)


def last_seen(directive: Directive, user: User, but: DirectiveVersion) -> DirectiveVersion | None:
    """The newest version that this person has been shown before `but`."""
    seen = directive.versions.filter(number__lt=but.number, steps__what=Step.SEEN, steps__actor=user)
    return seen.order_by("-number").first()
