# SPDX-License-Identifier: Apache-2.0
"""The languages of alerts, with the texts that are the same in every alert (languages.toml)."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from bluezone.city_settings import City
from bluezone.protocol.languages import LANGUAGES

TEXTS = ("headline", "description", "instruction")


@dataclass(frozen=True)
class Language:
    """code: name of the table in the file; tag: RFC 3066. name: for the pages of the office.
    city: "vi" or "en", the name of the city to use. event: the event of every alert. sender: template of the sender's
    name. cancelled: instruction once an alert is cancelled.
    """

    code: str
    tag: str
    name: str
    city: str
    event: str
    sender: str
    cancelled: str

    def sender_name(self, city: City) -> str:
        """The name of the sender, with the city."""
        return self.sender.format(city=city.name_vi if self.city == "vi" else city.name_en)


@functools.cache
def languages() -> Mapping[str, Language]:
    """The languages by code, in the order of the file."""
    text = files("bluezone.messaging.cap").joinpath("languages.toml").read_text(encoding="utf-8")
    return {code: Language(code, **values) for code, values in tomllib.loads(text).items()}


def further_languages() -> list[Language]:
    """Further languages in which an alert may be written."""
    return [language for code, language in languages().items() if code not in LANGUAGES]
