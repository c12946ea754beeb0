# SPDX-License-Identifier: Apache-2.0
"""What a signer notes of code books, and what it refuses."""

import itertools
import json
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.keyserver import DAY, HOUR, NOON, Clock

from bluezone.codebooks.making import Facility, make_book
from bluezone.keyserver.keys.keyfolder import SigningRefused
from bluezone.keyserver.signer.books import FOLDER_NAME, KEPT_SECONDS, Books
from bluezone.protocol.signed.config import WeekKey
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.books import Revocation, sign_book, sign_revocation
from bluezone.protocol.upload.slips import SlipUse, book_number, use_slip

CITY = bytes(range(32))
MAKER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = MAKER.public_key().public_bytes_raw().hex()
SIGNATURE = b"s" * 256
BLINDED = bytes(255) + b"\1"
OTHER_BLINDED = bytes(255) + b"\2"
KID = {1: 11, 2: 12}


@pytest.fixture(scope="module")
def book():
    return make_book([Facility("A", 3, 3)], CITY, book_number(NOON), 14, 8)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def books(tmp_path, clock, book):
    books = Books(tmp_path, [PUBLIC], 50, clock)
    books.register(sign_book(book.list, MAKER), CITY)
    return books


def week_key(klass, n=2**2048 - 1):
    return WeekKey(KID[klass], "upload", klass, "2026-W48", 0, 0, 0, n, 65537)


def slips_of(book, klass=1):
    return [each.slip for each in book.slips["A"] if each.slip.klass == klass]


def use(books, slip, blinded=BLINDED, key="own", sign=lambda: SIGNATURE):
    key = week_key(slip.klass) if key == "own" else key
    return books.use_slip(use_slip(slip, KID[slip.klass], blinded), key, sign)


def test_a_slip_is_signed_for_once_and_for_the_same_value_again(books, book):
    slip, other = slips_of(book)[:2]

    assert use(books, slip) == (Status.OK, SIGNATURE)
    assert use(books, slip) == (Status.OK, SIGNATURE)
    assert use(books, slip, OTHER_BLINDED) == (Status.CODE_USED, b"")
    assert use(books, other, OTHER_BLINDED) == (Status.OK, SIGNATURE)


def test_the_mark_is_on_the_disk_before_the_signature_is_released_and_another_process_sees_it(
    books, book, tmp_path, clock
):
    slip = slips_of(book)[0]
    use(books, slip)

    restarted = Books(tmp_path, [PUBLIC], 50, clock)
    assert use(restarted, slip, OTHER_BLINDED)[0] is Status.CODE_USED
    assert use(restarted, slip) == (Status.OK, SIGNATURE)


def test_what_would_be_refused_uses_nothing_and_does_not_show_whether_a_slip_was_used(books, book):
    used, fresh = slips_of(book)[:2]
    use(books, used)
    wrong_signature = SlipUse(fresh.public, KID[1], BLINDED, bytes(64))

    for slip in (used, fresh):
        assert use(books, slip, OTHER_BLINDED, key=None)[0] is Status.KID_REFUSED
        assert use(books, slip, OTHER_BLINDED, key=week_key(2))[0] is Status.KID_REFUSED
        assert use(books, slip, OTHER_BLINDED, key=week_key(1, n=1))[0] is Status.BAD_REQUEST
    assert books.use_slip(wrong_signature, week_key(1), lambda: SIGNATURE)[0] is Status.CODE_INVALID
    assert use(books, fresh)[0] is Status.OK


def test_a_signature_of_another_kid_or_value_or_book_is_not_the_slips(books, book):
    slip = slips_of(book)[0]
    true = use_slip(slip, KID[1], BLINDED)
    for changed in (
        SlipUse(true.public, 13, true.blinded, true.signature),
        SlipUse(true.public, true.kid, OTHER_BLINDED, true.signature),
        SlipUse(
            true.public, true.kid, true.blinded, type(slip)(slip.secret, slip.book + 1, 1).sign_use(true.kid, BLINDED)
        ),
    ):
        assert books.use_slip(changed, week_key(1), lambda: SIGNATURE)[0] is Status.CODE_INVALID


def refuse():
    raise SigningRefused("over the limit of an hour")


def test_a_signer_that_signs_no_more_for_now_uses_no_slip(books, book):
    slip = slips_of(book)[0]
    assert use(books, slip, sign=refuse)[0] is Status.LATER
    assert use(books, slip, OTHER_BLINDED)[0] is Status.OK
    # While it signs no more, a used slip and a fresh one are not told apart.
    for each in slips_of(book)[:2]:
        again = use_slip(each, KID[1], BLINDED)
        assert books.use_slip(again, week_key(1), refuse, takes_more=False)[0] is Status.LATER


