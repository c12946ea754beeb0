# SPDX-License-Identifier: Apache-2.0
"""`bluezone vectors`: check this program against published test vectors and our own."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.cli.output import Failed, prints_result
from bluezone.cli.transparency.vectors import transparency_cases
from bluezone.protocol import bluezone2020, f0list
from bluezone.protocol.blindrsa import PrivateKey, blind, blind_sign, finalize, verify
from bluezone.protocol.gate.passes import BluetoothState, PassA, compute_response, encode_pass, pass_text, read_pass
from bluezone.protocol.identifiers import crypt_metadata, identifier_key, metadata_key, rolling_proximity_identifier
from bluezone.protocol.intervals import INTERVALS_PER_DAY, day_at, first_interval
from bluezone.protocol.reciprocity import encode_reciprocity_frame, open_reciprocity_frame, reciprocity_key
from bluezone.protocol.risk.assessment import Profile, assess_exposure, parse_profile
from bluezone.protocol.risk.coronawarnapp import read_windows
from bluezone.protocol.signed.epoch import encode_epoch, open_epoch, sign_epoch
from bluezone.protocol.upload.codes import InvalidCode, damm_digit, parse_code
from bluezone.protocol.upload.payload import UploadKey, commitment, decode_slots, encode_keys
from bluezone.protocol.upload.slips import read_slip
from bluezone.protocol.venues import codes
from bluezone.protocol.venues.items import Record, open_item, seal_item, slot_cipher_key, slot_key, slot_tag, venue_key
from bluezone.protocol.venues.stays import split_by_hour
from bluezone.radio.frames import reciprocity_advertisement
from bluezone.refusal import Refused

Outcome = Literal["passed", "failed", "skipped"]
# Takes a case of a file; returns the value that this program computes, and the value that the file expects.
Check = Callable[[Any], tuple[Any, Any]]

_Value = TypeVar("_Value")

_COUNT_LENGTH = 2

EXPOSURE_NOTIFICATION = "exposure_notification"

RISKSCORE = "riskscore.cwa"
RISKSCORE_TODAY = date(2026, 11, 24)

# Members that describe a file and are not cases.
_DESCRIPTIONS = {"about", "source", "status", "meta", "family"}


@dataclass(frozen=True)
class Case:
    """A case of a family. check: None if this version does not support it; then it is skipped."""

    family: str
    name: str
    check: Check | None
    content: Any

    def outcome(self) -> tuple[Outcome, Any, Any]:
        """Return the outcome, the actual value and the expected value."""
        if self.check is None:
            return "skipped", None, None
        try:
            got, expected = self.check(self.content)
        except Refused as refusal:
            return "failed", f"refused: {refusal.code}", None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            return "failed", f"the case has an unknown form: {error!r}", None
        return ("passed" if got == expected else "failed"), got, expected


def skipped_case(name: str) -> Case:
    """Return a case of an unknown kind."""
    return Case(name, name, None, None)


def upper_hex(data: bytes) -> str:
    """Return hex digits in upper case, as the app of 2020 wrote them."""
    return data.hex().upper()


def _check_derive(case: dict[str, Any]) -> tuple[Any, Any]:
    got = _derived_day(case["in"]) | _derived_keys(case)
    return got, {name: case[name] for name in got}


def _check_quirk(case: dict[str, Any]) -> tuple[Any, Any]:
    """Compare a case in which the app of 2020 has no identifier or throws; a refusal with a stable code is correct."""
    day = _none_if_refused(lambda: _derived_day(case["in"])) or {"id_first_call": None, "id_cached_call": None}
    got = day | _derived_keys(case)
    expected = {name: case[name] for name in got}
    if str(expected["id_cached_call"]).startswith("THROWS"):
        expected["id_cached_call"] = None
    return got, expected


def _derived_day(inputs: dict[str, Any]) -> dict[str, Any]:
    day = bluezone2020.bluezone_day(
        bytes.fromhex(inputs["base_id"]), inputs["base_created_ms"], inputs["now_ms"], inputs["max_sub_keys"]
    )
    identifier = _none_if_refused(lambda: upper_hex(day.identifier))
    return {
        "ids": [upper_hex(each) for each in day.identifiers],
        "id_start_ms": list(day.starts_ms),
        "day_start_ms": day.starts_ms[0],
        "index": day.index,
        "id_first_call": identifier,
        "id_cached_call": identifier,
    }


def _derived_keys(case: dict[str, Any]) -> dict[str, Any]:
    inputs = case["in"]
    base = bytes.fromhex(inputs["base_id"])
    first, today = (inputs[name] // bluezone2020.MILLISECONDS_PER_DAY for name in ("base_created_ms", "now_ms"))
    key = bluezone2020.daily_key(base, today - first)
    listed = range(len(case["daily_keys_from_base_day"]))
    return {
        "daily_key": upper_hex(key),
        "sub_key_0": upper_hex(bluezone2020.first_sub_key(key)),
        "daily_keys_from_base_day": [upper_hex(bluezone2020.daily_key(base, day)) for day in listed],
        "export_info": [_export_info(base, first, today, entry["days_back"]) for entry in case["export_info"]],
    }


def _export_info(base: bytes, first_day: int, today: int, days_back: int) -> dict[str, Any]:
    """The data that the app of 2020 put into an upload, including the base key. Our programs never send these."""
    day = max(first_day, today - days_back)
    info = {
        "base_id": upper_hex(base),
        "time": first_day * 86400,
        "daily_key": upper_hex(bluezone2020.daily_key(base, day - first_day)),
        "time_start": day * 86400,
    }
    return {"days_back": days_back, "info": info}


def _check_convert(case: dict[str, Any]) -> tuple[Any, Any]:
    return upper_hex(bluezone2020.identifier_of(bytes.fromhex(case["sub_key"]))), case["id"]


def _check_match(case: dict[str, Any]) -> tuple[Any, Any]:
    listed = case["in"]["f0"]["data"]
    cases = f0list.read_f0_list(json.dumps(case["in"]["f0"]).encode())
    rows = [(bytes.fromhex(row["blid_contact"]), row["timestamp_ms"]) for row in case["in"]["rows"]]
    matched = sorted({match.case_row for match in f0list.find_cases(cases, rows)})
    slots = list(chain.from_iterable(map(f0list.case_slots, cases)))
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
    return bluezone2020.identifier_changed(case["t0"], case["t1"]), case["changed"]


def _check_capture(row: dict[str, Any]) -> tuple[Any, Any]:
    day = bluezone2020.bluezone_day(bytes.fromhex(row["base_id"]), row["time"] * 1000, row["timestamp_ms"])
    got = {"index": day.index, "blid": upper_hex(day.identifier)}
    return got, {name: row[name] for name in got}


def _none_if_refused(derive: Callable[[], _Value]) -> _Value | None:
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


def upload_code_cases(upload_code: dict[str, Any]) -> Iterator[Case]:
    """Yield a case for each valid and each invalid code; its check digit is also computed with the file's table."""
    for state in ("valid", "invalid"):
        for code in upload_code.get(state, ()):
            content = {"code": code, "valid": state == "valid", "table": upload_code.get("damm_table")}
            yield Case("ours_v1.upload_code", f"{state} {code}", _check_code, content)


