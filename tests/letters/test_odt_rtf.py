# SPDX-License-Identifier: Apache-2.0
"""Letters saved as ODT or RTF: read as those saved as DOCX are."""

import io
import shutil
import subprocess
import zipfile

import pytest
from bench import bench_letters
from bench.letters.corpus import read_letters
from bench.letters.rendering import as_docx

from bluezone.letters.files.odt_text import read_odt
from bluezone.letters.files.rtf_text import read_rtf
from bluezone.letters.letter import FileTypeRefused, Letter
from bluezone.letters.letter_text import LetterUnreadable, Remark
from bluezone.letters.reader import propose

SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in {"o": "office", "t": "text", "s": "style", "b": "table"}.items()
)


def odt(text: str, styles: str = "", **parts: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.text", zipfile.ZIP_STORED)
        package.writestr(
            "content.xml",
            f"<o:document-content {SPACES}><o:automatic-styles>{styles}</o:automatic-styles><o:body><o:text>{text}"
            "</o:text></o:body></o:document-content>",
        )
        for name, content in parts.items():
            package.writestr(name, content)
    return target.getvalue()


def shown(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


NUMBERS = (
    '<t:list-style s:name="L"><t:list-level-style-number t:level="1" s:num-format="1" s:num-suffix="."/>'
    '<t:list-level-style-number t:level="2" s:num-format="a" s:num-suffix=")"/>'
    '<t:list-level-style-bullet t:level="3"/></t:list-style>'
)


def test_the_numbers_of_an_odts_lists_are_counted_on_as_the_page_shows_them():
    text = (
        '<t:list t:style-name="L"><t:list-item><t:p>Sở Y tế</t:p><t:list><t:list-item><t:p>rà soát</t:p></t:list-item>'
        "<t:list-item><t:p>báo cáo</t:p></t:list-item></t:list></t:list-item></t:list><t:p>Lời dẫn</t:p>"
        '<t:list t:style-name="L" t:continue-numbering="true"><t:list-item><t:p>Công an</t:p></t:list-item></t:list>'
        '<t:list t:style-name="L"><t:list-item><t:p>từ đầu</t:p></t:list-item></t:list>'
    )
    assert shown(read_odt(odt(text, NUMBERS)).text) == [
        "1. Sở Y tế", "a) rà soát", "b) báo cáo", "Lời dẫn", "2. Công an", "1. từ đầu",
    ]  # fmt: skip


def test_an_odts_blanks_tabs_breaks_and_struck_words_are_kept_and_its_notes_left_out():
    text = (
        '<t:tracked-changes><t:p>xóa</t:p></t:tracked-changes><t:p>Số:<t:s t:c="4"/>/UBND<t:tab/>ngày '
        '<t:span t:style-name="T">07</t:span> tháng 8<t:line-break/>V/v<t:note><t:p>ghi chú</t:p></t:note></t:p>'
    )
    struck = '<s:style s:name="T"><s:text-properties s:text-line-through-style="solid"/></s:style>'
    assert shown(read_odt(odt(text, struck)).text) == ["Số:    /UBND\tngày ~~07~~ tháng 8", "V/v"]


def test_the_tables_of_an_odt_are_read_row_by_row():
    row = "<b:table-row><b:table-cell><t:p>{}</t:p></b:table-cell><b:table-cell><t:p>{}</t:p></b:table-cell><b:table-cell/></b:table-row>"  # noqa: E501
    text = f"<b:table>{row.format('TT', 'Nhiệm vụ')}{row.format('1', 'Rà soát')}</b:table>"
    assert shown(read_odt(odt(text)).text) == ["| TT | Nhiệm vụ |  |", "| 1 | Rà soát |  |"]


def test_an_odt_with_macros_is_read_and_says_so_and_is_not_kept():
    letter = Letter(odt("<t:p>Kính gửi</t:p>", **{"Basic/Standard/Module1.xml": "<a/>"}))

    assert Remark.MACROS in letter.read().remarks
    assert letter.is_read_only
    with pytest.raises(FileTypeRefused):
        letter.check()


def test_rtf_in_unicode_and_in_the_code_page_of_its_font_is_read():
    data = (
        rb"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\fcharset0 Times;}{\f1\fcharset163 Times;}}{\info{\title x}}"
        rb"\pard\f0 S\u7889?: 458/UBND-VP\par {\strike ng\u224\'e0y} 07\line d\'f2ng\par"
        rb"\f1 \'ea\'f0 {\*\bkmkstart a}{\field{\*\fldinst HYPERLINK x}{\fldrslt li\u234?n k\u7871?t}}{\v kh}\par}"
    )
    assert shown(read_rtf(data).text) == [
        "Số: 458/UBND-VP", "~~ngày~~ 07", "dòng", "êđ liên kết",
    ]  # fmt: skip


def test_rtfs_tables_and_the_numbers_that_word_wrote_are_read():
    data = (
        rb"{\rtf1 \pard d\par\trowd\cellx1\cellx2\cellx3\pard\intbl TT\cell Nhi\u7879?m v\u7909?\cell h\u7841?n\cell"
        rb"\row\pard\intbl 1\cell a\par b\cell c\cell\row\pard{\listtext\pard 2.\tab}S\u7903? Y t\u7871?\par}"
    )
    assert shown(read_rtf(data).text) == ["d", "| TT | Nhiệm vụ | hạn |", "| 1 | a b | c |", "2. Sở Y tế"]


def test_rtf_that_is_nested_without_end_is_refused():
    with pytest.raises(LetterUnreadable):
        read_rtf(b"{\\rtf1 " + b"{" * 100_000)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is missing")
@pytest.mark.parametrize("form", ["odt", "rtf"])
def test_letters_saved_by_libreoffice_are_read_as_well_as_their_docx(tmp_path, form):
    chosen = list(read_letters())[::9]
    for letter in chosen:
        (tmp_path / f"{letter.name}.docx").write_bytes(as_docx(letter))
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", form,
         "--outdir", str(tmp_path), *(str(tmp_path / f"{letter.name}.docx") for letter in chosen)],
        check=True, capture_output=True,
    )  # fmt: skip
    whole, wrongs = bench_letters.Score(), list[str]()
    for letter in chosen:
        read = Letter((tmp_path / f"{letter.name}.{form}").read_bytes()).read()
        assert read.format == form
        score, wrong = bench_letters.compare(letter, propose(read.text))
        whole.take(score)
        wrongs += [f"{letter.name}: {line}" for line in wrong]
    assert whole.share() >= bench_letters.ASKED["docx"], wrongs
    assert whole.invented == 0, wrongs
