# SPDX-License-Identifier: Apache-2.0
"""Venue slots of an upload become sealed items at once: only who was in that venue in that hour can open one.

The slot's key is not stored; nor is anything that tells which items came together.
Source: protocol.md section 6 (tag, E_h, rec, item).
"""

import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS, Slot

TAG_LENGTH = 16
NONCE_LENGTH = 12
_RECORD = struct.Struct(">BBBBI")
_RECORD_VERSION = 1
# Level of an item by the class of its report: a confirmed test weighs more (1.6 against 1.4 a minute).
_LEVELS = {CONFIRMED_CLASS: 2, CLINICAL_CLASS: 1}


def sealed_item(slot: Slot, klass: int) -> tuple[bytes, bytes, bytes]:
    """Return tag (16 bytes), nonce (12) and sealed record (24) of one slot.

    klass: 1 confirmed test, 2 clinical.
    """
    tag = hmac.digest(slot.slot_key, b"BZ-TAG", "sha256")[:TAG_LENGTH]
    key = hmac.digest(slot.slot_key, b"BZ-ENC", "sha256")
    record = _RECORD.pack(_RECORD_VERSION, _LEVELS[klass], slot.start_minute, slot.end_minute, slot.hour)
    nonce = os.urandom(NONCE_LENGTH)
    return tag, nonce, AESGCM(key).encrypt(nonce, record, tag)