def _check_code(case: dict[str, Any]) -> tuple[Any, Any]:
    code = case["code"]
    table = case["table"]
    interim = 0
    for digit in code[:-1]:
        interim = int(table[interim][int(digit)])
    got = {"check_digit": damm_digit(code[:-1]), "accepted": _accepted(code)}
    return got, {"check_digit": str(interim), "accepted": case["valid"]}


def _accepted(code: str) -> bool:
    try:
        return parse_code(code) == code
    except InvalidCode:
        return False


def _check_commitment(case: dict[str, Any]) -> tuple[Any, Any]:
    keys = [
        UploadKey(bytes.fromhex(key["key_hex"]), key["rolling_start"], key["period"], key["level"])
        for key in case["keys"]
    ]
    slots = decode_slots(bytes.fromhex("".join(case["slots_hex"])))
    got = {
        "encoded_keys_hex": encode_keys(keys)[_COUNT_LENGTH:].hex(),
        "M_hex": commitment(bytes.fromhex(case["salt_hex"]), keys, slots).hex(),
    }
    return got, {name: case[name] for name in got}


def _check_venue(case: dict[str, Any]) -> tuple[Any, Any]:
    """Read the code, sign it again, and make every slot and item of the visit (docs/protocol.md section 6)."""
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["ed25519_seed_hex"]))
    venue = codes.parse_venue(bytes.fromhex(case["payload_hex"]))
    codes.verify_venue_signature(venue, {venue.kid: private.public_key().public_bytes_raw()})
    key = venue_key(venue.to_bytes())
    origin = case["url"].partition("/v#")[0]
    hours = list(split_by_hour(case["visit_start"], case["visit_end"]))
    got = {
        "city_public_key_hex": private.public_key().public_bytes_raw().hex(),
        "payload_hex": codes.sign_venue(venue, private).to_bytes().hex(),
        "url": codes.venue_link(codes.read_venue_link(case["url"]), origin),
        "venue_key_hex": key.hex(),
        "slots": [_slot(key, *hour, slot) for hour, slot in zip(hours, case["slots"], strict=True)],
    }
    return got, {name: case[name] for name in got}


