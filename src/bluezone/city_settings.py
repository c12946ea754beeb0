# SPDX-License-Identifier: Apache-2.0
"""The settings of one city, with their defaults and checks: `city.toml` in the data folder.

How often a file is published, how long a key waits, how often phones fetch: every number that a city can set is a field
of `City`, with its default. docs/reference/settings.md explains every setting. Secrets and database addresses are not
here: they come from the environment, so that the file can be shown to anyone. No host, name or hotline is built in.
"""

import ipaddress
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bluezone.refusal import Refused

FILE_NAME = "city.toml"
DATA_VARIABLE = "BLUEZONE_DATA"
DEFAULT_DATA_FOLDER = "bluezone-data"

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_ADDRESS = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[\x21-\x7e]*)?")
_SERVICE = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_MOST_NEIGHBOURS = 8
# Members of a neighbour and their patterns: of another city, and of another maker's server.
_NEIGHBOUR = {"name_vi": r"[^\n]{1,200}", "name_en": r"[^\n]{1,200}", "address": r"https?://[^\s/]+"}
_OTHER_CITY = _NEIGHBOUR | {"key": r"[0-9a-f]{64}"}
_OTHER_MAKER = _NEIGHBOUR | {"index": r"(/[A-Za-z0-9._-]+)+", "export_key": r"-----BEGIN PUBLIC KEY-----[\s\S]+"}
_HOTLINE = re.compile(r"[0-9+][0-9 ]{1,19}")


class CityMissing(Refused):
    """The data folder has no `city.toml` yet."""

    code = "city_missing"


class CityInvalid(Refused):
    """`city.toml` cannot be read, or one of its settings is invalid."""

    code = "city_invalid"


# The hosts in the subscriptions of Chrome and its derivatives, Firefox, Edge, and Safari.
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.notify.windows.com",
    "*.push.apple.com",
)


