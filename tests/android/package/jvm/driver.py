# SPDX-License-Identifier: Apache-2.0
"""Python's half of FirstDayTest.java: what a test changes in the app from behind."""

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bluezone.protocol.kernel import native_matcher
from bluezone.protocol.primitives import PROVIDER
from bluezone.radio.frames import contact_advertisement
from bluezone_phone import androiddevice
from bluezone_phone.androiddevice import Parts

TRUST = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8032, the first key of section 7.1


def answer(context: Any, name: str, value: bool) -> None:
    """Give an answer for the owner."""
    setup = Parts.of(context).setup
    setup.update(**({"language": "en" if value else "vi"} if name == "english" else {name: value}))


def change(context: Any) -> None:
    """Something changed in the service."""
    Parts.of(context).tracing.on_change()


def begin_day(context: Any) -> None:
    """A new phone in this process, with a city that nobody reaches, and every question answered."""
    androiddevice.CITY_FILE.write_text(f'server = "https://127.0.0.1:9"\ntrust = "{TRUST}"\n')
    Parts._made = None
    Parts.of(context).setup.update(agreed=True, notices_asked=True, battery_asked=True, maker_read=True, language="vi")


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


def _asked(context: Any, path: str, given: dict[str, Any] | None = None) -> Any:
    """A call of the phone's page, as its own page makes it."""
    parts = urlsplit(str(url(context)))
    token = parse_qs(parts.query)["token"][0]
    request = urllib.request.Request(
        f"{parts.scheme}://{parts.netloc}{parts.path}{path}", None if given is None else json.dumps(given).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


_heard: list[str] = []


def have_read(context: Any, language: str) -> None:
    """The page has two texts read aloud."""
    _heard.clear()
    pieces = ["Trang chủ", "Chưa có gì để kiểm tra"]

    def speak() -> None:
        _heard.append(_asked(context, "api/speak", {"language": language, "pieces": pieces})["outcome"])

    threading.Thread(target=speak, daemon=True).start()


def heard(_context: Any) -> str | None:
    """What came of it."""
    return _heard[0] if _heard else None


def erase(context: Any) -> None:
    """The owner presses "erase everything" on the page; answered in its own time."""
    threading.Thread(target=_asked, args=(context, "api/erase", {}), daemon=True).start()


def _city(path: str) -> str:
    """A call of the city's second port (distantcity.py)."""
    with urllib.request.urlopen(os.environ["BLUEZONE_TEST_CITY"] + path) as answer:
        return answer.read().decode()


_real_time, _ahead = time.time, 0.0


def live_in_city(context: Any, server: str, trust: str) -> None:
    """A phone of this city in this process, with every question answered, and the city's time on its clock."""
    global _ahead
    _ahead = float(_city("/now")) - _real_time()
    time.time = lambda: _real_time() + _ahead
    androiddevice.CITY_FILE.write_text(f'server = "{server}"\ntrust = "{trust}"\n')
    Parts._made = None
    Parts.of(context).setup.update(agreed=True, notices_asked=True, battery_asked=True, maker_read=True, language="vi")


def pass_by(_context: Any, seconds: float) -> None:
    """Time passes for the city, and on the phone's clock that its owner can set; Java moves the other."""
    global _ahead
    _ahead += seconds
    _city(f"/pass?seconds={seconds}")


def checked(context: Any) -> bool:
    """Whether the city's list was fetched."""
    return _asked(context, "status.json")["checked_at"] is not None


def patients_frame(_context: Any) -> bytes:
    """What the patient's phone sends now."""
    return bytes.fromhex(_city("/frame"))


def awake_seconds(context: Any) -> float:
    """For how long the processor was kept awake, by the app's own count."""
    return Parts.of(context).tracing.power.awake_seconds


def die(_context: Any) -> None:
    """The process is killed as Android kills it."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed(context: Any) -> bool:
    """Whether the app has noticed that it was killed."""
    return Parts.of(context).setup.answers.killed


def level(context: Any) -> str:
    """The owner's risk, as the page shows it."""
    return _asked(context, "status.json")["level"]


def report(context: Any) -> None:
    """The owner reports with a code of the city's, all days."""
    draft = _asked(context, "api/prepareReport", {"code": _city("/code")})
    days = [day["utcDay"] for day in draft["days"]]
    _asked(context, "api/sendReport", {"consent": True, "days": days, "visits": []})


def reported(context: Any) -> bool:
    """Whether the report has arrived."""
    return _asked(context, "status.json")["uploads"] == 1


def agreed(context: Any) -> bool:
    """Whether the owner has agreed."""
    return Parts.of(context).setup.answers.agreed


def engine() -> str:
    """Which cryptography and which matcher the phone has."""
    kernel = "native" if native_matcher() else "python"
    return f"{PROVIDER}, {kernel}, numpy" if "numpy" in sys.modules else f"{PROVIDER}, {kernel}"
