# SPDX-License-Identifier: Apache-2.0
"""Passkeys (WebAuthn) as a second factor: setting up, proving and removing them."""

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import transaction
from django.http import HttpRequest

from bluezone.audit import hash_chain
from bluezone.identity.factors.second_factors import SecondFactorRefused, require_remaining_factor
from bluezone.identity.models import Passkey, User

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

CHALLENGE_KEY = "passkey_challenge"


def registration_options(request: HttpRequest, user: User) -> str:
    """JSON for navigator.credentials.create(); its challenge is stored in the session for one answer."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import bytes_to_base64url

    options = generate_registration_options(
        rp_id=_relying_party(request),
        rp_name="Bluezone",
        user_id=f"bluezone-{user.pk}".encode(),
        user_name=user.username,
        user_display_name=user.name or user.username,
        exclude_credentials=_descriptors(user.passkeys.all()),
    )
    request.session[CHALLENGE_KEY] = bytes_to_base64url(options.challenge)
    return options_to_json(options)


def add_passkey(request: HttpRequest, user: User, answer: str, name: str, now: datetime.datetime) -> None:
    """Store the passkey that the browser has made; raises SecondFactorRefused."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _use_challenge(request)
    try:
        passkey = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_relying_party(request),
            expected_origin=_origin(request),
        )
    except (WebAuthnException, ValueError, KeyError):
        raise SecondFactorRefused("the browser's answer does not match the challenge") from None
    if Passkey.objects.filter(credential_id=passkey.credential_id).exists():
        raise SecondFactorRefused("this passkey is registered already")
    with transaction.atomic():
        Passkey.objects.create(
            user=user,
            name=name,
            credential_id=passkey.credential_id,
            public_key=passkey.credential_public_key,
            sign_count=passkey.sign_count,
            added_at=now,
        )
        hash_chain.record(user.username, "factor_added", user.username, kind="passkey", now=now)


def authentication_options(request: HttpRequest, user: User) -> str:
    """JSON for navigator.credentials.get() with the passkeys of an account; "" if it has none."""
    keys = list(user.passkeys.all())
    if not keys:
        return ""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers import bytes_to_base64url

    options = generate_authentication_options(rp_id=_relying_party(request), allow_credentials=_descriptors(keys))
    request.session[CHALLENGE_KEY] = bytes_to_base64url(options.challenge)
    return options_to_json(options)


def verify_passkey(request: HttpRequest, user: User, answer: str) -> None:
    """Accept the browser's answer by one of the account's passkeys; raises SecondFactorRefused."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _use_challenge(request)
    try:
        credential = parse_authentication_credential_json(answer)
        key = user.passkeys.filter(credential_id=credential.raw_id).first()
        if key is None:
            raise SecondFactorRefused("the passkey is not one of this account")
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_relying_party(request),
            expected_origin=_origin(request),
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError):
        raise SecondFactorRefused("the browser's answer does not match the challenge") from None
    key.sign_count = verified.new_sign_count
    key.save(update_fields=["sign_count"])


def remove_passkey(user: User, key: Passkey) -> None:
    """Remove a passkey; raises SecondFactorNeeded if it is the only factor of a role that needs one."""
    with transaction.atomic():
        key.delete()
        require_remaining_factor(user)
        hash_chain.record(user.username, "factor_removed", user.username, kind="passkey")


def _descriptors(keys: Iterable[Passkey]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=bytes(key.credential_id)) for key in keys]


def _use_challenge(request: HttpRequest) -> bytes:
    """The challenge of this session, which is valid for one answer; raises SecondFactorRefused."""
    from webauthn import base64url_to_bytes

    challenge = request.session.pop(CHALLENGE_KEY, "")
    if not challenge:
        raise SecondFactorRefused("this session has no challenge for a passkey")
    return base64url_to_bytes(challenge)


def _relying_party(request: HttpRequest) -> str:
    return request.get_host().rsplit(":", 1)[0]


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
