# SPDX-License-Identifier: Apache-2.0
import io
import zipfile

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.letters import letter as letter_module
from bluezone.letters.files.docx_text import read_docx
from bluezone.letters.letter import Letter
from bluezone.letters.letter_text import LetterTooLarge, LetterUnreadable, LetterWithoutText, Remark, bounded
from bluezone.refusal import Refused


def saved(document) -> bytes:
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def lines(document) -> list[str]:
    return [line for line in read_docx(saved(document)).text.split("\n") if line]


def repacked(data: bytes, **parts: bytes) -> bytes:
    """The package with parts added or replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return target.getvalue()


@pytest.fixture
def letter() -> bytes:
    document = docx.Document()
    document.add_paragraph("Số: 12/KH-UBND")
    return saved(document)


def level(depth: int, form: str, pattern: str) -> str:
    return (
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{pattern}"/></w:lvl>'
    )


NUMBERING = (
    '<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:abstractNum '
    f'w:abstractNumId="0">{level(0, "decimal", "%1.")}{level(1, "lowerLetter", "%2)")}{level(2, "bullet", "x")}'
    f'</w:abstractNum><w:abstractNum w:abstractNumId="1">{level(0, "upperRoman", "%1.")}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    "</w:numbering>"
)


def test_numbers_that_word_counts_by_the_style_of_a_paragraph_are_part_of_the_text():
    document = docx.Document()
    for text in ("Sở Y tế kiểm tra", "Công an tỉnh tuần tra"):
        document.add_paragraph(text, style="List Number")
    document.add_paragraph("tuần tra ban đêm", style="List Bullet")

    assert lines(document) == ["1. Sở Y tế kiểm tra", "2. Công an tỉnh tuần tra", "- tuần tra ban đêm"]


def test_a_style_is_counted_as_the_one_that_it_is_based_on():
    document = docx.Document()
    document.styles.add_style("Việc", WD_STYLE_TYPE.PARAGRAPH).base_style = document.styles["List Number"]
    for text in ("Sở Y tế kiểm tra", "Công an tỉnh tuần tra"):
        document.add_paragraph(text, style="Việc")

    assert lines(document) == ["1. Sở Y tế kiểm tra", "2. Công an tỉnh tuần tra"]


def test_a_table_of_tasks_comes_row_by_row_and_a_head_column_by_column():
    document = docx.Document()
    head = document.add_table(rows=2, cols=2)
    for row, cells in zip(head.rows, (("UBND XÃ", "CỘNG HÒA XÃ HỘI"), ("Số: 1/UBND", "Độc lập - Tự do")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    table = document.add_table(rows=2, cols=3)
    for row, cells in zip(table.rows, (("TT", "Nhiệm vụ", "Chủ trì"), ("1", "Rà soát", "Công an xã")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text

    assert lines(document) == [
        "UBND XÃ", "Số: 1/UBND", "CỘNG HÒA XÃ HỘI",
        "Độc lập - Tự do", "| TT | Nhiệm vụ | Chủ trì |", "| 1 | Rà soát | Công an xã |",
    ]  # fmt: skip


def test_a_run_in_a_font_of_old_is_turned_into_unicode():
    document = docx.Document()
    document.add_paragraph().add_run("Së Y tÕ").font.name = ".VnTime"

    assert lines(document) == ["Sở Y tế"]


def add_numbered(document, text, number, depth):
    paragraph = document.add_paragraph(text)
    properties = OxmlElement("w:numPr")
    for name, value in (("ilvl", depth), ("numId", number)):
        element = OxmlElement(f"w:{name}")
        element.set(qn("w:val"), str(value))
        properties.append(element)
    paragraph._p.get_or_add_pPr().append(properties)


def test_numbers_that_word_counts_are_part_of_the_text():
    document = docx.Document()
    assert document.part.numbering_part is not None
    for text, number, depth in (
        ("MỤC ĐÍCH", 2, 0),
        ("Phòng Y tế", 1, 0),
        ("Báo cáo", 1, 1),
        ("Trực", 1, 2),
        ("Ghi sổ", 1, 1),
        ("TỔ CHỨC", 2, 0),
        ("Trạm Y tế", 1, 0),
        ("Báo cáo", 1, 1),
        ("không có", 9, 0),
    ):
        add_numbered(document, text, number, depth)
    text = read_docx(repacked(saved(document), **{"word/numbering.xml": NUMBERING.encode()})).text

    assert [line for line in text.split("\n") if line] == [
        "I. MỤC ĐÍCH",
        "1. Phòng Y tế",
        "a) Báo cáo",
        "- Trực",
        "b) Ghi sổ",
        "II. TỔ CHỨC",
        "2. Trạm Y tế",
        "a) Báo cáo",
        "không có",
    ]


def test_struck_runs_are_marked_as_a_transcript_marks_them():
    document = docx.Document()
    paragraph = document.add_paragraph("Số: ")
    paragraph.add_run("458").font.strike = True
    paragraph.add_run("/UBND-VP")

    assert lines(document) == ["Số: ~~458~~/UBND-VP"]


def test_deleted_text_of_tracked_changes_is_not_read_and_inserted_text_is():
    document = docx.Document()
    paragraph = document.add_paragraph("Trước ngày ")
    for tag, text_tag, text in (("w:del", "w:delText", "15/8"), ("w:ins", "w:t", "20/8")):
        change, run, content = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(text_tag)
        content.text = text
        run.append(content)
        change.append(run)
        paragraph._p.append(change)

    assert lines(document) == ["Trước ngày 20/8"]


def test_table_cells_stand_one_below_the_other_and_merged_ones_once():
    document = docx.Document()
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "trái và phải"
    table.cell(1, 0).text, table.cell(1, 1).text = "trái", "phải"

    assert lines(document) == ["trái và phải", "trái", "phải"]


def test_macros_links_and_objects_are_noted_and_left_alone(letter):
    link = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" '
        b'Target="http://198.51.100.1/evil.dotm" TargetMode="External"/></Relationships>'
    )
    data = repacked(
        letter,
        **{
            "word/vbaProject.bin": b"macro",
            "word/embeddings/oleObject1.bin": b"object",
            "word/_rels/settings.xml.rels": link,
        },
    )
    found = read_docx(data)

    assert found.remarks == {Remark.MACROS, Remark.EXTERNAL_LINK, Remark.EMBEDDED_FILE}
    assert found.text.startswith("Số: 12/KH-UBND")


@pytest.mark.long
def test_a_zip_bomb_is_refused_by_what_it_would_unpack_to(letter):
    data = repacked(letter, **{"word/media/zeros.bin": bytes(70 * 1024 * 1024)})

    assert len(data) < 200_000
    with pytest.raises(LetterTooLarge):
        Letter(data).read()


@pytest.mark.long
def test_a_zip_bomb_that_lies_about_its_size_is_refused_too(letter):
    data = repacked(letter, **{"word/document.xml": b"<a>" + b" " * (30 * 1024 * 1024) + b"</a>"})
    lying = data.replace((30 * 1024 * 1024 + 7).to_bytes(4, "little"), (1000).to_bytes(4, "little"))

    assert lying != data
    with pytest.raises(Refused):
        Letter(lying).read()


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>'


@pytest.mark.parametrize("part", ["word/document.xml", "_rels/.rels", "word/_rels/document.xml.rels"])
def test_a_part_with_a_document_type_is_refused(letter, part):
    with pytest.raises(LetterUnreadable, match="document type"):
        read_docx(repacked(letter, **{part: ENTITY}))


@pytest.mark.parametrize("data", [b"PK\x03\x04 no archive", b"PK\x05\x06" + bytes(18)])
def test_a_zip_that_is_no_docx_is_refused(data):
    with pytest.raises(LetterUnreadable):
        read_docx(data)


def test_an_empty_document_holds_no_text():
    with pytest.raises(LetterWithoutText):
        bounded(read_docx(saved(docx.Document())))


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_docx_is_read_or_refused(data):
    document = docx.Document()
    document.add_paragraph("Số: 12/KH-UBND")
    whole = saved(document)
    start = data.draw(st.integers(0, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[start + data.draw(st.integers(0, 200)) :]
    try:
        read_docx(damaged)
    except Refused:
        return


def test_plain_text_is_read_in_utf_8_and_utf_16():
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert Letter("Số: 12/KH-UBND".encode(encoding)).read().text == "Số: 12/KH-UBND"


def test_pictures_old_word_files_and_other_bytes_are_told_apart():
    for data, refusal in (
        (b"\xff\xd8\xff\xe0 jpeg", LetterWithoutText),
        (b"\x89PNG\r\n\x1a\n", LetterWithoutText),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", LetterUnreadable),
        (b"\x7fELF\x00\x00", LetterUnreadable),
        (b"   \n", LetterWithoutText),
    ):
        with pytest.raises(refusal):
            Letter(data).read()


def test_a_file_larger_than_any_letter_is_refused_unread(monkeypatch):
    monkeypatch.setattr(letter_module, "LARGEST_READ", 10)
    with pytest.raises(LetterTooLarge):
        Letter(b"a" * 11).read()


@pytest.mark.long
@pytest.mark.parametrize(
    ("start", "form", "label"),
    [
        ("3", "decimal", "3."),
        ("1", "lowerLetter", "a."),
        ("26", "upperLetter", "Z."),
        ("27", "lowerLetter", "27."),
        ("0", "lowerLetter", "0."),
        ("4", "lowerRoman", "iv."),
        ("1949", "upperRoman", "MCMXLIX."),
        ("3999", "upperRoman", "MMMCMXCIX."),
        ("4000", "upperRoman", "4000."),
        ("0", "upperRoman", "0."),
        ("99999", "decimal", "99999."),
        ("100000", "decimal", ""),
        ("x", "decimal", ""),
        ("1", "none", "."),
    ],
)
def test_a_number_is_written_as_word_writes_it(start, form, label):
    document = docx.Document()
    assert document.part.numbering_part is not None
    add_numbered(document, "Phòng Y tế", 1, 0)
    add_numbered(document, "Trạm Y tế", 1, 0)
    changed = level(0, form, "%1.").replace('w:start w:val="1"', f'w:start w:val="{start}"')
    numbering = NUMBERING.replace(level(0, "decimal", "%1."), changed)
    read = Letter(repacked(saved(document), **{"word/numbering.xml": numbering.encode()})).read().text

    assert next(line for line in read.split("\n") if line) == f"{label} Phòng Y tế".strip()


def test_points_in_a_cell_of_a_table_are_told_apart_and_lines_that_wrap_are_not():
    table = (document := docx.Document()).add_table(2, 3)
    for cell, text in zip(
        table.rows[1].cells, ["1", "Rà soát hộ\n- Lập danh sách.\n- Báo cáo", "Trạm\ny tế"], strict=True
    ):
        cell.text = text.split("\n")[0]
        for line in text.split("\n")[1:]:
            cell.add_paragraph(line)

    assert lines(document)[-1] == "| 1 | Rà soát hộ; - Lập danh sách. - Báo cáo | Trạm y tế |"
