# SPDX-License-Identifier: Apache-2.0
import io
import tracemalloc
import zipfile
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders.hpke import point
from tests.builders.protocol import EXPORT_KEY, make_export

from bluezone.protocol.exports.columns import MOST_FIELDS_PER_KEY
from bluezone.protocol.exports.files import (
    MAX_EXPORT_BYTES,
    ExportTooLarge,
    InvalidExport,
    SignatureInfo,
    read_export,
    verify_export,
)
from bluezone.protocol.exports.wire import (
    MOST_FIELDS,
    delimited_field,
    encode_varint,
    fixed64_field,
    number_field,
    signature_info_bytes,
)
from bluezone.protocol.exports.writer import HEADER
from bluezone.protocol.kernel import CHOICE_VARIABLE, PROCESSORS
from bluezone.protocol.keys import DiagnosisKey
from bluezone.protocol.primitives import read_p256_pem

KEY = bytes(range(16))


def bare(*fields):
    return HEADER + b"".join(fields)


def key_field(*fields, number=7):
    return delimited_field(number, b"".join(fields))


def zipped(compression=zipfile.ZIP_DEFLATED, **members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return target.getvalue()


def signature(content, number=1):
    return delimited_field(number, number_field(2, 1) + number_field(3, 1) + delimited_field(4, content))


@pytest.fixture
def example(shared):
    folder = shared / "data" / "exports"
    public_key = read_p256_pem((folder / "google-server-example.pem").read_text())
    return (folder / "google-server-example.zip").read_bytes(), public_key


def test_the_reference_servers_example_verifies_with_its_key(example):
    data, public_key = example
    read = read_export(data)

    assert verify_export(read, public_key) == "verified"
    assert [key.transmission_risk_level for key in read.keys] == [8, 1]
    assert verify_export(read, EXPORT_KEY) == "invalid"


def test_the_reference_servers_example_with_any_bit_flipped_does_not_verify(example):
    data, public_key = example
    read = read_export(data)
    for position in range(len(HEADER), len(read.export_bin)):
        flipped = bytearray(read.export_bin)
        flipped[position] ^= 1
        with suppress(InvalidExport):
            changed = read_export(zipped(export_bin=bytes(flipped), export_sig=signature(read.signatures[0])))
            assert verify_export(changed, public_key) == "invalid"


def test_an_empty_export_is_an_export():
    read = read_export(bare())

    assert (read.keys, read.revised_keys, read.signature_infos, read.region) == ((), (), (), "")
    assert (read.start_timestamp, read.end_timestamp, read.batch_num, read.batch_size) == (0, 0, 0, 0)


def test_the_fields_may_come_in_any_order_with_unknown_ones_between():
    unknown = delimited_field(99, b"later") + number_field(100, 2**63) + fixed64_field(101, 1) + b"\xb5\x06abcd"
    key = key_field(
        unknown,
        number_field(4, 77),
        number_field(3, 2649980),
        delimited_field(1, KEY),
        unknown,
        number_field(6, 2**32 - 1),
    )
    read = read_export(bare(key, unknown, number_field(5, 2), fixed64_field(2, 20), delimited_field(3, b"VN"), key))

    assert read.keys == (DiagnosisKey(KEY, 2649980, 77, None, -(2**31), None),) * 2
    assert (read.region, read.end_timestamp, read.batch_size) == ("VN", 20, 2)


@pytest.mark.parametrize(("sent", "days"), [(0, 0), (1, -1), (2, 1), (13, -7), (14, 7), (28, 14), (27, -14)])
def test_days_since_onset_are_zigzag(sent, days):
    read = read_export(bare(key_field(delimited_field(1, KEY), number_field(6, sent))))

    assert read.keys[0].days_since_onset == days


def test_what_a_key_does_not_say_is_none_and_its_period_a_day():
    assert read_export(bare(key_field(delimited_field(1, KEY)))).keys == (DiagnosisKey(KEY, 0, 144, None, None, None),)


def test_odd_numbers_are_kept_as_they_are():
    odd = [(0, 0), (-5, -1), (2**31 - 1, 1440)]
    fields = [
        key_field(delimited_field(1, KEY), number_field(3, start % 2**64), number_field(4, period % 2**64))
        for start, period in odd
    ]
    read = read_export(bare(*fields))

    assert [(key.start, key.period) for key in read.keys] == odd


def test_revised_keys_are_kept_apart():
    first, second = delimited_field(1, KEY), delimited_field(1, KEY[::-1])
    read = read_export(bare(key_field(second, number=8), key_field(first), key_field(second, number=8)))

    assert [key.key for key in read.keys] == [KEY]
    assert [key.key for key in read.revised_keys] == [KEY[::-1]] * 2


@pytest.mark.parametrize("number", [7, 8])
def test_keys_under_a_tag_longer_than_it_has_to_be_are_refused_and_not_passed_over(number):
    written = key_field(delimited_field(1, KEY), number=number)
    assert written[0] == number << 3 | 2
    with pytest.raises(InvalidExport, match="tag that no server writes"):
        read_export(bare(bytes([written[0] | 0x80, 0]) + written[1:]))


def test_the_last_of_a_repeated_field_counts():
    read = read_export(
        bare(key_field(delimited_field(1, bytes(16)), delimited_field(1, KEY), number_field(3, 1), number_field(3, 2)))
    )

    assert (read.keys[0].key, read.keys[0].start) == (KEY, 2)


def test_signature_infos_may_be_empty_partial_or_many():
    infos = [
        b"",
        signature_info_bytes(SignatureInfo("262", "v1")),
        delimited_field(1, b"de.rki.app") + delimited_field(9, b"new"),
    ]
    read = read_export(bare(*(delimited_field(6, info) for info in infos)))

    assert read.signature_infos == (SignatureInfo("", "", ""), SignatureInfo("262", "v1"), SignatureInfo("", "", ""))


def test_an_export_without_signature_is_read_and_says_so():
    for data in (bare(), zipped(export_bin=bare()), zipped(export_bin=bare(), export_sig=b"")):
        assert verify_export(read_export(data), EXPORT_KEY) == "absent"


def test_one_good_signature_among_several_is_enough():
    good = read_export(make_export()).signatures[0]
    data = zipped(
        export_bin=read_export(make_export()).export_bin,
        export_sig=signature(b"not DER") + signature(b"") + signature(good) + signature(good, number=5),
    )

    assert verify_export(read_export(data), EXPORT_KEY) == "verified"
    assert verify_export(read_export(data), point(ec.generate_private_key(ec.SECP256R1()).public_key())) == "invalid"


def test_many_keys_keep_their_order():
    count = 1000
    fields = b"".join(key_field(delimited_field(1, i.to_bytes(16, "big")), number_field(3, i)) for i in range(count))
    columns = read_export(bare(fields)).columns

    assert columns.starts.tolist() == list(range(count))
    assert columns.key(count - 1) == (count - 1).to_bytes(16, "big")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"EK Export v2    ",
        HEADER[:-1],
        b"PK\x03\x04",
        bare(b"\x3a"),
        bare(b"\x3a\x80"),
        bare(key_field(delimited_field(1, KEY))[:-1]),
        bare(key_field(delimited_field(1, KEY[:-1]))),
        bare(key_field(delimited_field(1, KEY + b"!"))),
        bare(key_field(delimited_field(1, KEY[:-1]), number_field(3, 2649980))),
        bare(key_field(number_field(3, 2**60), number_field(4, 2**60))),
        bare(key_field(delimited_field(1, KEY), b"\x1a")),
        bare(key_field(delimited_field(1, KEY), b"\x1a\x05ab")),
        bare(key_field(delimited_field(1, KEY), b"\x12" + encode_varint(2**63))),
        bare(key_field(delimited_field(1, KEY), b"\x18" + b"\x80" * 10 + b"\x01")),
        bare(key_field(delimited_field(1, KEY), b"\x0b")),
        bare(key_field(delimited_field(1, KEY), b"\x00\x00")),
        bare(key_field(delimited_field(1, KEY), b"\x09abc")),
        bare(key_field(delimited_field(1, KEY), *[number_field(3, 1)] * MOST_FIELDS_PER_KEY)),
        bare(number_field(4, 1) * (MOST_FIELDS + 1)),
        bare(delimited_field(6, number_field(9, 1) * (MOST_FIELDS + 1))),
        bare(b"\xba\x00" + key_field(delimited_field(1, KEY))[1:]),
        bare(b"\x0b"),
        bare(b"\x00"),
        bare(b"\x09abc"),
        zipped(export_sig=b""),
        zipped(export_bin=b"nothing"),
        zipped(export_bin=bare(), export_sig=b"\x0a\x05"),
        zipped(export_bin=bare(), export_sig=signature(b"x") * 65),
        zipped(zipfile.ZIP_BZIP2, export_bin=bare()),
        zipped(zipfile.ZIP_LZMA, export_bin=bare()),
    ],
)
def test_what_is_no_export_is_refused(data):
    with pytest.raises(InvalidExport) as refusal:
        read_export(data)

    assert refusal.value.code == "export_invalid"


