# SPDX-License-Identifier: Apache-2.0
"""Python's half of FirstDayTest.java: what a test changes in the app from behind."""

import sys
import threading
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bluezone.protocol.kernel import native
from bluezone.protocol.primitives import PROVIDER
from bluezone.radio.frames import contact_advertisement
from bluezone_phone import androiddevice
from bluezone_phone.androiddevice import Parts

TRUST = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8032, the first key of section 7.1


def answer(context: Any, name: str, value: bool) -> None:
    """Give an answer for the owner."""
    setup = Parts.of(context).setup
    setup.note(**({"language": "en" if value else "vi"} if name == "english" else {name: value}))


def change(context: Any) -> None:
    """Something changed in the service."""
    Parts.of(context).tracing.on_change()


def begin_day(context: Any) -> None:
    """A new phone in this process, with a city that nobody reaches, and every question answered."""
    androiddevice.CITY_FILE.write_text(f'server = "https://127.0.0.1:9"\ntrust = "{TRUST}"\n')
    Parts._made = None
    Parts.of(context).setup.note(agreed=True, notices_asked=True, battery_asked=True, maker_read=True, language="vi")


def url(context: Any) -> str | None:
    """The phone's page."""
    return Parts.of(context).tracing.url


def problem(context: Any) -> str | None:
    """What keeps the phone from running."""
    return Parts.of(context).tracing.problem


def running(context: Any) -> bool:
    """Whether the phone runs."""
    return Parts.of(context).tracing.running


def neighbour() -> bytes:
    """What another phone sends, as Android hands it over."""
    return contact_advertisement(bytes(range(20)))


def erase(context: Any) -> None:
    """The owner presses "erase everything" on the page; answered in its own time."""
    parts = urlsplit(str(url(context)))
    token = parse_qs(parts.query)["token"][0]
    request = urllib.request.Request(
        f"{parts.scheme}://{parts.netloc}{parts.path}api/erase", b"{}",
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )  # fmt: skip
    threading.Thread(target=urllib.request.urlopen, args=(request,), daemon=True).start()


def agreed(context: Any) -> bool:
    """Whether the owner has agreed."""
    return Parts.of(context).setup.answers.agreed


def engine() -> str:
    """Which cryptography and which matcher the phone has."""
    kernel = "native" if native() else "python"
    return f"{PROVIDER}, {kernel}, numpy" if "numpy" in sys.modules else f"{PROVIDER}, {kernel}"
