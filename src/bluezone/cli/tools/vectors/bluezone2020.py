# SPDX-License-Identifier: Apache-2.0
"""The vectors of the Bluezone app of 2020, outputs of its own classes, and rows captured from a real phone."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from bluezone.cli.tools.vectors.case import Check, upper_hex
from bluezone.protocol.bluezone2020 import (
    MILLISECONDS_PER_DAY,
    bluezone_day,
    case_slots,
    daily_key,
    find_cases,
    first_sub_key,
    identifier_changed,
    identifier_of,
    read_f0_list,
)
from bluezone.refusal import Refused

_Value = TypeVar("_Value")


def _check_derive(case: dict[str, Any]) -> tuple[Any, Any]:
    got = _derived_day(case["in"]) | _derived_keys(case)
    return got, {name: case[name] for name in got}


def _check_quirk(case: dict[str, Any]) -> tuple[Any, Any]:
    """Where the original has no identifier or throws, a refusal with a stable code is right."""
    day = _or_refused(lambda: _derived_day(case["in"])) or {"id_first_call": None, "id_cached_call": None}
    got = day | _derived_keys(case)
    expected = {name: case[name] for name in got}
    if str(expected["id_cached_call"]).startswith("THROWS"):
        expected["id_cached_call"] = None
    return got, expected


def _derived_day(given: dict[str, Any]) -> dict[str, Any]:
    day = bluezone_day(
        bytes.fromhex(given["base_id"]), given["base_created_ms"], given["now_ms"], given["max_sub_keys"]
    )
    identifier = _or_refused(lambda: upper_hex(day.identifier))
    return {
        "ids": [upper_hex(each) for each in day.identifiers],
        "id_start_ms": list(day.starts_ms),
        "day_start_ms": day.starts_ms[0],
        "index": day.index,
        "id_first_call": identifier,
        "id_cached_call": identifier,
    }


def _derived_keys(case: dict[str, Any]) -> dict[str, Any]:
    given = case["in"]
    base = bytes.fromhex(given["base_id"])
    first, today = (given[name] // MILLISECONDS_PER_DAY for name in ("base_created_ms", "now_ms"))
    key = daily_key(base, today - first)
    listed = range(len(case["daily_keys_from_base_day"]))
    return {
        "daily_key": upper_hex(key),
        "sub_key_0": upper_hex(first_sub_key(key)),
        "daily_keys_from_base_day": [upper_hex(daily_key(base, day)) for day in listed],
        "export_info": [_export_info(base, first, today, entry["days_back"]) for entry in case["export_info"]],
    }


def _export_info(base: bytes, first_day: int, today: int, days_back: int) -> dict[str, Any]:
    """Return what the original put into each upload, the base key included. Nothing of ours sends it."""
    day = max(first_day, today - days_back)
    info = {
        "base_id": upper_hex(base),
        "time": first_day * 86400,
        "daily_key": upper_hex(daily_key(base, day - first_day)),
        "time_start": day * 86400,
    }
    return {"days_back": days_back, "info": info}


def _check_convert(case: dict[str, Any]) -> tuple[Any, Any]:
    return upper_hex(identifier_of(bytes.fromhex(case["sub_key"]))), case["id"]


def _check_match(case: dict[str, Any]) -> tuple[Any, Any]:
    listed = case["in"]["f0"]["data"]
    cases = read_f0_list(json.dumps(case["in"]["f0"]).encode())
    rows = [(bytes.fromhex(row["blid_contact"]), row["timestamp_ms"]) for row in case["in"]["rows"]]
    matched = sorted({match.case_row for match in find_cases(cases, rows)})
    slots = [slot for each in cases for slot in case_slots(each)]
    windows = [(sample["i"], slots[sample["i"]]) for sample in case.get("windows_sample", ())]
    got = {
        "is_contact": bool(matched),
        "matched_daily_keys": [listed[row]["daily_key"] for row in matched],
        "windows_sample": [
            {"i": i, "id": upper_hex(slot.identifier), "start_ms": slot.start_ms, "end_ms": slot.end_ms}
            for i, slot in windows
        ],
    }
    return got, {"windows_sample": [], **{name: case[name] for name in got if name in case}}


def _check_id_changed(case: dict[str, Any]) -> tuple[Any, Any]:
    return identifier_changed(case["t0"], case["t1"]), case["changed"]


def _check_capture(row: dict[str, Any]) -> tuple[Any, Any]:
    day = bluezone_day(bytes.fromhex(row["base_id"]), row["time"] * 1000, row["timestamp_ms"])
    got = {"index": day.index, "blid": upper_hex(day.identifier)}
    return got, {name: row[name] for name in got}


def _or_refused(derive: Callable[[], _Value]) -> _Value | None:
    try:
        return derive()
    except Refused:
        return None


BLUEZONE2020: dict[str, Check] = {
    "derive": _check_derive,
    "convert": _check_convert,
    "match": _check_match,
    "id_changed": _check_id_changed,
    "quirks": _check_quirk,
    "real_device_capture": _check_capture,
}
