# SPDX-License-Identifier: Apache-2.0
"""Decides which addresses the app's web view may open: the phone's own page, and telephone numbers in the dialler.

The app calls this for each navigation and each file that a page loads (WebViewClient.shouldOverrideUrlLoading and
shouldInterceptRequest), so that a manipulated page cannot send out data. Source: docs/attacks.md rows 32 and 40.
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

    page: address of the phone's page with its token, or None without a page.
    Returns "open" to open it in the view, "act" for a button of the app's own screens, "dial" to show the number in the
    dialler, or "refuse".
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

    own_screen: whether the view shows one of the app's own screens. These have a `data:` address in Android. The
    phone's page never has such an address, and no view may navigate to one (`classify_address`).
    """
    return classify_address(address, page) == "open" or (own_screen and address.startswith(_OWN_SCREEN))


def read_action(address: str, offered: frozenset[str]) -> str | None:
    """Return the button of a `bluezone:` address, or None if the current screen does not offer it."""
    name = address.removeprefix(f"{ACTION_SCHEME}:")
    return name if name in offered else None