def test_an_export_cut_off_anywhere_is_refused():
    data = make_export(count=3)
    for length in range(len(data)):
        with pytest.raises(InvalidExport):
            read_export(data[:length])


def test_a_zip_that_unpacks_to_more_than_any_export_is_refused_unopened():
    bomb = zipped(export_bin=bytes(MAX_EXPORT_BYTES + 1))

    assert len(bomb) < 100_000
    with pytest.raises(ExportTooLarge) as refusal:
        read_export(bomb)
    assert refusal.value.code == "export_too_large"


def test_a_zip_that_lies_about_its_size_is_not_inflated():
    bomb = zipped(export_bin=bare() + bytes(MAX_EXPORT_BYTES))
    lying = bomb.replace((MAX_EXPORT_BYTES + len(HEADER)).to_bytes(4, "little"), (1000).to_bytes(4, "little"))

    assert lying != bomb
    tracemalloc.start()
    with pytest.raises(InvalidExport):
        read_export(lying)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < MAX_EXPORT_BYTES // 8


def test_an_encrypted_zip_is_refused():
    one = bytearray(zipped(export_bin=bare()))
    local_flags, directory_flags = 6, one.index(b"PK\x01\x02") + 8
    one[local_flags] |= 1
    one[directory_flags] |= 1
    with pytest.raises(InvalidExport):
        read_export(bytes(one))