def _check_event(case: dict[str, Any]) -> tuple[Any, Any]:
    """Make an event's code and the keys of an hour, and refuse invalid codes (docs/protocol.md section 6)."""
    event = codes.Event(case["name"], case["begin"] // 60, case["minutes"], bytes.fromhex(case["seed_hex"]))
    payloads = [bytes.fromhex(bad["payload_hex"]) for bad in case["refused"]]
    key = venue_key(codes.read_code_link(case["url"]).to_bytes())
    k_h = slot_key(key, case["h"])
    url = codes.venue_link(event, case["url"].partition("/v#")[0])
    values = {"payload": event.to_bytes(), "event_key": key, "slot_key": k_h, "tag": slot_tag(k_h)}
    got: dict[str, Any] = {f"{name}_hex": value.hex() for name, value in values.items()}
    got |= {"url": url, "fingerprint": codes.venue_fingerprint(event)}
    got["taken"] = [payload.hex() for payload in payloads if _none_if_refused(partial(codes.parse_event, payload))]
    return got, {**{name: case.get(name) for name in got}, "taken": []}


def _slot(key: bytes, hour: int, start: int, end: int, slot: dict[str, Any]) -> dict[str, Any]:
    k_h = slot_key(key, hour)
    item = seal_item(k_h, Record(slot["level"], start, end, hour), bytes.fromhex(slot["nonce_hex"]))
    opened = open_item(k_h, hour, item)
    return {
        "h": hour, "start_min": start, "end_min": end,
        "slot_key_hex": k_h.hex(),
        "tag_hex": slot_tag(k_h).hex(),
        "enc_key_hex": slot_cipher_key(k_h).hex(),
        "nonce_hex": slot["nonce_hex"],
        "level": opened.level if opened else None,
        "item_hex": item.hex(),
    }  # fmt: skip


def _check_gate(case: dict[str, Any]) -> tuple[Any, Any]:
    session = bytes.fromhex(case["k_sess_hex"])
    expected = PassA(BluetoothState(case["flags"]), case["step"], session)
    got = {
        "R_g_hex": compute_response(session, bytes.fromhex(case["G_hex"])).hex(),
        "pass_hex": encode_pass(read_pass(case["qr_text"])).hex(),
        "qr_text": pass_text(expected),
    }
    return got, {name: case[name] for name in got}


def check_rfc9474(vector: dict[str, Any]) -> tuple[Any, Any]:
    """Blind, sign and unblind a vector of RFC 9474 appendix A."""
    n, e, d, p, q, inverse = (int(vector[name], 16) for name in ("n", "e", "d", "p", "q", "inv"))
    private = PrivateKey(n, e, d, p, q)
    message = bytes.fromhex(vector["msg_prefix"] + vector["msg"])
    salt_length = int(vector["sLen"], 16)
    blinded = blind(private.public, message, salt=bytes.fromhex(vector["salt"]), r=pow(inverse, -1, n))
    blind_signature = blind_sign(private, blinded.message)
    signature = finalize(private.public, message, blind_signature, blinded.inverse, salt_length=salt_length)
    got = {
        "input_msg": message.hex(),
        "blinded_msg": blinded.message.hex(),
        "blind_sig": blind_signature.hex(),
        "sig": signature.hex(),
        "verifies": verify(private.public, message, signature, salt_length=salt_length),
    }
    return got, {"verifies": True, **{name: vector[name].removeprefix("0x") for name in got if name != "verifies"}}


OURS_V1: dict[str, Check] = {
    "upload_commit": _check_commitment, "venue": _check_venue, "event": _check_event, "gate": _check_gate,
}  # fmt: skip


def exposure_notification_cases(document: dict[str, Any]) -> Iterator[Case]:
    """Yield the header as one case, and each pair of identifier and encrypted metadata."""
    yield Case(EXPOSURE_NOTIFICATION, "header", _check_header, document)
    for pair in document.get("rpi_aem", ()):
        content = {"tek": document.get("tek"), "metadata": document.get("metadata"), **pair}
        yield Case(EXPOSURE_NOTIFICATION, f"interval {pair.get('interval')}", _check_pair, content)


def _check_header(document: dict[str, Any]) -> tuple[Any, Any]:
    key = bytes.fromhex(document["tek"])
    got = {
        "rpik": identifier_key(key).hex(),
        "aemk": metadata_key(key).hex(),
        "rolling_start_interval": first_interval(day_at(document["key_generation_unix"])),
        "rolling_period": INTERVALS_PER_DAY,
    }
    return got, {name: document[name] for name in got}


def _check_pair(pair: dict[str, Any]) -> tuple[Any, Any]:
    key = bytes.fromhex(pair["tek"])
    identifier = rolling_proximity_identifier(key, pair["interval"])
    encrypted = crypt_metadata(key, identifier, bytes.fromhex(pair["metadata"]))
    return {"rpi": identifier.hex(), "aem": encrypted.hex()}, {"rpi": pair["rpi"], "aem": pair["aem"]}


def riskscore_cases(document: dict[str, Any]) -> Iterator[Case]:
    """Yield each test case, with the configuration of the file."""
    cwa = document.get("cwa", {})
    for case in cwa.get("testCases", ()):
        content = {"configuration": cwa.get("defaultRiskCalculationConfiguration"), **case}
        yield Case(RISKSCORE, str(case.get("description")), _check_riskscore, content)
    for name in sorted(set(document) - {"cwa", "source", "about", "status", "meta", "family"}):
        yield skipped_case(f"riskscore.{name}")


def _check_riskscore(case: dict[str, Any]) -> tuple[Any, Any]:
    got = _assessed(parse_profile(case["configuration"]), case["exposureWindows"])
    return got, {name: case[name] for name in got}


def _assessed(profile: Profile, windows: list[dict[str, Any]]) -> dict[str, Any]:
    assessment = assess_exposure(read_windows(json.dumps(windows).encode(), RISKSCORE_TODAY), profile, RISKSCORE_TODAY)
    ages = {
        level: [(RISKSCORE_TODAY - day.day).days for day in assessment.days if day.level == level]
        for level in ("low", "high")
    }
    return {
        # The app has no level "none": 1 is low or none, 2 is high.
        "expTotalRiskLevel": 2 if assessment.level == "high" else 1,
        "expAgeOfMostRecentDateWithLowRisk": min(ages["low"], default=None),
        "expAgeOfMostRecentDateWithHighRisk": min(ages["high"], default=None),
        "expNumberOfDaysWithLowRisk": len(ages["low"]),
        "expNumberOfDaysWithHighRisk": len(ages["high"]),
    }


def read_cases(document: dict[str, Any], file_name: str) -> Iterator[Case]:
    """Yield every case of a vector file; what this version does not know is yielded as skipped, with its name."""
    family = document.get("family")
    if family == "exposure_notification":
        yield from exposure_notification_cases(document)
    elif family == "bluezone2020":
        yield from _listed("bluezone2020", document, BLUEZONE2020)
    elif family == "riskscore":
        yield from riskscore_cases(document)
    elif family == "reciprocity":
        yield from _reciprocity_cases(document)
    elif family == "epoch":
        keys = {name: document[name] for name in ("recovery_key_hex", "recovery_private_hex")}
        yield from (Case("epoch", case["name"], _check_epoch, {**keys, **case}) for case in document["cases"])
    elif family == "slips":
        yield from (Case("slips", case["name"], _check_slip, {"city": document["city_key_hex"], **case})
                    for case in document["cases"])  # fmt: skip
    elif family == "transparency":
        yield from (Case(*case) for case in transparency_cases(document))
    elif family == "presence":
        yield from _presence_cases(document)
    else:
        yield skipped_case(family if isinstance(family, str) else file_name)


def _reciprocity_cases(document: dict[str, Any]) -> Iterator[Case]:
    """Yield each frame, with the file's sender."""
    sender = {name: document[name] for name in ("temporary_exposure_key_hex", "interval", "reciprocity_key_hex")}
    for case in document["cases"]:
        yield Case("reciprocity", case["name"], _check_reciprocity_frame, {**sender, **case})


def _check_reciprocity_frame(case: dict[str, Any]) -> tuple[Any, Any]:
    """Write the frame, and open it for each neighbour (docs/protocol.md section 2)."""
    exposure_key = bytes.fromhex(case["temporary_exposure_key_hex"])
    key = reciprocity_key(exposure_key)
    identifier = rolling_proximity_identifier(exposure_key, case["interval"])
    heard = [(bytes.fromhex(neighbour["identifier_hex"]), neighbour["level_dbm"]) for neighbour in case["heard"]]
    filling = bytes.fromhex(case["filling_hex"])
    frame = encode_reciprocity_frame(
        key, identifier, bytes.fromhex(case["nonce_hex"]), heard, lambda count: filling[:count]
    )
    got = {
        "reciprocity_key_hex": key.hex(),
        "frame_hex": frame.hex(),
        "advertisement_hex": reciprocity_advertisement(frame).hex(),
        "opened": [open_reciprocity_frame(key, identifier, frame, [neighbour]) for neighbour, _ in heard],
    }
    return got, {**{name: case[name] for name in list(got)[:-1]}, "opened": [level for _, level in heard]}


def _check_epoch(case: dict[str, Any]) -> tuple[Any, Any]:
    """Read the record, and write and sign it again (docs/protocol.md section 5, "Epochs")."""
    epoch = open_epoch(case["record"], bytes.fromhex(case["recovery_key_hex"]))
    signer = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["recovery_private_hex"]))
    got = {"epoch": asdict(epoch), "payload": encode_epoch(epoch).decode(), "record": sign_epoch(epoch, signer)}
    return got, {name: case[name] for name in got}


