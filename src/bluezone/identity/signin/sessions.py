# SPDX-License-Identifier: Apache-2.0
"""Django's session store, with the account and the browser in columns of their own (SESSION_ENGINE)."""

import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest

BROWSER_KEY = "browser"
BEGUN_KEY = "begun"


class SessionStore(DatabaseStore):
    """Fills the columns of OfficeSession from what the session holds."""

    @classmethod
    def get_model_class(cls) -> Any:
        """OfficeSession."""
        from bluezone.identity.models import OfficeSession

        return OfficeSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row of a session, with whose it is and in which browser."""
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.browser = data.get(BROWSER_KEY, "")
        if BEGUN_KEY in data:
            row.begun_at = datetime.datetime.fromisoformat(data[BEGUN_KEY])
        return row


def browser_of(request: HttpRequest) -> str:
    """Browser and system as the request announces them, in words: "Chrome, Android"; "" when it announces none."""
    said = request.headers.get("User-Agent", "")
    browsers = {"Edg": "Edge", "OPR": "Opera", "coc_coc": "Cốc Cốc", "Firefox": "Firefox", "Chrom": "Chrome"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}
    browser = next((name for sign, name in browsers.items() if sign in said), "Safari" if "Safari" in said else "")
    system = next((name for sign, name in {**systems, "Linux": "Linux"}.items() if sign in said), "")
    return ", ".join(filter(None, (browser, system)))
