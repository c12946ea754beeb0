# SPDX-License-Identifier: Apache-2.0
"""The languages of alerts, from languages.toml: what is the same in every alert of a language."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from bluezone.city import City

# Every alert has them, in columns of their own.
ALWAYS = ("vi", "en")
TEXTS = ("headline", "description", "instruction")


@dataclass(frozen=True)
class Language:
    """code: of the file's table; tag: RFC 3066. cancelled: what to do once an alert is cancelled."""

    code: str
    tag: str
    name: str
    city: str
    event: str
    sender: str
    cancelled: str

    def sender_of(self, city: City) -> str:
        """Who speaks."""
        return self.sender.format(city=city.name_vi if self.city == "vi" else city.name_en)


@functools.cache
def languages() -> Mapping[str, Language]:
    """By code, in the order of the file."""
    text = files("bluezone.messaging.cap").joinpath("languages.toml").read_text(encoding="utf-8")
    return {code: Language(code, **values) for code, values in tomllib.loads(text).items()}


def others() -> list[Language]:
    """Those in which an alert may be written, too."""
    return [one for code, one in languages().items() if code not in ALWAYS]
