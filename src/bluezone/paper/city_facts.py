# SPDX-License-Identifier: Apache-2.0
"""What the city's settings say that pages and printed sheets repeat; nothing of it is built in."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language

from bluezone.paper.androidpackage import PACKAGE_ADDRESS, package


@dataclass(frozen=True)
class Facts:
    """The city in one language.

    city: its name ("thành phố Bắc Kạn" / "Bac Kan"). host: of the public origin, as people type it.
    hotline, national: telephone numbers. links: (platform, address) to install from; none: web edition only.
    """

    language: str
    city: str
    host: str
    hotline: str
    national: str
    source_link: str
    links: tuple[tuple[str, str], ...]

    @property
    def has_app(self) -> bool:
        """Whether there is an app to install; otherwise every text speaks of the web edition alone."""
        return bool(self.links)

    @property
    def named(self) -> dict[str, str]:
        """Values for the signs in braces."""
        numbers = {"hotline": self.hotline.replace(" ", "\u00a0"), "national": self.national.replace(" ", "\u00a0")}
        return {"city": self.city, "host": self.host, **numbers}

    @property
    def address(self) -> str:
        """The public origin without a trailing slash."""
        return f"https://{self.host}"

    @property
    def short_link(self) -> str:
        """What QR codes and text messages carry: the same for everybody, it identifies nobody."""
        return f"{self.address}/k"


def facts(language: str | None = None) -> Facts:
    """The facts in a language, by default the reader's."""
    spoken = language or get_language() or settings.LANGUAGE_CODE
    city = settings.CITY
    if city is None:
        return Facts(spoken, "", "localhost", "", "", "", ())
    links = [(platform.title(), link) for platform, link in city.install_links.items()]
    if "android" not in city.install_links and package() is not None:
        links.insert(0, ("Android", PACKAGE_ADDRESS))
    return Facts(
        language=spoken,
        city=city.name_en if spoken == "en" else city.name_vi,
        host=city.public_host,
        hotline=city.hotline,
        national=city.national_hotline,
        source_link=city.source_link,
        links=tuple(links),
    )
