# SPDX-License-Identifier: Apache-2.0
"""The second factor: who needs one, and how an authenticator app or a recovery code is set up and proved."""

import datetime
import functools
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from bluezone.audit import hash_chain
from bluezone.identity.factors import totp
from bluezone.identity.factors.confirmation import is_recently_confirmed
from bluezone.identity.models import AuthenticatorApp, Passkey, RecoveryCode, Role, SignInFailure, User, valid_roles
from bluezone.identity.signin.attempts import PAIR_LIMIT, count_attempt
from bluezone.office_secrets import keyed_digest, seal, unseal
from bluezone.refusal import Refused
from bluezone.vietnamese.typed import digits_typed

# Roles that sign, release something, speak to the public, issue codes or change people's accounts, also if delegated.
# A test compares this with the declarations of the pages.
REQUIRING = frozenset({
    Role.ISSUER, Role.CLERK, Role.LEAD, Role.EDITOR, Role.HEALTH_WORKER, Role.SUPERVISOR, Role.ADMIN,
})  # fmt: skip

RECOVERY_CODES = 10
# Without letters and digits that are easily confused.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_CODE_LENGTH = 10


def is_required(user: User) -> bool:
    """Whether the person holds a role today that needs a second factor."""
    return not REQUIRING.isdisjoint(valid_roles(user))


def is_set_up(user: User) -> bool:
    """Whether the account has an authenticator app or a passkey."""
    return AuthenticatorApp.objects.filter(user=user).exists() or Passkey.objects.filter(user=user).exists()


def is_missing(user: User) -> bool:
    """Whether the account must not act before a second factor is set up."""
    return is_required(user) and not is_set_up(user)


def confirm_second_factor(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Allow a signing act only within five minutes of the second factor; put it under @audience.

    Otherwise nothing is done. The person is redirected to the page that asks for the factor, and from there back: to
    this page, or, after a POST, to the page that sent the form.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_recently_confirmed(request):
            return view(request, *args, **kwargs)
        if request.method in ("GET", "HEAD"):
            return redirect_to_confirmation(request.get_full_path())
        sender = urlsplit(request.headers.get("Referer", ""))
        back = sender.path or "/"
        return redirect_to_confirmation(f"{back}?{sender.query}" if sender.query else back)

    guarded.asks_again = True  # type: ignore[attr-defined]
    return guarded


def redirect_to_confirmation(back: str) -> HttpResponse:
    """Redirect to the page that asks for the second factor, and from there to `back`, an address of the office.

    For a view with some acts that need a fresh proof; it calls `is_recently_confirmed` itself.
    """
    return redirect(f"{reverse('confirm')}?{urlencode({'next': back})}")


def releases(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Declare that a view releases something or changes people's accounts, so that its roles need a second factor.

    A view with @confirm_second_factor needs no such declaration.
    """
    view.releases = True  # type: ignore[attr-defined]
    return view


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
    step = totp.matching_step(secret, digits_typed(code), now.timestamp(), 0)
    if step is None:
        raise SecondFactorRefused("the code does not match the new secret")
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        AuthenticatorApp.objects.create(
            user=user, sealed_secret=seal(secret, _seal_context(user)), last_step=step, added_at=now
        )
        hash_chain.record(user.username, "factor_added", user.username, kind="app", now=now)


def verify_second_factor(user: User, typed: str, now: datetime.datetime) -> None:
    """Accept a code of the authenticator app or a recovery code, each once.

    Raises SignInLocked after five failures in fifteen minutes, SecondFactorRefused for a wrong code.
    """
    account = failures_key(user)
    count_attempt(account, account, PAIR_LIMIT, now)
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
        require_remaining_factor(user)
        hash_chain.record(user.username, "factor_removed", user.username, kind="app")


def require_remaining_factor(user: User) -> None:
    """Raises SecondFactorNeeded if the account may not be without a factor, to undo the caller's transaction."""
    if is_required(user) and not is_set_up(user):
        raise SecondFactorNeeded("the role of this account needs a second factor; set up another one first")


def remove_second_factor(actor: str, user: User) -> None:
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
    step = totp.matching_step(secret, digits_typed(typed), now.timestamp(), app.last_step)
    if step is None:
        return False
    # Of two requests with the same code, only one finds the older step.
    return bool(AuthenticatorApp.objects.filter(pk=app.pk, last_step__lt=step).update(last_step=step))


def purge_steps(now: datetime.datetime) -> None:
    """Delete the time steps of codes that have expired, because they reveal when a person signed in."""
    past = int(now.timestamp()) // totp.STEP_SECONDS - totp.REMEMBERED_STEPS
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
