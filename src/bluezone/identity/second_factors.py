# SPDX-License-Identifier: Apache-2.0
"""The second factor: who needs one, and how it is set up and proved, by an authenticator app, a passkey or a recovery
code.
"""

import base64
import datetime
import functools
import hmac
import secrets
import struct
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from bluezone.audit import hash_chain
from bluezone.identity.models import AuthenticatorApp, Passkey, RecoveryCode, Role, SignInFailure, User, roles_of
from bluezone.identity.signin import CONFIRMED_KEY, PAIR_LIMIT, RECENT_SECONDS, claim_try
from bluezone.office_secrets import keyed_digest, seal, unseal
from bluezone.refusal import Refused
from bluezone.vietnamese.typed import digits_typed

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor


# Roles that sign, release something, speak to the public, issue codes or change people's accounts, also if delegated.
# A test compares this with the declarations of the pages.
REQUIRING = frozenset({
    Role.ISSUER, Role.CLERK, Role.LEAD, Role.EDITOR, Role.HEALTH_WORKER, Role.SUPERVISOR, Role.ADMIN,
})  # fmt: skip


def required_for(user: User) -> bool:
    """Whether the person holds a role today that needs a second factor."""
    return not REQUIRING.isdisjoint(roles_of(user))


def is_set_up(user: User) -> bool:
    """Whether the account has an authenticator app or a passkey."""
    return AuthenticatorApp.objects.filter(user=user).exists() or Passkey.objects.filter(user=user).exists()


def is_missing(user: User) -> bool:
    """Whether the account must not act before a second factor is set up."""
    return required_for(user) and not is_set_up(user)


def note_confirmed(request: HttpRequest) -> None:
    """Note that this browser has just proved the second factor."""
    request.session[CONFIRMED_KEY] = int(time.time())


def recently_confirmed(request: HttpRequest, seconds: int = RECENT_SECONDS) -> bool:
    """Whether this browser proved the second factor within the last `seconds`."""
    at: int = request.session.get(CONFIRMED_KEY, 0)
    return 0 <= time.time() - at <= seconds


