# SPDX-License-Identifier: Apache-2.0
"""One vector file, taken apart into cases."""

from collections.abc import Iterable, Iterator
from typing import Any

from bluezone.cli.tools.vectors.bluezone2020 import BLUEZONE2020
from bluezone.cli.tools.vectors.case import Case, Check, skipped
from bluezone.cli.tools.vectors.exposurenotification import exposure_notification_cases
from bluezone.cli.tools.vectors.presence import OURS_V1, check_rfc9474, upload_code_cases
from bluezone.cli.tools.vectors.riskscore import riskscore_cases

# Members that describe a file and are no cases.
_DESCRIPTIONS = {"about", "source", "status", "meta", "family"}


def cases_of(document: dict[str, Any], file_name: str) -> Iterator[Case]:
    """Yield every case of a vector file; what this version does not know is yielded as skipped, by name."""
    family = document.get("family")
    if family == "exposure_notification":
        yield from exposure_notification_cases(document)
    elif family == "bluezone2020":
        yield from _listed("bluezone2020", document, BLUEZONE2020)
    elif family == "riskscore":
        yield from riskscore_cases(document)
    elif family == "presence":
        yield from _presence_cases(document)
    else:
        yield skipped(family if isinstance(family, str) else file_name)


def _presence_cases(document: dict[str, Any]) -> Iterator[Case]:
    ours = document.get("ours_v1", {})
    yield from upload_code_cases(ours.get("upload_code", {}))
    yield from _listed("ours_v1", {name: value for name, value in ours.items() if name != "upload_code"}, OURS_V1)
    for case in document.get("rfc9474", {}).get("vectors", ()):
        yield Case("rfc9474", _name(case, "vector"), check_rfc9474, case)
    for name in sorted(set(document) - {"ours_v1", "rfc9474"} - _DESCRIPTIONS):
        yield skipped(name)


def _listed(family: str, members: dict[str, Any], checks: dict[str, Check]) -> Iterator[Case]:
    for name, value in members.items():
        if name in _DESCRIPTIONS:
            continue
        elements: Iterable[Any] = value if isinstance(value, list) else [value]
        if name == "real_device_capture":
            elements = _captured_rows(value)
        for number, element in enumerate(elements):
            yield Case(f"{family}.{name}", _name(element, str(number)), checks.get(name), element)


def _captured_rows(capture: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each captured identifier with the base key of its phone."""
    for phone in (capture, capture.get("second_phone", {})):
        for row in phone.get("own_ids", ()):
            yield {"base_id": phone["base_id"], "time": phone["time"], **row}


def _name(element: Any, otherwise: str) -> str:
    return str(element.get("name", otherwise)) if isinstance(element, dict) else otherwise
