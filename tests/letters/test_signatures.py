# SPDX-License-Identifier: Apache-2.0
"""Who signs a letter: names, positions and authorities as they stand below the body."""

import pytest
from tests.letters.letters import lines_of

from bluezone.letters.proposal import Confidence
from bluezone.letters.signatures import is_signature_line, read_signers


def signers(*lines):
    return [
        (
            [f"{line.authority}. {line.of}".strip() for line in one.value.authorities],
            one.value.position,
            one.value.name,
            one.confidence,
        )
        for one in read_signers(lines_of("\n".join(lines)))
    ]


@pytest.mark.parametrize(
    ("line", "opens"),
    [
        ("CHỦ TỊCH", True),
        ("PHÓ CHỦ TỊCh", True),
        ("CHỦ TỊch", False),
        ("Chủ tịch", False),
        ("TM. ỦY BAN NHÂN DÂN", True),
        ("KT. CHỦ TỊCH", True),
        ("CHỦ TỊCH " + "A" * 51, True),
        ("CHỦ TỊCH " + "A" * 52, False),
        ("12 / 7", False),
        ("", False),
    ],
)
def test_an_authority_or_a_position_in_capitals_opens_a_signature(line, opens):
    assert is_signature_line(lines_of(line)[0]) is opens


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Lê Văn Bình", "Lê Văn Bình"),
        ("BS. Lê Văn Bình", "Lê Văn Bình"),
        ("LÊ VĂN BÌNH", "LÊ VĂN BÌNH"),
        ("LÊ BÌNH", None),
        ("Lê", None),
        ("(Đã ký)", None),
        ("lê văn bình", None),
    ],
)
def test_below_a_position_stands_a_name(written, name):
    (signer,) = signers("CHỦ TỊCH", "", written)

    assert signer == ([], "CHỦ TỊCH", name, Confidence.HIGH if name else Confidence.LOW)


def test_a_signature_is_whole_with_authority_position_and_name_and_the_last_name_counts():
    assert signers("TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "Nguyen Van Ky", "Nguyễn Văn Ký") == [
        (["TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH"], "PHÓ CHỦ TỊCH", "Nguyễn Văn Ký", Confidence.HIGH)
    ]
    assert signers("TM. ỦY BAN NHÂN DÂN", "PHƯỜNG SÔNG CẦU, TỈNH BẮC KẠN", "CHỦ TỊCH", "Lê Văn Bình")[0][0] == [
        "TM. ỦY BAN NHÂN DÂN PHƯỜNG SÔNG CẦU, TỈNH BẮC KẠN"
    ]
    assert signers("Lê Văn Bình", "không ai") == []


def test_two_sign_side_by_side_or_one_below_the_other():
    beside = signers("PHÓ BÍ THƯ" + " " * 10 + "PHÓ GIÁM ĐỐC", "Hoàng Văn Sơn" + " " * 10 + "Nông Thị Lan")
    below = signers("PHÓ BÍ THƯ", "Hoàng Văn Sơn", "PHÓ GIÁM ĐỐC", "Nông Thị Lan")

    assert (
        [one[1:3] for one in beside]
        == [one[1:3] for one in below]
        == [
            ("PHÓ BÍ THƯ", "Hoàng Văn Sơn"),
            ("PHÓ GIÁM ĐỐC", "Nông Thị Lan"),
        ]
    )
