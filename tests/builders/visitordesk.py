# SPDX-License-Identifier: Apache-2.0
"""The desk of a hotel in a served office: planted by a separate process, used over HTTP like a browser."""

import http.cookiejar
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PASSWORD = "suối chảy qua bản nhỏ"
_FURNISH = """
import sys
from pathlib import Path
from bluezone.server.preparation import prepare_office
prepare_office(Path(sys.argv[1]))
from tests.builders.directives import person
from bluezone.directory.models import Agency, AgencyKind
from bluezone.directory.records.store import rewrite_paths
ward = Agency.objects.get(key="ubnd-phuong-song-cau")
hotel = Agency.objects.create(key="khach-san", name="Khách sạn Bắc Kạn", kind=AgencyKind.ENTERPRISE,
                              unit=ward.unit, valid_from=ward.valid_from)
rewrite_paths(Agency)
hotel.refresh_from_db()
person("desk", "venue_owner", hotel, factor=False)
"""


def furnish(data: Path) -> None:
    """Plant a hotel in a ward, and its account "desk"."""
    subprocess.run([sys.executable, "-c", _FURNISH, str(data)], check=True, timeout=120)


class Desk:
    """A signed-in browser without script."""

    def __init__(self, office: str, username: str = "desk") -> None:
        self._office = office
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), _NoRedirect())
        self.status = 0
        page = self.get("/sign-in/")
        self.post("/sign-in/", page, {"username": username, "password": PASSWORD})
        assert self.status == 302

    def tell(self, phone: str, language: str = "", consent: bool = True) -> int:
        """Enter a guest; returns the status of the answer."""
        values = {"phone": phone, "language": language, **({"consent": "on"} if consent else {})}
        self.post("/visitors/", self.page(), values)
        return self.status

    def page(self) -> str:
        """The page of the desk now."""
        return self.get("/visitors/")

    def get(self, path: str) -> str:
        return self._ask(urllib.request.Request(self._office + path))

    def post(self, path: str, page: str, values: dict[str, str]) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **values}).encode()
        return self._ask(urllib.request.Request(self._office + path, body, {"Origin": self._office}))

    def _ask(self, request: urllib.request.Request) -> str:
        try:
            with self._opener.open(request, timeout=120) as answer:
                self.status = answer.status
                return answer.read().decode()
        except urllib.error.HTTPError as answer:
            self.status = answer.code
            return answer.read().decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None
