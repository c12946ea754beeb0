# SPDX-License-Identifier: Apache-2.0
"""Our own vectors of codes and uploads, and the blind signature vectors of RFC 9474."""

from collections.abc import Iterator
from typing import Any

from bluezone.cli.vectors.case import Case, Check
from bluezone.protocol.blindrsa import PrivateKey, blind, blind_sign, finalize, verify
from bluezone.protocol.codes import InvalidCode, damm_digit, parse_code
from bluezone.protocol.uploadpayload import UploadKey, commitment, decode_slots, encode_keys

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


OURS_V1: dict[str, Check] = {"upload_commit": _check_commitment}
