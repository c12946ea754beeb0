# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import struct
import unicodedata

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.builders import hpke

from bluezone.protocol.declaration import (
    DECLARATION_SIZE,
    MAX_TEXT_BYTES,
    Declaration,
    DeclarationUnreadable,
    InvalidDeclaration,
    seal_declaration,
)
from bluezone.protocol.declarationkey import open_declaration

INFO = b"BZ-DECLARATION-v1"
PROSE = (
    "Hôm thứ Bảy tôi dự đám cưới ở tổ 5, ngồi cùng bàn với hai người ở xa về, trong phòng kín gần ba tiếng. "
    "Hiện tôi chưa sốt, chỉ hơi đau họng, vẫn ở nhà một mình từ tối qua và có người mang cơm đến trước cửa. "
    "Mẹ tôi bảy mươi tuổi ở phòng bên cạnh, xin cho biết có phải đưa bà đi xét nghiệm luôn không. "
)
KEY = ec.derive_private_key(20_200_807, ec.SECP256R1())
PUBLIC = hpke.point(KEY.public_key())

texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=240).filter(
    lambda text: len(unicodedata.normalize("NFC", text).encode()) <= MAX_TEXT_BYTES
)
declarations = st.builds(
    Declaration,
    day=st.integers(0, 2**32 - 1),
    level=st.sampled_from(["low", "high", "unclear"]),
    phone=st.from_regex(r"\+?[0-9]{8,15}", fullmatch=True),
    text=texts,
)


def plain(version=1, day=18_475, level=2, phone=b"0912345678", text=b"", behind=b""):
    content = struct.pack(">BIBB", version, day, level, len(phone)) + phone + struct.pack(">H", len(text)) + text
    return (content + behind).ljust(943, b"\0")


@pytest.mark.long
@given(declarations)
def test_what_was_declared_arrives_and_every_message_has_one_size(declaration):
    message = seal_declaration(declaration, PUBLIC)

    assert len(message) == DECLARATION_SIZE
    assert open_declaration(message, KEY) == declaration


def test_the_second_writing_of_rfc_9180_gives_the_published_answers(vectors):
    published = {name: bytes.fromhex(value) for name, value in vector(vectors).items()}
    recipient = ec.derive_private_key(int.from_bytes(published["skRm"]), ec.SECP256R1())
    sender = ec.derive_private_key(int.from_bytes(published["skEm"]), ec.SECP256R1())
    dh = sender.exchange(ec.ECDH(), recipient.public_key())
    derived = hpke.context(dh, published["enc"], published["pkRm"], published["info"])

    assert hpke.point(sender.public_key()) == published["enc"]
    assert hpke.point(recipient.public_key()) == published["pkRm"]
    assert (derived.key, derived.nonce) == (published["key"], published["base_nonce"])
    message = published["enc"] + published["ct"]
    assert hpke.open_message(message, recipient, published["info"], published["aad"]) == published["pt"]


def vector(vectors):
    published = json.loads((vectors / "rfc9180_a3.json").read_text())
    return {name: value for name, value in published.items() if name != "source"}


def test_what_we_seal_is_opened_by_the_second_writing_of_rfc_9180():
    declaration = Declaration(day=18_475, level="high", phone="0912345678", text="Tôi ho từ hôm qua.")

    opened = hpke.open_message(seal_declaration(declaration, PUBLIC), KEY, INFO)

    assert opened == plain(text="Tôi ho từ hôm qua.".encode())


@pytest.mark.parametrize(("level", "number"), [("low", 1), ("high", 2), ("unclear", 3)])
def test_each_level_has_the_number_of_the_protocol(level, number):
    declaration = Declaration(day=18_475, level=level, phone="0912345678", text="")

    assert hpke.open_message(seal_declaration(declaration, PUBLIC), KEY, INFO) == plain(level=number)