@dataclass(frozen=True)
class City:
    """The settings of one city. Seconds are real seconds; `_host` values have no scheme.

    name_vi, name_en:  the city's name in both languages.
    public_host, office_host: the two origins, `host` or `host:port`.
    hotline:           number of the health authority that a warned person calls; a config without one is refused.
    national_hotline:  the ministry's number, next to the city's own on pages and printed matter.
    source_link:       https address of this program's source code, for the transparency page; may be empty.
    zone:              IANA name of the local time zone.
    profile:           disease profile, a name that ships with the package or a path relative to the data folder.
    install_links:     platform -> https address from which the app is installed.
    region:            region written into export files.
    verify_to_upload_seconds: longest wait of the agent between verify and upload (uniform from 0).
    web_minimum_seconds:      shortest such wait of an open web page.
    publish_period_seconds:   time between two export files; 0 publishes at every tick with new keys (demo only). Below
                              180 an index has no room for the files of 14 days.
    hold_hours:        longest wait of keys for the fixed hour at which all new keys are put into one file; 0 puts them
                       into the next file. At most 24, a divisor of a day.
    embargo_seconds:   time after the end of a key's day before it may be published; not under 7,200.
    poll_seconds:      how often phones fetch.
    reciprocity:       1 if phones tell each other how they heard one another, else 0.
    padding_mean:      mean number of random keys in each of the 56 cells of a file; 0 only in tests.
    venue_padding_mean: mean number of random items in each hourly venue package; 0 only in tests.
    push_services:     hosts of the browsers' push services that may be called; `*.` matches any prefix.
    push_delay_seconds: longest wait before a browser is notified of new files (uniform from 0).
    rehearsals_a_minute: rehearsed calls in a minute, to one `serve`, beyond which every caller gets a puzzle.
    quota_per_worker_a_day:   codes that one health worker may issue in a day.
    quota_per_facility_a_day: codes that all workers of one agency together may issue in a day.
    watch_days:        how long a warned person should watch their health, from the day of the exposure.
    home_days:         how long a person with a high risk should stay at home in that time.
    isolation_days:    how long a patient should isolate, from the day of the result or the report.
    test_from_day:     first day after the exposure on which a test is useful.
    test_places:       where to be tested, each a line for people: name, address, hours, number.
    trusted_proxies:   networks of proxies with a trusted `X-Forwarded-For`.
    sms_name_vi, sms_name_en: sender named in a text message; empty: from the city's name.
    sms_notice_segments: segments of the notice to visitors, 1 or 2. sms_notice_diacritics: 1 with, 0 without.
    sms_segment_price: price of a segment in đồng; 0 if unknown.
    sms_segments_a_day, sms_segments_a_month: segments that may be queued.
    sms_stay_days:     for how long a visitor's number gets no second notice.
    sms_quiet_from_hour, sms_quiet_until_hour: local hours in which no reminder is sent.
    neighbours:        other cities, and servers of other makers, that phones of this city may follow.
    cap_signed:        1 if alerts for phones carry the office's XML signature, else 0.
    clock_server:      http or https address of a server that the first start asks for the time; may
                       be empty.
    relay_stations:    name -> http or https address of the stream of a station that loudspeakers may relay.
    """

    name_vi: str
    name_en: str
    hotline: str
    public_host: str = "localhost:8000"
    office_host: str = "localhost:8001"
    national_hotline: str = "1900 9095"
    source_link: str = ""
    zone: str = "Asia/Ho_Chi_Minh"
    profile: str = "covid-19"
    install_links: Mapping[str, str] = field(default_factory=dict)
    region: str = "VN"
    verify_to_upload_seconds: int = 3600
    web_minimum_seconds: int = 5
    publish_period_seconds: int = 7200
    hold_hours: int = 0
    embargo_seconds: int = 7200
    poll_seconds: int = 14_400
    reciprocity: int = 1
    padding_mean: int = 50
    venue_padding_mean: int = 100
    push_services: tuple[str, ...] = PUSH_SERVICES
    push_delay_seconds: int = 1800
    rehearsals_a_minute: int = 60
    quota_per_worker_a_day: int = 50
    quota_per_facility_a_day: int = 300
    watch_days: int = 14
    home_days: int = 10
    isolation_days: int = 14
    test_from_day: int = 5
    test_places: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    sms_name_vi: str = ""
    sms_name_en: str = ""
    sms_notice_segments: int = 1
    sms_notice_diacritics: int = 1
    sms_segment_price: int = 0
    sms_segments_a_day: int = 2000
    sms_segments_a_month: int = 30_000
    sms_stay_days: int = 14
    sms_quiet_from_hour: int = 21
    sms_quiet_until_hour: int = 7
    neighbours: tuple[Mapping[str, str | int], ...] = ()
    cap_signed: int = 0
    clock_server: str = ""
    relay_stations: Mapping[str, str] = field(default_factory=dict)

    @property
    def hold_seconds(self) -> int:
        """`hold_hours` in seconds."""
        return self.hold_hours * 3600

    def warnings(self) -> list[str]:
        """Sentences about settings that weaken privacy, for the operator at every start."""
        sentences = []
        if self.publish_period_seconds == 0:
            sentences.append("publish_period_seconds is 0: when a file appears says that a case reported; demo only")
        if self.verify_to_upload_seconds == 0:
            sentences.append(
                "verify_to_upload_seconds is 0: a watcher of the traffic can pair code and upload; demo only"
            )
        if self.padding_mean == 0:
            sentences.append("padding_mean is 0: files show how many cases there are; tests only")
        if self.venue_padding_mean == 0:
            sentences.append("venue_padding_mean is 0: packages show how many visits were reported; tests only")
        if any(str(neighbour["address"]).startswith("http:") for neighbour in self.neighbours):
            sentences.append("neighbours has an address without TLS: a listener sees who follows it; tests only")
        return sentences


# Settings of earlier versions: ignored, with an explanation of each at every start.
PAST_SETTINGS = {
    "uuid": "phones and gates have the UUID of their radio from their own command line",
}
MOST_STATIONS = 50
MOST_STATION_NAME = 60
_MAY_BE_EMPTY = {"source_link", "sms_name_vi", "sms_name_en", "clock_server"}
# Smallest and largest value of each number.
_RANGES = {
    "verify_to_upload_seconds": (0, 86_400),
    "web_minimum_seconds": (0, 3600),
    "publish_period_seconds": (0, 86_400),
    "hold_hours": (0, 24),
    "embargo_seconds": (7200, 7 * 86_400),
    "poll_seconds": (1, 86_400),
    "reciprocity": (0, 1),
    # With more, random keys alone could make a file larger than a signer signs (`most_keys_a_file`).
    "padding_mean": (0, 500),
    "venue_padding_mean": (0, 5000),
    "push_delay_seconds": (0, 7200),
    "rehearsals_a_minute": (60, 100_000),
    "quota_per_worker_a_day": (1, 10_000),
    "quota_per_facility_a_day": (1, 100_000),
    "watch_days": (1, 14),
    "home_days": (0, 14),
    "isolation_days": (1, 21),
    "test_from_day": (0, 14),
    "sms_notice_segments": (1, 2),
    "sms_notice_diacritics": (0, 1),
    "sms_segment_price": (0, 100_000),
    "sms_segments_a_day": (0, 10_000_000),
    "sms_segments_a_month": (0, 100_000_000),
    "sms_stay_days": (1, 60),
    "sms_quiet_from_hour": (0, 23),
    "sms_quiet_until_hour": (0, 23),
    "cap_signed": (0, 1),
}