def _check_slip(case: dict[str, Any]) -> tuple[Any, Any]:
    """Read a slip by its digits and by its link, and sign its use (docs/protocol.md section 4, "Code books")."""
    city_key = bytes.fromhex(case["city"])
    typed, scanned = (read_slip(case[form], city_key, case["unix_seconds"]) for form in ("digits", "link"))
    got = {
        "book": typed.book,
        "class": typed.klass,
        "secret_hex": typed.secret.hex(),
        "link": typed.link(case["link"].partition("/r#")[0]),
        "public_hex": scanned.public.hex(),
        "signature_hex": scanned.sign_use(case["kid"], bytes.fromhex(case["blinded_hex"])).hex(),
    }
    return got, {name: case[name] for name in got}


def _presence_cases(document: dict[str, Any]) -> Iterator[Case]:
    ours = document.get("ours_v1", {})
    yield from upload_code_cases(ours.get("upload_code", {}))
    yield from _listed("ours_v1", {name: value for name, value in ours.items() if name != "upload_code"}, OURS_V1)
    for case in document.get("rfc9474", {}).get("vectors", ()):
        yield Case("rfc9474", _case_name(case, "vector"), check_rfc9474, case)
    for name in sorted(set(document) - {"ours_v1", "rfc9474"} - _DESCRIPTIONS):
        yield skipped_case(name)


