# SPDX-License-Identifier: Apache-2.0
"""What the app's web view may open: the phone's own page, and the dialler. Everything else is refused.

This is asked for each navigation and each file that a page wants (WebViewClient.shouldOverrideUrlLoading and
shouldInterceptRequest), so a page that was tampered with has no way out. Source: docs/attacks.md rows 32 and 40.
"""

import re
from typing import Literal
from urllib.parse import urlsplit

Verdict = Literal["open", "act", "dial", "refuse"]
ACTION_SCHEME = "bluezone"
_OWN_SCREEN = "data:text/html"
_TELEPHONE = re.compile(r"tel:\+?[0-9]{3,15}")


def judge(address: str, page: str | None) -> Verdict:
    """Say what to do with an address.

    page: the address of the phone's page with its token, or None while there is none.
    "open" in the view; "act": a button of the app's own screens; "dial": show the number in the dialler.
    """
    if _TELEPHONE.fullmatch(address):
        return "dial"
    try:
        asked = urlsplit(address)
        if asked.scheme == ACTION_SCHEME:
            return "act"
        if page is None:
            return "refuse"
        own = urlsplit(page)
        same = (asked.scheme, asked.netloc) == (own.scheme, own.netloc)
    except ValueError:
        return "refuse"
    below = asked.path.startswith(own.path) and ".." not in asked.path
    return "open" if same and below else "refuse"


def may_have(address: str, page: str | None, own_screen: bool) -> bool:
    """Whether the view may have what it asks for, the page itself included.

    own_screen: one of the app's own screens is shown. Android asks for such a screen, which the app hands over as
    text, by a `data:` address; the phone's page never has one, and no view may go to one (`judge`).
    """
    return judge(address, page) == "open" or (own_screen and address.startswith(_OWN_SCREEN))


def action_of(address: str, offered: frozenset[str]) -> str | None:
    """The button that a `bluezone:` address stands for, if the screen that is shown has it."""
    name = address.removeprefix(f"{ACTION_SCHEME}:")
    return name if name in offered else None
