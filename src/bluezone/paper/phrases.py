# SPDX-License-Identifier: Apache-2.0
"""What leaflets, posters, letters, messages and bulletins say, in the language that is active when they are called.

Source: the sheets' texts of the house (leaflet, bulletin, letter, message). Where the city has no app to install, none
of them speaks of Bluetooth: the web edition cannot record it.

What the city's settings say that pages and printed sheets repeat; nothing of it is built in.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bluezone.networks import origin_of
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
        return origin_of(self.host, tls=settings.TLS)

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


_NO_BREAK = "\u00a0"
_DIGITS = {
    "vi": ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"),
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}


@dataclass(frozen=True)
class Step:
    """One of the numbered lines: what to do, and what more to say of it."""

    do: str
    more: str


def headline(city: Facts) -> str:
    """The line that is read first; the web edition cannot know who was near."""
    if city.has_app:
        return _("Find out early if you were near a COVID-19 case")
    return _("Find out early if you were at the same place as a COVID-19 case")


def under(city: Facts) -> str:
    """The line under it."""
    if city.has_app:
        return _("Install Bluezone, keep Bluetooth on. Free. No name, no location.")
    return _("Open Bluezone and scan the codes at places. Free. No name, no location.")


def steps(city: Facts) -> list[Step]:
    """What to do, in order."""
    scan = Step(
        _("Scan this code"),
        _("with the camera, or type %(host)s. From Zalo: choose “Open in browser”.") % {"host": city.host},
    )
    if city.has_app:
        return [
            scan,
            Step(_("Tap “Install”"), _("and follow the screen.")),
            Step(_("Turn on Bluetooth"), _("and allow notices.")),
            Step(
                _("When you see “Bluezone is running”, you are done."),
                _("Help your parents and relatives."),
            ),
        ]
    return [
        scan,
        Step(_("Tap “Open the web version”"), _("and follow the screen.")),
        Step(_("Allow notices"), _("and scan the code at the door of the places you visit.")),
        Step(
            _("When you see the Bluezone home page, you are done."),
            _("The web version warns you about the places you scan; it does not record over Bluetooth."),
        ),
    ]


def sick(city: Facts) -> str:
    """Whom to call; the numbers stay on one line each."""
    numbers = {"local": kept(city.hotline), "national": kept(city.national)}
    return _("Fever, cough, trouble breathing: call %(local)s or %(national)s before you go to a clinic.") % numbers


def fakes(city: Facts) -> str:
    """How to tell the real one."""
    return _("Only from %(host)s. Bluezone never asks for a password, bank code or money.") % {"host": city.host}


def imprint(city: Facts) -> str:
    """Who says so."""
    return _("People’s Committee of %(city)s · as recommended by the Ministry of Health") % {"city": city.city}


def zalo(city: Facts) -> str:
    """A message to pass on in a group."""
    values = {"city": city.city, "link": city.short_link.partition("://")[2]}
    if city.has_app:
        return (
            _(
                "The People’s Committee of %(city)s asks everyone to install Bluezone, to be warned if you were near a "
                "COVID-19 case. Free, no name needed. Tap %(link)s, then choose Open in browser."
            )
            % values
        )
    return (
        _(
            "The People’s Committee of %(city)s asks everyone to open Bluezone and scan the codes at places, to be "
            "warned if a COVID-19 case was there. Free, no name needed. Tap %(link)s, then choose Open in browser."
        )
        % values
    )


def bulletin(city: Facts) -> str:
    """What the loudspeakers say, 30 seconds; numbers and names as they are spoken."""
    values = {"city": city.city, "number": spoken_number(city.national, city.language)}
    if city.has_app:
        return (
            _(
                "Hello. This is a notice from the People’s Committee of %(city)s. Please install Bluezone on your "
                "smartphone and keep Bluetooth on. It warns you if you were near a person with COVID-19. It is free "
                "and does not ask for your name. If you need help, or have no smartphone, see your village or street "
                "leader. If you have a fever, a cough or trouble breathing, call %(number)s. Thank you."
            )
            % values
        )
    return (
        _(
            "Hello. This is a notice from the People’s Committee of %(city)s. Please open Bluezone on your smartphone "
            "and scan the code at the door of the places you visit. It warns you if a person with COVID-19 was there. "
            "It is free and does not ask for your name. If you need help, or have no smartphone, see your village or "
            "street leader. If you have a fever, a cough or trouble breathing, call %(number)s. Thank you."
        )
        % values
    )


def spoken_number(number: str, language: str) -> str:
    """A telephone number digit by digit, with a pause between its groups: "một chín không không, chín …"."""
    digits = _DIGITS[language]
    return ", ".join(" ".join(digits[int(sign)] for sign in group if sign.isdigit()) for group in number.split())


def kept(number: str) -> str:
    """A telephone number that no line end parts."""
    return number.replace(" ", _NO_BREAK)