def test_what_the_second_writing_seals_is_opened_by_us():
    message = hpke.seal_message(plain(level=1, text="Chưa sốt.".encode()), KEY.public_key(), INFO)

    assert open_declaration(message, KEY) == Declaration(18_475, "low", "0912345678", "Chưa sốt.")


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"level": 0},
        {"level": 4},
        {"phone": b""},
        {"phone": b"09123456789012345"},
        {"phone": b"0912 345 678"},
        {"phone": "０９１２３４５６７８".encode()[:15]},
        {"text": b"\xff"},
        {"text": b"bell \x07"},
        {"text": b"x" * 501},
        {"behind": b"\x01"},
    ],
)
def test_a_sealed_message_that_says_something_else_is_refused(changed):
    message = hpke.seal_message(plain(**changed), KEY.public_key(), INFO)

    with pytest.raises(InvalidDeclaration) as refused:
        open_declaration(message, KEY)

    assert refused.value.code == "declaration_invalid"


def test_a_text_length_beyond_the_message_is_refused():
    lying = plain()[:17] + struct.pack(">H", 65_535) + bytes(924)

    with pytest.raises(InvalidDeclaration):
        open_declaration(hpke.seal_message(lying, KEY.public_key(), INFO), KEY)


def test_a_text_may_have_its_full_length_and_not_a_byte_more():
    full = "đ" * (MAX_TEXT_BYTES // 2)
    assert len(full.encode()) == MAX_TEXT_BYTES
    message = hpke.seal_message(plain(text=full.encode()), KEY.public_key(), INFO)
    assert open_declaration(message, KEY).text == full
    with pytest.raises(InvalidDeclaration):
        open_declaration(hpke.seal_message(plain(text=f"{full}x".encode()), KEY.public_key(), INFO), KEY)


@given(st.binary(min_size=943, max_size=943))
def test_any_content_is_a_declaration_or_refused(content):
    with contextlib.suppress(InvalidDeclaration):
        open_declaration(hpke.seal_message(content, KEY.public_key(), INFO), KEY)


@given(st.integers(0, DECLARATION_SIZE * 8 - 1))
def test_one_changed_bit_makes_it_unreadable(bit):
    message = bytearray(seal_declaration(Declaration(18_475, "high", "0912345678"), PUBLIC))
    message[bit // 8] ^= 1 << bit % 8

    with pytest.raises(DeclarationUnreadable) as refused:
        open_declaration(bytes(message), KEY)

    assert refused.value.code == "declaration_unreadable"


@given(st.binary(max_size=1100))
def test_what_was_never_sealed_is_unreadable(message):
    assume(len(message) != DECLARATION_SIZE or message[0] != 4)
    with pytest.raises(DeclarationUnreadable):
        open_declaration(message, KEY)


def test_another_key_and_another_purpose_open_nothing():
    message = seal_declaration(Declaration(18_475, "high", "0912345678"), PUBLIC)
    elsewhere = hpke.seal_message(plain(), KEY.public_key(), b"BZ-DECLARATION-v2")

    with pytest.raises(DeclarationUnreadable):
        open_declaration(message, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(DeclarationUnreadable):
        open_declaration(elsewhere, KEY)


def test_five_hundred_characters_of_vietnamese_prose_fit():
    declaration = Declaration(18_475, "high", "+84912345678", (PROSE * 3)[:500])

    assert open_declaration(seal_declaration(declaration, PUBLIC), KEY).text == (PROSE * 3)[:500]


@pytest.mark.parametrize(
    "members",
    [
        {"day": -1},
        {"day": 2**32},
        {"level": "none"},
        {"phone": "113"},
        {"phone": "0912-345-678"},
        {"phone": "٠١٢٣٤٥٦٧٨٩"},
        {"text": "x" * 501},
        {"text": "ữ" * 400},
        {"text": "\x00"},
        {"text": "\ud800"},
    ],
)
def test_what_is_out_of_bounds_cannot_be_declared_and_is_not_repeated(members):
    with pytest.raises(InvalidDeclaration) as refused:
        Declaration(**{"day": 18_475, "level": "high", "phone": "0912345678", "text": ""} | members)

    assert str(members.get("phone", "ữữ")) not in refused.value.message


def test_letters_typed_as_letter_and_tone_mark_count_as_one_character():
    typed = unicodedata.normalize("NFD", "ữ" * 300)

    assert Declaration(18_475, "low", "0912345678", typed).text == "ữ" * 300


def test_phone_and_text_are_not_in_a_traceback():
    shown = repr(Declaration(18_475, "low", "0912345678", "đau họng"))

    assert "0912345678" not in shown
    assert "đau" not in shown
