# SPDX-License-Identifier: Apache-2.0
"""The sessions of browsers that are signed in, as rows of the office store."""

import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest

from bluezone.identity.factors.confirmation import CONFIRMED_KEY, SECOND_FACTOR_SECONDS
from bluezone.identity.models import OfficeSession

BROWSER_KEY = "browser"
BEGUN_KEY = "begun"
# Session entry of a person who has entered the password but not yet proved the second factor, and its life (views.py).
WAITING_KEY = "password_given"
WAITING_SECONDS = 600

ALMOST_AN_HOUR = datetime.timedelta(minutes=59, seconds=59, microseconds=999_999)


class SessionStore(DatabaseStore):
    """Fills the columns of OfficeSession from the data of the session."""

    @classmethod
    def get_model_class(cls) -> Any:
        """OfficeSession."""
        return OfficeSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row of a session, with its user and browser."""
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.browser = data.get(BROWSER_KEY, "")
        # The session is saved again at its owner's acts; its expiry must not reveal the minute of an act.
        row.expire_date = (row.expire_date + ALMOST_AN_HOUR).replace(minute=0, second=0, microsecond=0)
        if BEGUN_KEY in data:
            row.begun_at = _hour_of(data[BEGUN_KEY])
        return row


def browser_of(request: HttpRequest) -> str:
    """Browser and system from the User-Agent, in words: "Chrome, Android"; "" if it names none."""
    agent = request.headers.get("User-Agent", "")
    browsers = {"Edg": "Edge", "OPR": "Opera", "coc_coc": "Cốc Cốc", "Firefox": "Firefox", "Chrom": "Chrome"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}
    browser = next((name for sign, name in browsers.items() if sign in agent), "Safari" if "Safari" in agent else "")
    system = next((name for sign, name in {**systems, "Linux": "Linux"}.items() if sign in agent), "")
    return ", ".join(filter(None, (browser, system)))


def purge_minutes(now: datetime.datetime) -> None:
    """Remove the minutes of a sign-in from open sessions: expired proofs, and starts that older versions stored."""
    for session in OfficeSession.objects.all():
        data = session.get_decoded()
        cleaned = {name: value for name, value in data.items() if not _is_expired_proof(name, value, now)}
        if BEGUN_KEY in cleaned:
            cleaned[BEGUN_KEY] = _hour_of(cleaned[BEGUN_KEY]).isoformat()
        begun_at = session.begun_at.replace(minute=0, second=0, microsecond=0)
        if cleaned == data and begun_at == session.begun_at:
            continue
        # If a request has saved the session in the meantime, that version is kept.
        unchanged = OfficeSession.objects.filter(pk=session.pk, session_data=session.session_data)
        unchanged.update(session_data=SessionStore().encode(cleaned), begun_at=begun_at)


def _is_expired_proof(name: str, value: Any, now: datetime.datetime) -> bool:
    if name == CONFIRMED_KEY:
        return bool(now.timestamp() - value > SECOND_FACTOR_SECONDS)
    return name == WAITING_KEY and bool(now.timestamp() - value[2] > WAITING_SECONDS)


def _hour_of(moment: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(moment).replace(minute=0, second=0, microsecond=0)
