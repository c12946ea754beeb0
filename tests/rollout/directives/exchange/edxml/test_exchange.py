# SPDX-License-Identifier: Apache-2.0
import datetime
import string
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rollout.directives.exchange.edxml.keys import NOW, signer

from bluezone.rollout.directives.exchange.edxml import (
    Attachment,
    Business,
    BusinessKind,
    Edoc,
    InvalidEdxml,
    Organisation,
    Replacement,
    ResponseFor,
    Staff,
    StatusCode,
    StatusMessage,
    Trace,
    read_message,
    write_message,
)

CITY = Organisation("28.22.H17", "UBND thành phố Hà Mây", email="vanthu@hamay.example")
WARD = Organisation("05.28.22.H17", "UBND phường Suối Khoáng")
LETTER = Edoc(
    sender=CITY,
    recipients=(WARD,),
    number="458",
    notation="UBND-VP",
    date=datetime.date(2020, 8, 7),
    subject="triển khai tuyên truyền cài đặt ứng dụng",
    place="Hà Mây",
    signer_authority="KT. CHỦ TỊCH",
    signer_position="PHÓ CHỦ TỊCH",
    signer_name="Lê Văn Bình",
    traces=(Trace(CITY.id, NOW),),
    attachments=(Attachment("458.pdf", "application/pdf", b"%PDF-1.7 \x00\xff", "bản ký"),),
)


def sent(message, kind="ecdsa"):
    """The message as its recipient reads it."""
    office = signer("city", kind)
    return read_message(write_message(message, office), {message.sender.id: [office.certificate]}, NOW)


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_a_letter_arrives_as_it_was_sent(kind):
    assert sent(LETTER, kind) == LETTER
    assert LETTER.document_id == "28.22.H17,2020/08/07,458/UBND-VP"


@pytest.mark.parametrize("kind", [BusinessKind.REVOCATION, BusinessKind.UPDATE, BusinessKind.REPLACEMENT])
def test_a_message_about_an_earlier_letter_names_it(kind):
    business = Business(kind, "sai thể thức", LETTER.document_id, staff=Staff("Văn thư", "Trần Thị Mai"))
    later = Edoc(CITY, (WARD,), "470", "UBND-VP", datetime.date(2020, 8, 9), "về công văn 458", business=business)

    assert sent(later) == later
    with pytest.raises(InvalidEdxml):
        write_message(
            Edoc(CITY, (WARD,), "470", "VP", datetime.date(2020, 8, 9), "?", business=Business(kind)), signer()
        )


@pytest.mark.parametrize("status", list(StatusCode))
def test_a_state_comes_back_to_the_sender(status):
    about = ResponseFor(CITY.id, "458/UBND-VP", LETTER.date, LETTER.document_id)
    message = StatusMessage(about, WARD, status, NOW, "gửi nhầm đơn vị", Staff("Văn phòng", "Nông Thị Lan"))

    assert sent(message) == message


def test_writing_the_same_letter_with_rsa_gives_the_same_bytes():
    assert write_message(LETTER, signer("city", "rsa")) == write_message(LETTER, signer("city", "rsa"))


@pytest.mark.long
def test_a_large_scan_fits_and_a_larger_one_is_refused_before_it_is_sent():
    scan = Attachment("scan.pdf", "application/pdf", bytes(12 * 1024 * 1024))

    assert sent(Edoc(CITY, (WARD,), "1", "VP", LETTER.date, "scan", attachments=(scan,))).attachments == (scan,)
    with pytest.raises(Exception, match="too large") as refusal:
        write_message(Edoc(CITY, (WARD,), "1", "VP", LETTER.date, "scan", attachments=(scan,) * 3), signer())
    assert refusal.value.code == "edxml_too_large"


def test_a_control_character_is_refused_with_a_sentence():
    with pytest.raises(InvalidEdxml, match="control character"):
        write_message(Edoc(CITY, (WARD,), "1", "VP", LETTER.date, "a\x00b"), signer())


VISIBLE = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co", "Zs", "Zl", "Zp", "Cf"])
WORDS = st.text(VISIBLE, min_size=1, max_size=30).map(lambda text: " ".join(text.split())).filter(bool)
TEXT = st.one_of(st.sampled_from(["<b>&amp;</b>", "]]>", "=cmd|'/c calc'!A1", "Số 1 & 2", "tổ 5"]), WORDS).map(
    lambda text: unicodedata.normalize("NFC", text)
)
MAYBE = st.one_of(st.just(""), TEXT)
DATES = st.dates(datetime.date(1990, 1, 1), datetime.date(2100, 1, 1))
TIMES = st.integers(946684800, 4102444800).map(lambda unix: datetime.datetime.fromtimestamp(unix, datetime.UTC))
IDS = st.text(string.ascii_uppercase + string.digits + ".", min_size=1, max_size=20)
ORGANISATIONS = st.builds(Organisation, IDS, TEXT, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE)
STAFF = st.builds(Staff, MAYBE, MAYBE, MAYBE, MAYBE)
BUSINESS = st.one_of(
    st.builds(Business, st.just(BusinessKind.NEW), MAYBE, st.just(""), st.booleans(), STAFF),
    st.builds(
        Business,
        st.sampled_from(list(BusinessKind)[1:]),
        MAYBE,
        TEXT,
        st.booleans(),
        STAFF,
        st.lists(st.builds(Replacement, TEXT, st.lists(IDS, max_size=3).map(tuple)), max_size=2).map(tuple),
    ),
)
EDOCS = st.builds(
    Edoc,
    sender=ORGANISATIONS,
    recipients=st.lists(ORGANISATIONS, min_size=1, max_size=3).map(tuple),
    number=TEXT,
    notation=TEXT,
    date=DATES,
    subject=TEXT,
    place=MAYBE,
    content=MAYBE,
    type_name=MAYBE,
    type_code=st.integers(0, 99),
    signer_name=MAYBE,
    due_date=st.none() | DATES,
    pages=st.integers(0, 500),
    to_places=st.lists(TEXT, max_size=3).map(tuple),
    traces=st.lists(st.builds(Trace, IDS, TIMES), max_size=2).map(tuple),
    business=BUSINESS,
    attachments=st.lists(st.builds(Attachment, TEXT, st.just("application/pdf"), st.binary(), MAYBE), max_size=3).map(
        tuple
    ),
)
STATUSES = st.builds(
    StatusMessage,
    st.builds(ResponseFor, IDS, MAYBE, DATES, TEXT),
    ORGANISATIONS,
    st.sampled_from(StatusCode),
    TIMES,
    MAYBE,
    STAFF,
)


@pytest.mark.long
@settings(deadline=None, max_examples=60)
@given(st.one_of(EDOCS, STATUSES))
def test_every_message_comes_through_unchanged(message):
    assert sent(message) == message
