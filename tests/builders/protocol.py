# SPDX-License-Identifier: Apache-2.0
"""Complete, valid protocol objects, in which a test changes only the value under test."""

from dataclasses import replace
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.hpke import point

from bluezone.protocol.exports.files import SignatureInfo
from bluezone.protocol.exports.writer import ExportKeys, write_export
from bluezone.protocol.signed.config import TEXT_NAMES, Config, WeekKey

GENERATED_AT = 1795478400  # 2026-11-24T00:00Z
SIGNING_KEY = ec.derive_private_key(0x626C75657A6F6E65, ec.SECP256R1())
EXPORT_KEY = point(SIGNING_KEY.public_key())
EXPORT_KEY_PEM = SIGNING_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def make_week_key(**changes: Any) -> WeekKey:
    """A key for certificates of confirmed tests in the week after GENERATED_AT, announced in time."""
    key = WeekKey(
        kid=7,
        purpose="upload",
        klass=1,
        week="2026-W49",
        use_from=GENERATED_AT + 7 * 86400,
        accept_until=GENERATED_AT + 21 * 86400,
        announced_at=GENERATED_AT,
        n=2**2047 + 1,
        e=65537,
    )
    return replace(key, **changes)


def make_config(**changes: Any) -> Config:
    """The first config of a small city."""
    texts = {name: f"{name} {{hotline}}" for name in TEXT_NAMES}
    whole = Config(
        number=1,
        generated_at=GENERATED_AT,
        history=(),
        city={"vi": "Thành phố", "en": "City"},
        zone="Asia/Ho_Chi_Minh",
        public_host="localhost:8000",
        office_host="localhost:8001",
        hotline="1900 9095",
        profile={"name": "covid-19"},
        week_keys=(make_week_key(),),
        export_keys=(EXPORT_KEY_PEM,),
        declaration_key=None,
        limits={},
        waits={"verify_to_upload_seconds": 3600, "web_minimum_seconds": 5},
        poll_seconds=14400,
        texts={"vi": texts, "en": texts},
    )
    return replace(whole, **changes)


def export_keys(count: int = 2, seed: int = 1) -> ExportKeys:
    """Random keys of the week before GENERATED_AT, confirmed or clinical, high or standard."""
    rng = np.random.default_rng(seed)
    return ExportKeys(
        keys=rng.integers(0, 256, (count, 16), dtype=np.uint8),
        starts=(GENERATED_AT // 86400 - rng.integers(1, 8, count)) * 144,
        report_types=rng.integers(1, 3, count).astype(np.uint8),
        days_since_onset=(7 * rng.integers(0, 2, count)).astype(np.int8),
    )


def make_export(count: int = 2, seed: int = 1) -> bytes:
    """A signed export of random keys."""
    return write_export(
        export_keys(count, seed),
        start_timestamp=GENERATED_AT - 7200,
        end_timestamp=GENERATED_AT,
        region="VN",
        signing_key=SIGNING_KEY,
        info=SignatureInfo("452", "v1"),
    )
