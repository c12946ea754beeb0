# SPDX-License-Identifier: Apache-2.0
"""Declarations of warned people in the office: the key under a passphrase, opening, and the notes of calls.

An opened declaration is shown once and stored nowhere; the audit has who opened it. A thief of the office store and the
key store gets messages and a key that only the passphrase opens.

Source: docs/protocol.md section 8.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.healthauthority.models import DeclarationKey, OpenedDeclaration
from bluezone.identity.models import AuditEntry, User
from bluezone.keyserver import declarations
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.declaration import Declaration, DeclarationUnreadable, InvalidDeclaration
from bluezone.protocol.declarationkey import (
    PassphraseWrong,
    new_private_key,
    open_declaration,
    public_key_pem,
    seal_private_key,
    unseal_private_key,
)
from bluezone.refusal import Refused

MOST_AT_ONCE = 20
TRIES = 5
TRIES_WINDOW = datetime.timedelta(minutes=15)
# Longer than the retention of declarations, so that no message outlives its key.
OLD_KEY_RETENTION = datetime.timedelta(days=31)


class PassphraseTriesUsed(Refused):
    """This account has typed five wrong passphrases within 15 minutes, and has to wait."""

    code = "passphrase_tries_used"


@dataclass(frozen=True)
class OpenedMessage:
    """An opened message. declaration: None if no key of this passphrase opens it, or it is not a declaration."""

    handle: str
    received_hour: int
    declaration: Declaration | None


def current_key() -> DeclarationKey | None:
    """The current key, for which phones seal declarations."""
    return DeclarationKey.objects.select_related("made_by").filter(replaced_at=None).first()


def make_declaration_key(
    server: KeyServer, supervisor: User, passphrase: str, now: datetime.datetime
) -> DeclarationKey:
    """Make the first key for declarations or replace the present one; phones get it with the next config.

    A replaced key is retained for 31 days, under its own passphrase, to open what was sealed for it.
    Raises PassphraseTooShort.
    """
    private = new_private_key()
    sealed = seal_private_key(private, passphrase)
    pem = public_key_pem(private)
    with transaction.atomic():
        replaced = DeclarationKey.objects.filter(replaced_at=None).update(replaced_at=now)
        key = DeclarationKey.objects.create(public_pem=pem, sealed=sealed, made_at=now, made_by=supervisor)
        hash_chain.record(supervisor.username, "declaration_key_made", replaced=bool(replaced))
    publish_current_key(server)
    return key


def publish_current_key(server: KeyServer) -> None:
    """Publish the current key with the config, unless it is; repeats what a full disk or a crash prevented."""
    key = current_key()
    if key is not None and declarations.published_key(server.data_dir) != key.public_pem:
        declarations.publish_declaration_key(server.data_dir, key.public_pem)


def change_passphrase(supervisor: User, old: str, new: str, now: datetime.datetime) -> None:
    """Seal every key that the old passphrase opens under the new one; the keys and the config do not change.

    Raises PassphraseWrong, PassphraseTooShort or PassphraseTriesUsed; nothing is changed then.
    """
    opened = _open_keys(supervisor, old, now)
    with transaction.atomic():
        for pk, private in opened.items():
            DeclarationKey.objects.filter(pk=pk).update(sealed=seal_private_key(private, new))
        hash_chain.record(supervisor.username, "declaration_key_sealed")


def open_declarations(
    server: KeyServer, supervisor: User, handles: Sequence[str], passphrase: str, now: datetime.datetime
) -> list[OpenedMessage]:
    """Open messages, at most 20 at a time; each gets an audit entry and is noted as opened.

    Deleted messages are left out. Raises PassphraseWrong or PassphraseTriesUsed; nothing is opened then.
    """
    keys = list(_open_keys(supervisor, passphrase, now).values())
    results = []
    with transaction.atomic():
        for handle in handles[:MOST_AT_ONCE]:
            message = server.declarations.read_declaration(handle)
            if message is None:
                continue
            declaration = _open_message(message.message, keys)
            hash_chain.record(
                supervisor.username, "declaration_opened", handle, now=now, readable=declaration is not None
            )
            if declaration is not None:
                OpenedDeclaration.objects.get_or_create(
                    handle=handle, defaults={"opened_at": now, "opened_by": supervisor}
                )
            results.append(OpenedMessage(handle, message.received_hour, declaration))
    return results


def record_declaration_call(handle: str, now: datetime.datetime) -> bool:
    """Note that the sender of an opened declaration was called; False if there is no such declaration."""
    opened = OpenedDeclaration.objects.filter(handle=handle)
    opened.filter(called_at=None).update(called_at=now)
    return opened.exists()


def delete_expired(now: datetime.datetime) -> None:
    """Delete replaced keys after 31 days, and the notes of declarations that the key server has deleted."""
    DeclarationKey.objects.filter(replaced_at__lt=now - OLD_KEY_RETENTION).delete()
    retention = datetime.timedelta(hours=declarations.RETENTION_HOURS)
    OpenedDeclaration.objects.filter(opened_at__lte=now - retention).delete()


def _open_keys(supervisor: User, passphrase: str, now: datetime.datetime) -> dict[int, ec.EllipticCurvePrivateKey]:
    """Every key that a passphrase opens, by primary key; a wrong passphrase gets an audit entry."""
    refusals = AuditEntry.objects.filter(actor=supervisor.username, action="declaration_refused")
    if refusals.filter(at__gt=now - TRIES_WINDOW).count() >= TRIES:
        raise PassphraseTriesUsed("five wrong passphrases within 15 minutes; wait a quarter of an hour")
    opened = {}
    for key in DeclarationKey.objects.all():
        try:
            opened[key.pk] = unseal_private_key(bytes(key.sealed), passphrase)
        except PassphraseWrong:
            continue
    if not opened:
        hash_chain.record(supervisor.username, "declaration_refused", now=now)
        raise PassphraseWrong("the passphrase opens no key for declarations")
    return opened


def _open_message(message: bytes, keys: Sequence[ec.EllipticCurvePrivateKey]) -> Declaration | None:
    """The declaration in a message, opened with the first key that fits; None if none fits or it is invalid."""
    for key in keys:
        try:
            return open_declaration(message, key)
        except DeclarationUnreadable:
            continue
        except InvalidDeclaration:
            return None
    return None
