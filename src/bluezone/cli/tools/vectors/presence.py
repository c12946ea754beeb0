# SPDX-License-Identifier: Apache-2.0
"""Our own vectors of codes, uploads, venues and gates, and the blind signature vectors of RFC 9474."""

from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.cli.tools.vectors.case import Case, Check
from bluezone.protocol.blindrsa import PrivateKey, blind, blind_sign, finalize, verify
from bluezone.protocol.gate.passes import PassA, State, encode_pass, pass_text, read_pass, response
from bluezone.protocol.upload.codes import InvalidCode, damm_digit, parse_code
from bluezone.protocol.upload.payload import UploadKey, commitment, decode_slots, encode_keys
from bluezone.protocol.venues.codes import check_signature, parse_venue, read_venue_link, sign_venue, venue_link
from bluezone.protocol.venues.items import Record, open_item, seal_item, slot_cipher_key, slot_key, slot_tag, venue_key
from bluezone.protocol.venues.stays import split_by_hour

_COUNT_LENGTH = 2


def upload_code_cases(upload_code: dict[str, Any]) -> Iterator[Case]:
    """Yield each valid and each invalid code; both are also followed through the table the file holds."""
    for state in ("valid", "invalid"):
        for code in upload_code.get(state, ()):
            content = {"code": code, "valid": state == "valid", "table": upload_code.get("damm_table")}
            yield Case("ours_v1.upload_code", f"{state} {code}", _check_code, content)


def _check_code(case: dict[str, Any]) -> tuple[Any, Any]:
    code, table = case["code"], case["table"]
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
    venue = parse_venue(bytes.fromhex(case["payload_hex"]))
    check_signature(venue, {venue.kid: private.public_key()})
    host = case["url"].split("/")[2]
    key = venue_key(venue.to_bytes())
    hours = list(split_by_hour(case["visit_start"], case["visit_end"]))
    got = {
        "city_public_key_hex": private.public_key().public_bytes_raw().hex(),
        "payload_hex": sign_venue(venue, private).to_bytes().hex(),
        "url": venue_link(read_venue_link(case["url"]), host),
        "venue_key_hex": key.hex(),
        "slots": [_slot(key, *hour, slot) for hour, slot in zip(hours, case["slots"], strict=True)],
    }
    return got, {name: case[name] for name in got}


def _slot(key: bytes, hour: int, start: int, end: int, slot: dict[str, Any]) -> dict[str, Any]:
    k_h = slot_key(key, hour)
    item = seal_item(k_h, Record(slot["level"], start, end, hour), bytes.fromhex(slot["nonce_hex"]))
    opened = open_item(k_h, hour, item)
    return {
        "h": hour,
        "start_min": start,
        "end_min": end,
        "slot_key_hex": k_h.hex(),
        "tag_hex": slot_tag(k_h).hex(),
        "enc_key_hex": slot_cipher_key(k_h).hex(),
        "nonce_hex": slot["nonce_hex"],
        "level": opened.level if opened else None,
        "item_hex": item.hex(),
    }


def _check_gate(case: dict[str, Any]) -> tuple[Any, Any]:
    session = bytes.fromhex(case["k_sess_hex"])
    shown = read_pass(case["qr_text"])
    made = PassA(State(case["flags"]), case["step"], session)
    got = {
        "R_g_hex": response(session, bytes.fromhex(case["G_hex"])).hex(),
        "pass_hex": encode_pass(shown).hex(),
        "qr_text": pass_text(made),
    }
    return got, {name: case[name] for name in got}


def check_rfc9474(vector: dict[str, Any]) -> tuple[Any, Any]:
    """Blind, sign and unblind one vector of RFC 9474 appendix A."""
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


OURS_V1: dict[str, Check] = {"upload_commit": _check_commitment, "venue": _check_venue, "gate": _check_gate}