def data_folder(option: str | None = None) -> Path:
    """The data folder: the value of `--data`, else BLUEZONE_DATA, else ./bluezone-data."""
    return Path(option or os.environ.get(DATA_VARIABLE) or DEFAULT_DATA_FOLDER)


def load_city(data_dir: str | Path) -> City:
    """Read `city.toml` of a data folder; raises CityMissing or CityInvalid."""
    return parse_city(_read(Path(data_dir) / FILE_NAME))


def unused_settings(data_dir: str | Path) -> dict[str, str]:
    """A sentence for each setting in `city.toml` that an earlier version used and this one does not.

    Raises CityMissing or CityInvalid.
    """
    names = PAST_SETTINGS.keys() & _read(Path(data_dir) / FILE_NAME).keys()
    return {
        name: f"{name} in {FILE_NAME} is of an earlier version and not used: {PAST_SETTINGS[name]}; delete the line"
        for name in sorted(names)
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CityMissing(f"{path} does not exist; `bluezone serve` and `bluezone demo` write one") from None
    except UnicodeDecodeError:
        raise CityInvalid(f"{path} is not UTF-8 text") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CityInvalid(f"{path} is not TOML: {error}") from None


def parse_city(settings: Mapping[str, Any]) -> City:
    """Make a City from TOML settings; raises CityInvalid with the name of the first invalid setting.

    Settings of earlier versions are ignored.
    """
    settings = {name: value for name, value in settings.items() if name not in PAST_SETTINGS}
    types = {f.name: f.type for f in fields(City)}
    unknown = sorted(set(settings) - set(types))
    if unknown:
        raise CityInvalid(f"unknown setting {unknown[0]!r}; docs/reference/settings.md lists all settings")
    missing = sorted({"name_vi", "name_en", "hotline"} - set(settings))
    if missing:
        raise CityInvalid(f"the setting {missing[0]!r} is missing")
    values = dict(settings)
    if "trusted_proxies" in values:
        values["trusted_proxies"] = _proxies(values["trusted_proxies"])
    if "push_services" in values:
        values["push_services"] = _services(values["push_services"])
    if "test_places" in values:
        values["test_places"] = _places(values["test_places"])
    if "neighbours" in values:
        values["neighbours"] = _neighbours(values["neighbours"])
    if "install_links" in values:
        _check_links(values["install_links"])
    if "relay_stations" in values:
        _check_stations(values["relay_stations"])
    for name, value in values.items():
        if types[name] is int:
            _check_number(name, value)
        elif types[name] is str:
            _check_text(name, value)
    city = City(**values)
    _check_together(city)
    return city


def _check_together(city: City) -> None:
    for name in ("home_days", "test_from_day"):
        if getattr(city, name) > city.watch_days:
            raise CityInvalid(f"{name} is {getattr(city, name)}, expected at most watch_days, {city.watch_days}")
    hold = city.hold_hours
    period = city.publish_period_seconds
    if hold and (24 % hold or period == 0 or city.hold_seconds % period):
        raise CityInvalid(f"hold_hours is {hold}, expected a part of a day of whole publish_period_seconds, {period}")


def _check_number(name: str, value: object) -> None:
    low, high = _RANGES[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise CityInvalid(f"{name} is {value!r}, expected a whole number from {low} to {high}")


def _check_text(name: str, value: object) -> None:
    if name in _MAY_BE_EMPTY and value == "":
        return
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
        raise CityInvalid(f"{name} must be a text of 1 to 200 printable characters on one line")
    if name.endswith("_host") and not _HOST.fullmatch(value):
        raise CityInvalid(f"{name} is {value!r}, expected a host name without scheme or path")
    if name.endswith("hotline") and not _HOTLINE.fullmatch(value):
        raise CityInvalid(f"{name} is {value!r}, expected a telephone number: digits, spaces and a leading +")
    if name == "source_link" and not value.startswith("https://"):
        raise CityInvalid("source_link must be an https address")
    if name == "clock_server" and not _ADDRESS.fullmatch(value):
        raise CityInvalid(f"clock_server is {value!r}, expected an address such as https://example.vn")
    if name == "zone":
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise CityInvalid(f"zone is {value!r}, expected a name such as Asia/Ho_Chi_Minh") from None


def _proxies(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise CityInvalid("trusted_proxies must be a list of networks")
    for network in value:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise CityInvalid(f"trusted_proxies has {network!r}, expected a network such as 10.0.0.0/8") from None
    return tuple(value)


def _places(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 20:
        raise CityInvalid("test_places must be a list of at most 20 lines")
    for place in value:
        _check_text("test_places", place)
    return tuple(value)


def _neighbours(value: object) -> tuple[Mapping[str, str | int], ...]:
    if not isinstance(value, list) or len(value) > _MOST_NEIGHBOURS:
        raise CityInvalid(f"neighbours must be a list of at most {_MOST_NEIGHBOURS} tables")
    for neighbour in value:
        _check_neighbour(neighbour)
    return tuple(value)


def _check_neighbour(value: object) -> None:
    if not isinstance(value, dict):
        raise CityInvalid("neighbours must be a list of tables")
    members = _OTHER_CITY if "key" in value else _OTHER_MAKER
    if value.keys() - {"everybody"} != members.keys():
        raise CityInvalid("a neighbour has name_vi, name_en, address and key, or index and export_key instead of key")
    for name, pattern in members.items():
        if not isinstance(value[name], str) or not re.fullmatch(pattern, value[name]):
            raise CityInvalid(f"neighbours has {name} {value[name]!r}; docs/reference/settings.md has its format")
    if value.get("everybody", 0) not in (0, 1):
        raise CityInvalid("everybody of a neighbour must be 0 or 1")


def _services(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise CityInvalid("push_services must be a list of host names")
    for host in value:
        if not isinstance(host, str) or not _SERVICE.fullmatch(host):
            raise CityInvalid(f"push_services has {host!r}, expected a host such as *.push.services.mozilla.com")
    return tuple(value)


def _check_links(value: object) -> None:
    if not isinstance(value, dict):
        raise CityInvalid("install_links must be a table of platform and address")
    for platform, address in value.items():
        if not isinstance(address, str) or not address.startswith("https://"):
            raise CityInvalid(f"install_links.{platform} must be an https address")


def _check_stations(value: object) -> None:
    """Refuse addresses inside a network of the city or a village, because loudspeakers fetch from the stations."""
    if not isinstance(value, dict) or len(value) > MOST_STATIONS:
        raise CityInvalid(f"relay_stations must be a table of at most {MOST_STATIONS} names and addresses")
    for name, address in value.items():
        _check_text("relay_stations", name)
        if len(name) > MOST_STATION_NAME or not isinstance(address, str) or not _is_station(address):
            raise CityInvalid(f"relay_stations.{name} must be an http or https address of a public host")


def _is_station(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port  # raises ValueError for a bad port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or len(address) > 300 or not address.isprintable():
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return _SERVICE.fullmatch(host) is not None and not host.startswith("*") and not host[-1].isdigit()


def write_default(data_dir: str | Path, **overrides: Any) -> City:
    """Write `city.toml` with the defaults and `overrides`, unless there is one, and return the city of the file.

    overrides: fields of City; name_vi, name_en and hotline are required for a new file.
    Raises CityInvalid, with nothing written, if a value is invalid.
    """
    path = Path(data_dir) / FILE_NAME
    if path.exists():
        return load_city(data_dir)
    city = parse_city({name: list(value) if isinstance(value, tuple) else value for name, value in overrides.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(_as_toml(city), encoding="utf-8")
    temporary.replace(path)
    return city


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _as_toml(city: City) -> str:
    # A JSON string is a valid TOML basic string if DEL is escaped too; the escapes are the same.
    lines = ["# Settings of this city; docs/reference/settings.md explains each. Restart after a change."]
    for f in fields(City):
        value = getattr(city, f.name)
        if f.name != "install_links":
            lines.append(f"{f.name} = {_toml(value)}")
    lines += ["", "[install_links]"]
    lines += [f"{_quoted(k)} = {_quoted(v)}" for k, v in city.install_links.items()]
    return "\n".join(lines).replace("\x7f", "\\u007f") + "\n"


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        members = ", ".join(f"{_quoted(name)} = {_toml(member)}" for name, member in value.items())
        return f"{{ {members} }}"
    return json.dumps(value, ensure_ascii=False)
