# SPDX-License-Identifier: Apache-2.0
"""What the app's web view may open: the phone's own page, and the dialler. Everything else is refused.

The app asks here for each navigation and each file that a page loads (WebViewClient.shouldOverrideUrlLoading and
shouldInterceptRequest), so that a manipulated page cannot send anything out. Source: docs/attacks.md rows 32 and 40.
"""

import re
from typing import Literal
from urllib.parse import urlsplit

Verdict = Literal["open", "act", "dial", "refuse"]
ACTION_SCHEME = "bluezone"
_OWN_SCREEN = "data:text/html"
_TELEPHONE = re.compile(r"tel:\+?[0-9]{3,15}")


def classify_address(address: str, page: str | None) -> Verdict:
    """Decide what to do with an address.

    page: the address of the phone's page with its token, or None while there is none.
    "open": in the view; "act": a button of the app's own screens; "dial": show the number in the dialler.
    """
    if _TELEPHONE.fullmatch(address):
        return "dial"
    try:
        target = urlsplit(address)
        if target.scheme == ACTION_SCHEME:
            return "act"
        if page is None:
            return "refuse"
        own = urlsplit(page)
        same = (target.scheme, target.netloc) == (own.scheme, own.netloc)
    except ValueError:
        return "refuse"
    below = target.path.startswith(own.path) and ".." not in target.path
    return "open" if same and below else "refuse"


def may_load(address: str, page: str | None, own_screen: bool) -> bool:
    """Whether the view may load an address, including that of the page itself.

    own_screen: whether the view shows one of the app's own screens. The app passes these as text, and Android asks for
    them with a `data:` address. The phone's page never has such an address, and no view may navigate to one
    (`classify_address`).
    """
    return classify_address(address, page) == "open" or (own_screen and address.startswith(_OWN_SCREEN))


def read_action(address: str, offered: frozenset[str]) -> str | None:
    """The button of a `bluezone:` address, if the current screen offers it."""
    name = address.removeprefix(f"{ACTION_SCHEME}:")
    return name if name in offered else None