def test_a_zip_with_a_huge_directory_is_refused():
    with pytest.raises(ExportTooLarge):
        read_export(zipped(**{f"file{number}": b"" for number in range(2000)}))


def test_a_file_beyond_the_bound_is_refused():
    with pytest.raises(ExportTooLarge):
        read_export(HEADER + bytes(MAX_EXPORT_BYTES))


def test_a_zip_with_two_exports_is_refused():
    one = zipped(export_bin=bare(), export_bim=bare())
    with pytest.raises(InvalidExport):
        read_export(one.replace(b"export.bim", b"export.bin"))


EXPORT = make_export(count=5)
EXPORT_BIN = read_export(EXPORT).export_bin


@pytest.mark.long
@settings(max_examples=300)
@given(st.data(), st.sampled_from([EXPORT, EXPORT_BIN]))
def test_a_damaged_export_is_read_or_refused_and_nothing_else(data, valid):
    changed = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(changed)))
        removed = data.draw(st.integers(0, 3))
        changed[position : position + removed] = data.draw(st.binary(max_size=4))
    with suppress(InvalidExport):
        read_export(bytes(changed)).keys  # noqa: B018  made when asked for


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_after_the_header_are_read_or_refused_and_nothing_else(content):
    with suppress(InvalidExport):
        read_export(HEADER + content)
    with suppress(InvalidExport):
        read_export(bare(key_field(delimited_field(1, KEY), content)))


def read_or_refused(data):
    try:
        read = read_export(data)
    except InvalidExport as refused:
        return refused.code
    return read.columns, read.revised_columns


@pytest.mark.long
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_native_reader_and_python_read_every_file_the_same_or_refuse_it_the_same(monkeypatch, data):
    numbers = st.sampled_from([0, 1, 144, 2**31 - 1, 2**31, 2**32 - 1, 2**35, 2**64 - 1]) | st.integers(0, 2**22)
    field = (
        st.builds(number_field, st.integers(2, 6), numbers)
        | st.just(delimited_field(1, KEY))
        | st.just(fixed64_field(9, 7))
    )
    key = st.builds(
        lambda fields, number: key_field(*fields, number=number), st.lists(field, max_size=8), st.integers(6, 8)
    )
    whole = st.builds(lambda fields: key_field(delimited_field(1, KEY), *fields), st.lists(field, max_size=3))
    content = bytearray(bare(*data.draw(st.lists(whole | key, max_size=6))))
    for position in data.draw(st.lists(st.integers(len(HEADER), max(len(content) - 1, len(HEADER))), max_size=2)):
        if position < len(content):
            content[position] ^= 1 << data.draw(st.integers(0, 7))

    answers = []
    for way in ("python", *PROCESSORS[:1]):
        monkeypatch.setenv(CHOICE_VARIABLE, way)
        answers.append(read_or_refused(bytes(content)))
    assert answers[0] == answers[-1]


@pytest.mark.parametrize(("count", "read"), [(64, True), (65, False)])
def test_an_export_has_sixty_four_signatures_at_most(count, read):
    good = read_export(make_export())
    signed = signature(good.signatures[0]) * count
    try:
        assert len(read_export(zipped(export_bin=good.export_bin, export_sig=signed)).signatures) == count
    except InvalidExport:
        assert not read
    else:
        assert read