def confirm_second_factor(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Allow a signing act only within five minutes of the second factor; put it under @audience.

    Otherwise nothing is done. The person is redirected to the page that asks for the factor, and from there back: to
    this page, or, after a POST, to the page that sent the form.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if recently_confirmed(request):
            return view(request, *args, **kwargs)
        if request.method in ("GET", "HEAD"):
            return ask_again(request.get_full_path())
        sender = urlsplit(request.headers.get("Referer", ""))
        back = sender.path or "/"
        return ask_again(f"{back}?{sender.query}" if sender.query else back)

    guarded.asks_again = True  # type: ignore[attr-defined]
    return guarded


def ask_again(back: str) -> HttpResponse:
    """Redirect to the page that asks for the second factor, and from there to `back`, an address of the office.

    For a view with some acts that need a fresh proof; it calls `recently_confirmed` itself.
    """
    return redirect(f"{reverse('confirm')}?{urlencode({'next': back})}")


def releases(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Declare that a view releases something or changes people's accounts, so that its roles need a second factor.

    A view with @confirm_second_factor needs no such declaration.
    """
    view.releases = True  # type: ignore[attr-defined]
    return view


SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
# A clock may be off by up to half a minute; RFC 6238 section 5.2 recommends at most one step.
DRIFT_STEPS = 1
# Two minutes: a used code is refused for longer than it would be valid.
REMEMBERED_STEPS = 4


def new_secret() -> bytes:
    """A new random secret, 20 bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a time step (Unix seconds // 30), `digits` characters with leading zeros."""
    mac = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 0x0F
    number: int = struct.unpack_from(">I", mac, offset)[0] & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, code: str, unix_seconds: float, after_step: int) -> int | None:
    """The time step of a code, from `after_step` + 1 on and near the present; None if the code is not valid."""
    now = int(unix_seconds) // STEP_SECONDS
    match = None
    for step in range(max(now - DRIFT_STEPS, after_step + 1), now + DRIFT_STEPS + 1):
        # No early end, so that every code takes the same time.
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            match = step
    return match


def grouped_text(secret: bytes) -> str:
    """The secret for a person to type into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, account: str, issuer: str) -> str:
    """The otpauth address that an app reads from a QR code."""
    values = urlencode({"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{issuer}:{account}')}?{values}"


RECOVERY_CODES = 10
# Without letters and digits that are easily confused.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_CODE_LENGTH = 10


class SecondFactorRefused(Refused):
    """The code is wrong or was used already, or the passkey is not one of this account."""

    code = "second_factor_refused"


class SecondFactorNeeded(Refused):
    """The last factor of an account is not removed if its role needs one; set up another first."""

    code = "second_factor_needed"


def add_app(user: User, secret: bytes, code: str, now: datetime.datetime) -> None:
    """Store the secret of an authenticator app once it has produced a right code; an older app stops working.

    Raises SecondFactorRefused.
    """
    step = matching_step(secret, digits_typed(code), now.timestamp(), 0)
    if step is None:
        raise SecondFactorRefused("the code does not match the new secret")
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        AuthenticatorApp.objects.create(
            user=user, sealed_secret=seal(secret, _seal_context(user)), last_step=step, added_at=now
        )
        hash_chain.record(user.username, "factor_added", user.username, kind="app", now=now)


def prove_code(user: User, typed: str, now: datetime.datetime) -> None:
    """Accept a code of the authenticator app or a recovery code, each once.

    Raises SignInLocked after five failures in fifteen minutes, SecondFactorRefused for a wrong code.
    """
    account = failures_key(user)
    claim_try(account, account, PAIR_LIMIT, now)
    with transaction.atomic():
        accepted = _use_app_code(user, typed, now) or _use_recovery_code(user, typed)
    if not accepted:
        raise SecondFactorRefused("the code is wrong or was used already")
    SignInFailure.objects.filter(account=account).delete()


def make_recovery_codes(user: User) -> list[str]:
    """Ten new codes, shown once; earlier codes stop working."""
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        user.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_recovery_digest(user, code)) for code in codes)
        hash_chain.record(user.username, "recovery_codes_made", user.username)
    return codes


def remove_app(user: User) -> None:
    """Remove the authenticator app; raises SecondFactorNeeded if it is the only factor of a role that needs one."""
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        keep_one(user)
        hash_chain.record(user.username, "factor_removed", user.username, kind="app")


def keep_one(user: User) -> None:
    """Raises SecondFactorNeeded if the account may not be without a factor, to undo the caller's transaction."""
    if required_for(user) and not is_set_up(user):
        raise SecondFactorNeeded("the role of this account needs a second factor; set up another one first")


def remove_all(actor: str, user: User) -> None:
    """Remove every factor and sign out every browser of a person who has lost telephone, key and paper.

    The person then signs in with the password and sets up a new factor; an administrator has verified who asks.
    """
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        user.passkeys.all().delete()
        user.recovery_codes.all().delete()
        user.sessions.all().delete()
        hash_chain.record(actor, "factor_removed", user.username, kind="all")


def failures_key(user: User) -> str:
    """The key under which failed second factors of an account are counted."""
    return keyed_digest("second factor", str(user.pk))


def _use_app_code(user: User, typed: str, now: datetime.datetime) -> bool:
    app = AuthenticatorApp.objects.filter(user=user).first()
    if app is None:
        return False
    secret = unseal(bytes(app.sealed_secret), _seal_context(user))
    step = matching_step(secret, digits_typed(typed), now.timestamp(), app.last_step)
    if step is None:
        return False
    # Of two requests with the same code, only one finds the older step.
    return bool(AuthenticatorApp.objects.filter(pk=app.pk, last_step__lt=step).update(last_step=step))


def forget_steps(now: datetime.datetime) -> None:
    """Delete the time steps of codes that have expired, because they reveal when a person signed in."""
    past = int(now.timestamp()) // STEP_SECONDS - REMEMBERED_STEPS
    AuthenticatorApp.objects.filter(last_step__gt=0, last_step__lte=past).update(last_step=0)


def _use_recovery_code(user: User, typed: str) -> bool:
    deleted = RecoveryCode.objects.filter(user=user, digest=_recovery_digest(user, typed)).delete()[0]
    if not deleted:
        return False
    hash_chain.record(user.username, "recovery_code_used", user.username, left=user.recovery_codes.count())
    return True


def _new_code() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return f"{text[:5]}-{text[5:]}"


def _recovery_digest(user: User, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign in _ALPHABET)
    return keyed_digest("recovery", f"{user.pk} {plain}")


def _seal_context(user: User) -> str:
    return f"authenticator app of {user.pk}"


CHALLENGE_KEY = "passkey_challenge"


def registration_options(request: HttpRequest, user: User) -> str:
    """JSON for navigator.credentials.create(); its challenge is stored in the session for one answer."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import bytes_to_base64url

    options = generate_registration_options(
        rp_id=_party(request),
        rp_name="Bluezone",
        user_id=f"bluezone-{user.pk}".encode(),
        user_name=user.username,
        user_display_name=user.name or user.username,
        exclude_credentials=_descriptors(user.passkeys.all()),
    )
    request.session[CHALLENGE_KEY] = bytes_to_base64url(options.challenge)
    return options_to_json(options)


def add(request: HttpRequest, user: User, answer: str, name: str, now: datetime.datetime) -> None:
    """Store the passkey that the browser has made; raises SecondFactorRefused."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _take_challenge(request)
    try:
        passkey = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_party(request),
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


def proof_options(request: HttpRequest, user: User) -> str:
    """JSON for navigator.credentials.get() with the passkeys of an account; "" if it has none."""
    keys = list(user.passkeys.all())
    if not keys:
        return ""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers import bytes_to_base64url

    options = generate_authentication_options(rp_id=_party(request), allow_credentials=_descriptors(keys))
    request.session[CHALLENGE_KEY] = bytes_to_base64url(options.challenge)
    return options_to_json(options)


def prove(request: HttpRequest, user: User, answer: str) -> None:
    """Accept the browser's answer by one of the account's passkeys; raises SecondFactorRefused."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _take_challenge(request)
    try:
        credential = parse_authentication_credential_json(answer)
        key = user.passkeys.filter(credential_id=credential.raw_id).first()
        if key is None:
            raise SecondFactorRefused("the passkey is not one of this account")
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_party(request),
            expected_origin=_origin(request),
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError):
        raise SecondFactorRefused("the browser's answer does not match the challenge") from None
    key.sign_count = verified.new_sign_count
    key.save(update_fields=["sign_count"])


def remove(user: User, key: Passkey) -> None:
    """Remove a passkey; raises SecondFactorNeeded if it is the only factor of a role that needs one."""
    with transaction.atomic():
        key.delete()
        keep_one(user)
        hash_chain.record(user.username, "factor_removed", user.username, kind="passkey")


def _descriptors(keys: Iterable[Passkey]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=bytes(key.credential_id)) for key in keys]


def _take_challenge(request: HttpRequest) -> bytes:
    """The challenge of this session, which is valid for one answer; raises SecondFactorRefused."""
    from webauthn import base64url_to_bytes

    challenge = request.session.pop(CHALLENGE_KEY, "")
    if not challenge:
        raise SecondFactorRefused("this session has no challenge for a passkey")
    return base64url_to_bytes(challenge)


def _party(request: HttpRequest) -> str:
    return request.get_host().rsplit(":", 1)[0]


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