def _listed(family: str, members: dict[str, Any], checks: dict[str, Check]) -> Iterator[Case]:
    for name, value in members.items():
        if name in _DESCRIPTIONS:
            continue
        elements: Iterable[Any] = value if isinstance(value, list) else [value]
        if name == "real_device_capture":
            elements = _captured_rows(value)
        for number, element in enumerate(elements):
            yield Case(f"{family}.{name}", _case_name(element, str(number)), checks.get(name), element)


def _captured_rows(capture: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each captured identifier with the base key of its phone."""
    for phone in (capture, capture.get("second_phone", {})):
        for row in phone.get("own_ids", ()):
            yield {"base_id": phone["base_id"], "time": phone["time"], **row}


def _case_name(element: Any, otherwise: str) -> str:
    return str(element.get("name", otherwise)) if isinstance(element, dict) else otherwise


class InvalidVectors(Refused):
    """A vector file is not JSON, or does not have the form of its family."""

    code = "vectors_invalid"


@click.group()
def vectors() -> None:
    """Test vectors."""


def _lines(result: dict[str, Any]) -> Iterable[str]:
    for family, counts in result["families"].items():
        yield f"{family:36} {counts['passed']:4} passed {counts['failed']:3} failed {counts['skipped']:3} skipped"
    for failure in result["failed"]:
        yield f"FAILED {failure['family']} {failure['case']}: got {failure['got']}, expected {failure['expected']}"


@vectors.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@prints_result(_lines)
def check(files: tuple[Path, ...]) -> dict[str, Any]:
    """Check every case of the vector FILES; fails if any case does."""
    families: dict[str, dict[str, int]] = defaultdict(lambda: {"passed": 0, "failed": 0, "skipped": 0})
    failed = []
    for file in files:
        for case in _cases(file):
            outcome, got, expected = case.outcome()
            families[case.family][outcome] += 1
            if outcome == "failed":
                failed.append({"family": case.family, "case": case.name, "got": got, "expected": expected})
    result = {"families": dict(families), "failed": failed}
    if failed:
        raise Failed(result)
    return result


def _cases(file: Path) -> "list[Case]":

    try:
        document = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise InvalidVectors(f"{file.name} is not JSON") from None
    try:
        return list(read_cases(document, file.stem))
    except (AttributeError, KeyError, TypeError):
        raise InvalidVectors(f"{file.name} is not of the form its family has") from None
