# SPDX-License-Identifier: Apache-2.0
"""Setting up and proving a second factor: codes of an authenticator app, and recovery codes on paper."""

import datetime
import secrets

from django.db import transaction

from bluezone.accounts import auditing, totp
from bluezone.accounts.models import Act, AuthenticatorApp, RecoveryCode, SignInFailure, User
from bluezone.accounts.sealing import keyed_digest, seal, unseal
from bluezone.accounts.secondfactor import is_set_up, required_for
from bluezone.accounts.signing_in import PAIR_LIMIT, WINDOW, SignInLocked
from bluezone.refusal import Refused

RECOVERY_CODES = 10
# No letters or digits that are read for one another.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_CODE_LENGTH = 10


class SecondFactorRefused(Refused):
    """The code does not fit, was used already, or the passkey is not one of this account."""

    code = "second_factor_refused"


class SecondFactorNeeded(Refused):
    """The last factor of an account whose role needs one is not removed; set up another first."""

    code = "second_factor_needed"


def add_app(user: User, secret: bytes, code: str, now: datetime.datetime) -> None:
    """Store the secret of an authenticator app once it has shown a right code; an older app stops working.

    Raises SecondFactorRefused.
    """
    step = totp.matching_step(secret, _digits(code), now.timestamp(), 0)
    if step is None:
        raise SecondFactorRefused("the code does not fit the new secret")
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        AuthenticatorApp.objects.create(
            user=user, sealed_secret=seal(secret, _whose(user)), last_step=step, added_at=now
        )
        auditing.record(user.username, Act.FACTOR_ADDED, user.username, kind="app", now=now)


def prove_code(user: User, typed: str, now: datetime.datetime) -> None:
    """Accept a code of the authenticator app or a recovery code, each once.

    Raises SignInLocked after five failures in fifteen minutes, SecondFactorRefused for a code that does not fit.
    """
    account = failures_key(user)
    failures = SignInFailure.objects.filter(account=account, at__gt=now - WINDOW)
    if failures.count() >= PAIR_LIMIT:
        raise SignInLocked(failures.order_by("at")[0].at + WINDOW)
    with transaction.atomic():
        fits = _use_app_code(user, typed, now) or _use_recovery_code(user, typed)
    if not fits:
        SignInFailure.objects.create(account=account, address=account, at=now)
        raise SecondFactorRefused("the code does not fit or was used already")
    SignInFailure.objects.filter(account=account).delete()


def make_recovery_codes(user: User) -> list[str]:
    """Ten fresh codes, shown once; those made earlier stop working."""
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        user.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_recovery_digest(user, code)) for code in codes)
        auditing.record(user.username, Act.RECOVERY_CODES_MADE, user.username)
    return codes


def remove_app(user: User) -> None:
    """Forget the authenticator app; raises SecondFactorNeeded when it is the only factor of a role that needs one."""
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        keep_one(user)
        auditing.record(user.username, Act.FACTOR_REMOVED, user.username, kind="app")


def keep_one(user: User) -> None:
    """Inside a transaction that removed a factor: undo it when the account may not be without."""
    if required_for(user) and not is_set_up(user):
        raise SecondFactorNeeded("the role of this account needs a second factor; set up another one first")


def remove_all(actor: str, user: User) -> None:
    """For a person who has lost telephone, key and paper: every factor goes, and every browser is signed out.

    The person then signs in with the password and sets up a new one; an administrator has made sure who asks.
    """
    with transaction.atomic():
        AuthenticatorApp.objects.filter(user=user).delete()
        user.passkeys.all().delete()
        user.recovery_codes.all().delete()
        user.sessions.all().delete()
        auditing.record(actor, Act.FACTOR_REMOVED, user.username, kind="all")


def failures_key(user: User) -> str:
    """Under what failed second factors of an account are counted."""
    return keyed_digest("second factor", str(user.pk))


def _use_app_code(user: User, typed: str, now: datetime.datetime) -> bool:
    app = AuthenticatorApp.objects.filter(user=user).first()
    if app is None:
        return False
    secret = unseal(bytes(app.sealed_secret), _whose(user))
    step = totp.matching_step(secret, _digits(typed), now.timestamp(), app.last_step)
    # Of two requests with one code, one finds the older step.
    return step is not None and bool(
        AuthenticatorApp.objects.filter(pk=app.pk, last_step__lt=step).update(last_step=step)
    )


def _use_recovery_code(user: User, typed: str) -> bool:
    used = RecoveryCode.objects.filter(user=user, digest=_recovery_digest(user, typed)).delete()[0]
    if used:
        auditing.record(user.username, Act.RECOVERY_CODE_USED, user.username, left=user.recovery_codes.count())
    return bool(used)


def _new_code() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return f"{text[:5]}-{text[5:]}"


def _recovery_digest(user: User, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign in _ALPHABET)
    return keyed_digest("recovery", f"{user.pk} {plain}")


def _digits(typed: str) -> str:
    return "".join(sign for sign in typed if sign.isdigit() and sign.isascii())


def _whose(user: User) -> str:
    return f"authenticator app of {user.pk}"
