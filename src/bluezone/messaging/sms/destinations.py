# SPDX-License-Identifier: Apache-2.0
"""Telephone numbers to send to: read as people type them, with the language that the prefix suggests.

No person's number is ever in a refusal, in a log line, or unencrypted in a row of the office.
Source: ITU-T E.164 (at most 15 digits, country codes of 1 to 3 digits); Vietnam's mobile numbers since 2018: nine
digits after +84 that begin with 3, 5, 7, 8 or 9.
"""

import re

from bluezone.office_secrets import keyed_digest
from bluezone.refusal import Refused
from bluezone.vietnamese.typed import plain

HOME_CODE = "84"
_HOME_MOBILE = re.compile(r"[35789]\d{8}")
_NORTH_AMERICA = re.compile(r"[2-9]\d{2}[2-9]\d{6}")
_COUNTRY_CODE = re.compile(
    r"7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"  # of one and two digits, except 1 and 84
    r"|21[12368]|22\d|23\d|24\d|25[0-8]|26\d|29[0178]|35\d|37\d|38[0-35-79]|42[013]|50\d|59\d|67[02-9]|68[0-35-9]"
    r"|69[0-2]|85[02356]|88[06]|96[0-8]|97[0-7]|99[2-68]"
)
# Some write it between the country code and the number, although it is not dialled there.
_TRUNK_ZERO = re.compile(r"\(0\)")


class DestinationInvalid(Refused):
    """The text is not a telephone number that can receive messages; the message does not repeat it."""

    code = "sms_number_invalid"


def read_destination(text: str) -> str:
    """The number in E.164 with its plus: "0912 345 678" -> "+84912345678", "0044 7700 900123" -> "+447700900123".

    Raises DestinationInvalid.
    """
    digits = re.sub(r"[ ().\-/]", "", _TRUNK_ZERO.sub("", plain(text)))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif digits.startswith("0"):
        digits = f"+{HOME_CODE}{digits[1:]}"
    elif digits.startswith(HOME_CODE) and _HOME_MOBILE.fullmatch(digits[2:]):
        digits = "+" + digits
    # The zero after the code of Vietnam, which is not dialled, without brackets.
    digits = re.sub(rf"^\+{HOME_CODE}0(?=[35789])", f"+{HOME_CODE}", digits)
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", digits):
        raise DestinationInvalid(
            "this is not a telephone number, expected 10 digits that begin with 0, or + and the country code"
        )
    _check_country(digits[1:])
    return digits


def destination_hash(number: str) -> str:
    """The keyed hash of a number in E.164; it is useless without the data folder's key."""
    return keyed_digest("sms number", number)


def language_of(destination: str) -> str:
    """The language for a number: "vi" for Vietnam, "en" for every other country."""
    return "vi" if destination.startswith("+" + HOME_CODE) else "en"


def mask(destination: str) -> str:
    """The number with all but the last two digits hidden, for the page on which a person has to recognise a row."""
    return "•" * (len(destination) - 2) + destination[-2:]


def _check_country(digits: str) -> None:
    """Raise DestinationInvalid unless the digits after the plus are a possible number of a country."""
    if digits.startswith(HOME_CODE):
        if not _HOME_MOBILE.fullmatch(digits[2:]):
            raise DestinationInvalid(
                "this is not a mobile number of Vietnam: nine digits after +84 that begin with 3, 5, 7, 8 or 9"
            )
    elif digits.startswith("1"):
        if not _NORTH_AMERICA.fullmatch(digits[1:]):
            raise DestinationInvalid("a number after +1 has ten digits; check it again")
    elif not _COUNTRY_CODE.match(digits):
        raise DestinationInvalid("no country has this code; check the digits after the plus")