def test_the_bound_of_a_day_follows_the_mean_of_the_days_before(tmp_path, clock, book):
    books = Books(tmp_path, [PUBLIC], 2, clock)
    books.register(sign_book(book.list, MAKER), CITY)
    slips = [*slips_of(book), *slips_of(book, 2)]
    assert [use(books, slip)[0] for slip in slips[:3]] == [Status.OK, Status.OK, Status.LATER]
    # A lost answer is asked for again, and a used slip is not told from a fresh one.
    assert use(books, slips[0])[0] is Status.OK
    assert use(books, slips[0], OTHER_BLINDED)[0] is Status.LATER

    (tmp_path / FOLDER_NAME / "state.json").write_text(
        json.dumps({"counts": {str(NOON // DAY - past): 3 for past in range(2, 5)}, "ended": []})
    )
    # 9 in 14 days: five times their mean is 3.
    assert [use(books, slip)[0] for slip in slips[2:]] == [Status.OK] * 3 + [Status.LATER]


def test_the_files_have_the_same_size_and_hour_whatever_was_used_and_in_whichever_order(tmp_path, clock, book):
    contents = []
    for number, order in enumerate(itertools.permutations(slips_of(book))):
        folder = tmp_path / str(number)
        folder.mkdir()
        books = Books(folder, [PUBLIC], 50, clock)
        books.register(sign_book(book.list, MAKER), CITY)
        for slip in order:
            use(books, slip)
        stored = sorted((folder / FOLDER_NAME).iterdir())
        contents.append([(path.name, path.read_bytes()) for path in stored])
        times = {os.stat(path).st_mtime for path in stored if path.suffix in (".marks", ".json")}
        assert times == {NOON // HOUR * HOUR}
    assert all(content == contents[0] for content in contents)


def test_a_registered_list_is_not_replaced_and_is_of_this_city_and_of_now(books, book, clock):
    signed = sign_book(book.list, MAKER)
    assert books.register(signed, CITY) == book.list.name
    other = make_book([Facility("A", 1, 1)], CITY, book.list.book, 14, 8)
    far = make_book([Facility("A", 1, 1)], CITY, book.list.book + 5, 14, 8)
    for content, city in (
        (sign_book(other.list, MAKER), CITY),
        (sign_book(far.list, MAKER), CITY),
        (signed, bytes(32)),
        (sign_book(other.list, Ed25519PrivateKey.generate()), CITY),
        (signed[:-1], CITY),
    ):
        with pytest.raises(SigningRefused):
            books.register(content, city)
    clock.now = book.list.ends
    with pytest.raises(SigningRefused):
        books.register(sign_book(other.list, MAKER), CITY)


def test_a_book_counts_from_its_first_moment_to_its_last_and_is_then_deleted(books, book, clock, tmp_path):
    first, second = slips_of(book)[:2]
    clock.now = book.list.begins - 1
    assert use(books, first)[0] is Status.CODE_INVALID
    clock.now = book.list.ends - 1
    assert use(books, first)[0] is Status.OK
    with pytest.raises(SigningRefused):
        books.spent_keys(book.list.name)
    clock.now = book.list.ends
    assert use(books, second)[0] is Status.CODE_EXPIRED
    assert books.spent_keys(book.list.name) == [first.public]

    clock.now = book.list.ends + KEPT_SECONDS
    books.tidy()
    assert {path.name for path in (tmp_path / FOLDER_NAME).iterdir()} == {"turn.lock", "state.json"}
    assert use(books, second)[0] is Status.CODE_INVALID


def revocation(book, *slips):
    keys = tuple(sorted(slip.public for slip in slips))
    return sign_revocation(Revocation(book.list.book, book.list.part, CITY, keys), MAKER)


def test_a_revoked_slip_is_invalid_and_no_count_and_a_used_one_stays_used(books, book, clock):
    used, revoked, fresh = slips_of(book)
    use(books, used)

    assert books.revoke(revocation(book, used, revoked), CITY) == 1
    assert use(books, revoked)[0] is Status.CODE_INVALID
    assert use(books, used)[0] is Status.OK
    assert use(books, fresh)[0] is Status.OK
    assert books.revoke(revocation(book), CITY) == 13
    assert use(books, slips_of(book, 2)[0])[0] is Status.CODE_INVALID
    assert books.spent_keys(book.list.name) == sorted([used.public, fresh.public])


def test_only_the_maker_revokes(books, book):
    forged = sign_revocation(Revocation(book.list.book, 0, CITY, ()), Ed25519PrivateKey.generate())
    unknown = sign_revocation(Revocation(book.list.book, 0, CITY, (bytes(32),)), MAKER)
    for content, city in ((forged, CITY), (unknown, CITY), (revocation(book), bytes(32))):
        with pytest.raises(SigningRefused):
            books.revoke(content, city)


def test_books_of_a_maker_who_is_no_longer_named_count_no_more(books, book, tmp_path, clock):
    assert use(Books(tmp_path, [], 50, clock), slips_of(book)[0])[0] is Status.CODE_INVALID


def test_a_damaged_state_accepts_nothing(books, book, tmp_path):
    (tmp_path / FOLDER_NAME / "state.json").write_text("{")
    with pytest.raises(SigningRefused):
        use(books, slips_of(book)[0])
