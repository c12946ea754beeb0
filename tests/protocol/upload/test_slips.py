# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.upload import BadRequest, SlipRequest, Status, decode_verify, encode_slip
from bluezone.protocol.upload.books import (
    LONGEST_DAYS,
    BookInvalid,
    BookList,
    Revocation,
    open_book,
    open_revocation,
    sign_book,
    sign_revocation,
)
from bluezone.protocol.upload.codes import Credential, InvalidCode
from bluezone.protocol.upload.slips import (
    BOOKS_OF_A_DIGIT,
    Slip,
    book_begin,
    book_number,
    format_slip,
    is_slip,
    make_slip,
    read_slip,
    slip_digits,
    use_slip,
)

NOON = 1795608000  # 2026-11-25T12:00Z, a Wednesday
DAY = 86_400
CITY = bytes(range(32))
BOOK = book_number(NOON)
SECRET = "0123456789012345"
SLIP = make_slip(SECRET, BOOK, 1, CITY)
MAKER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = MAKER.public_key().public_bytes_raw()
VECTORS = Path(__file__).parents[2] / "vectors" / "slips.json"


def test_the_vectors_are_of_another_program_and_hold():
    document = json.loads(VECTORS.read_text())
    for case in document["cases"]:
        slip = read_slip(case["digits"], bytes.fromhex(document["city_key_hex"]), case["unix_seconds"])
        assert (slip.secret.hex(), slip.public.hex()) == (case["secret_hex"], case["public_hex"])


def test_a_book_begins_on_a_monday_and_its_number_counts_weeks():
    assert book_number(0) == 0
    assert book_begin(1) == 4 * DAY
    assert book_number(book_begin(BOOK)) == BOOK
    assert book_number(book_begin(BOOK) - 1) == BOOK - 1


@pytest.mark.parametrize("weeks_ago", range(BOOKS_OF_A_DIGIT))
def test_typed_digits_name_their_book_while_any_book_of_theirs_may_live(weeks_ago):
    book = BOOK - weeks_ago
    digits = slip_digits(SECRET, book, 2)

    slip = read_slip(format_slip(digits), CITY, book_begin(BOOK) + 6 * DAY)

    assert slip == make_slip(SECRET, book, 2, CITY)
    # The longest book ends before its digits mean the next one.
    assert book_begin(book) + (LONGEST_DAYS + 2) * DAY < book_begin(book + BOOKS_OF_A_DIGIT)


def test_the_secret_depends_on_city_and_book():
    others = [make_slip(SECRET, BOOK + 1, 1, CITY), make_slip(SECRET, BOOK, 1, bytes(32))]
    assert len({SLIP.secret, *(other.secret for other in others)}) == 3


@given(st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(place, more):
    digits = slip_digits(SECRET, BOOK, 1)
    wrong = f"{digits[:place]}{(int(digits[place]) + more) % 10}{digits[place + 1 :]}"
    with pytest.raises(InvalidCode):
        read_slip(wrong, CITY, NOON)


def test_codes_and_their_links_are_no_slips_and_slips_are_no_codes():
    link = SLIP.link("https://bluezone.vn")
    assert is_slip(link)
    assert is_slip(link.partition("#")[2])
    assert is_slip("012345 678901-234567")
    assert not is_slip("0123-4567-8901")
    assert not is_slip("https://bluezone.vn/r#" + "A" * 22)
    for text in (link, slip_digits(SECRET, BOOK, 1)):
        with pytest.raises(InvalidCode):
            Credential.from_text(text)


@given(st.binary(max_size=40))
def test_any_bytes_of_a_link_are_a_slip_or_refused(content):
    try:
        assert Slip.from_bytes(content).to_bytes() == content
    except InvalidCode:
        assert len(content) != 18


def test_the_call_has_1024_bytes_and_is_read_back():
    use = use_slip(SLIP, 7, bytes(256))
    request = SlipRequest(use=use)

    body = encode_slip(request)

    assert len(body) == 1024
    assert decode_verify(body) == request
    assert use.is_signed(BOOK)
    assert not use.is_signed(BOOK + 1)


@pytest.mark.parametrize(("at", "value"), [(1, 1), (2, 1), (2, 3), (3, 3)])
def test_a_slip_is_sent_in_verify_2_and_never_in_a_rehearsal(at, value):
    body = bytearray(encode_slip(SlipRequest(use=use_slip(SLIP, 7, bytes(256)))))
    body[at] = value
    with pytest.raises(BadRequest):
        decode_verify(bytes(body))


def test_no_answer_but_to_slips_is_new():
    assert max(Status) is Status.LATER


def book_of(count=4, days=14, **changes):
    keys = [b"".join(sorted(bytes([klass, number]) + bytes(30) for number in range(count))) for klass in (1, 2)]
    values = {"book": BOOK, "part": 0, "ends": book_begin(BOOK) + (days + 2) * DAY, "city": CITY, "keys": tuple(keys)}
    return BookList(**values | changes)


def test_a_list_is_read_as_it_was_signed_and_every_key_is_found_in_it():
    book = book_of()
    opened = open_book(sign_book(book, MAKER), [bytes(32), PUBLIC])

    assert opened == book
    for place, klass in enumerate([1] * 4 + [2] * 4):
        assert opened.find(opened.key_at(place)) == (klass, place)
    assert opened.find(bytes(32)) is None
    assert opened.find(b"\xff" * 32) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"days": 6},
        {"days": 29},
        {"part": 16},
        {"city": b"short"},
        {"keys": (bytes(32), bytes(64))},
        {"keys": (b"", b"")},
        {"keys": (b"\1" * 32 + bytes(32), bytes(32) + b"\1" * 32)},
        {"keys": (bytes(64), bytes(64))},
    ],
)
def test_a_list_out_of_its_bounds_is_refused(changes):
    with pytest.raises(BookInvalid):
        book_of(**changes)


def test_a_list_that_no_known_maker_has_signed_is_refused():
    signed = sign_book(book_of(), MAKER)
    for content, makers in ((signed, []), (signed, [CITY]), (signed[:-1], [PUBLIC]), (b"", [PUBLIC])):
        with pytest.raises(BookInvalid):
            open_book(content, makers)
    with pytest.raises(BookInvalid):
        open_revocation(signed, [PUBLIC])


def test_a_revocation_is_read_as_it_was_signed():
    revocation = Revocation(BOOK, 1, CITY, (bytes(32), b"\1" * 32))
    signed = sign_revocation(revocation, MAKER)

    assert open_revocation(signed, [PUBLIC]) == revocation
    with pytest.raises(BookInvalid):
        open_book(signed, [PUBLIC])
