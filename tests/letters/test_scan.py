# SPDX-License-Identifier: Apache-2.0
"""Scans and documents of old Word: read by programs of the system in a confined process, or said to be unread."""

import io
import itertools
import shutil
import subprocess
import zlib

import numpy as np
import pytest
from bench import bench_letters
from bench.letters.corpus import read_letters
from bench.letters.rendering import as_scan
from PIL import Image, ImageDraw

from bluezone.letters import letter as letters
from bluezone.letters.files.confinement import ScanPage, draw_scan_page
from bluezone.letters.files.scan import Word, in_cells, lay_out, stacked, with_white_paper, without_ink, words_of
from bluezone.letters.files.scan_numbers import renumbered
from bluezone.letters.letter import Letter, Scan, can_read_scans
from bluezone.letters.letter_text import LetterTooLarge, LetterUnreadable, OldWordUnread
from bluezone.letters.reader import propose
from bluezone.refusal import Refused

needs_tesseract = pytest.mark.skipif(not can_read_scans(), reason=f"{letters.SCAN_PACKAGES} are not installed")


@pytest.fixture
def patience(monkeypatch):
    """No wall clock is a judge here: a busy machine may take its time."""
    monkeypatch.setattr(letters, "LONGEST_WAIT_SECONDS", 300.0)


@needs_tesseract
@pytest.mark.long
def test_a_stamped_and_slanted_scan_is_read_and_each_field_is_found_on_its_page(patience):
    letter = next(read_letters())
    scan = Letter(as_scan(letter)).read_scan()
    read = propose(scan.text)
    score, wrong = bench_letters.compare(letter, read, by_ear=True)

    assert score.share() >= bench_letters.ASKED["scan"], wrong
    assert score.invented == 0
    page, x0, y0, x1, y1 = scan.place_of(letter.subject)
    assert page == 0
    assert 0 < x0 < x1 < 0.5, "the subject stands in the left column of the head"
    assert 0 < y0 < y1 < 0.35


@needs_tesseract
@pytest.mark.slow
def test_some_scans_of_each_kind_are_read_as_well_as_is_asked(patience):
    chosen = itertools.islice(read_letters(), 0, None, bench_letters.SCANNED)
    score, _ = bench_letters.judge(chosen, "scan", lambda line: None)

    assert score.share() >= bench_letters.ASKED["scan"]
    assert score.invented == 0


@pytest.mark.long
def test_a_scan_has_its_picture_where_nothing_can_read_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    picture = png(40, 60)

    assert Letter(picture).read_scan() == Scan(1, (), missing=True)
    assert Image.open(io.BytesIO(draw_scan_page(picture, 0))).size == (40, 60)
    with pytest.raises(LetterUnreadable):
        draw_scan_page(picture, 7)


def printed(ink=None, *, background=246):
    """A page of noisy paper with five words' worth of black bars, and, over the middle one, a stroke of ink."""
    noise = np.random.default_rng(1).normal(background, 4, (400, 300, 1))
    dots = np.repeat(np.clip(noise, 0, 255), 3, axis=2).astype(np.uint8)
    page = Image.fromarray(dots)
    draw = ImageDraw.Draw(page, "RGBA")
    for row in range(5):
        draw.rectangle((40, 100 + 30 * row, 70, 104 + 30 * row), fill=(10, 10, 10, 255))
    if ink:
        draw.rectangle((50, 140, 60, 200), fill=(*ink, 200))
    return page


@pytest.mark.parametrize("ink", [(200, 30, 40), (20, 40, 150)], ids=["a red stamp", "a blue pen"])
def test_print_below_ink_stays_and_the_ink_goes(ink):
    dots = np.asarray(without_ink(printed(ink)), np.int16)

    assert np.median(dots[170:180, 52:58]) > 220, "ink on paper is as paper"
    assert np.median(dots[160:164, 52:58]) < 130, "print below it is dark"
    assert np.median(dots[160:164, 62:69]) < 20, "print beside it is as it was"


def test_a_page_of_few_words_keeps_them_and_loses_the_grain_of_its_paper():
    dots = np.asarray(with_white_paper(printed().convert("L")), np.int16)

    assert np.median(dots[160:164, 42:69]) < 20
    assert np.percentile(dots[250:], 1) > 230


def table(*lines):
    """What Tesseract says of lines of words and how sure it is of each."""
    rows = [
        f"5\t1\t1\t1\t{line}\t{place}\t{60 * place}\t{40 * line}\t50\t20\t{sure}\t{word}"
        for line, words in enumerate(lines, 1)
        for place, (word, sure) in enumerate(words, 1)
    ]
    return "\n".join(["level\tpage", *rows])


def test_a_guessed_word_stands_in_a_line_that_was_read_and_a_stain_nowhere():
    words = words_of(table([("Giao", 95), ("Trạn", 12), ("Y", 90), ("tế", 91)], [("~:", 11), ("lÍ", 20)]))

    assert [word.text for word in words] == ["Giao", "Trạn", "Y", "tế"]


def test_a_paragraph_runs_over_the_end_of_a_page():
    pages = (["Giao Trung tâm Y tế chủ trì, phối hợp với các", ""], ["đơn vị thực hiện.", "2. Báo cáo."])
    text = Scan(2, tuple(ScanPage(lines, []) for lines in pages)).text

    assert text.split("\n") == ["Giao Trung tâm Y tế chủ trì, phối hợp với các đơn vị thực hiện.", "", "2. Báo cáo."]


def png(width, height):
    target = io.BytesIO()
    page = Image.new("L", (width, height), 255)
    ImageDraw.Draw(page).line((0, 0, width, height))
    page.save(target, "PNG")
    return target.getvalue()


def bomb():
    """A PNG of 60,000 by 60,000 dots in a few kilobytes of its beginning."""
    head = (60_000).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(4_000_000))), (b"IEND", b"")]
    chunks = [
        len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big") for name, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.long
@pytest.mark.parametrize("data", [bomb(), b"\xff\xd8\xff" + bytes(300), b"II*\0" + bytes(40), b"%PDF-1.7 broken"])
def test_a_hostile_picture_is_refused_and_read_as_nothing(data):
    with pytest.raises((LetterUnreadable, LetterTooLarge)):
        draw_scan_page(data, 0)
    assert not Letter(data).read_scan().read


def old_word(tmp_path, text):
    """A .doc as LibreOffice writes it."""
    (tmp_path / "a.txt").write_text(text, "utf-8")
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "doc:MS Word 97",
         "--outdir", str(tmp_path), "--infilter=Text (encoded):UTF8", str(tmp_path / "a.txt")],
        check=True, capture_output=True,
    )  # fmt: skip
    return (tmp_path / "a.doc").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("antiword") and shutil.which("soffice")), reason="antiword, LibreOffice missing")
def test_a_document_of_old_word_is_read(tmp_path):
    letter = next(read_letters())
    read = propose(Letter(old_word(tmp_path, bench_letters.as_text(letter))).read().text)

    assert bench_letters.compare(letter, read)[0].share() >= 90


def test_what_only_begins_as_a_document_of_old_word_is_refused():
    with pytest.raises(OldWordUnread):
        Letter(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)).read()


def test_a_scan_that_says_nothing_is_no_letter():
    with pytest.raises(Refused):
        propose(Scan(1, ()).text)


def test_a_number_that_lost_a_stroke_or_its_dot_is_mended_by_the_order_of_numbers():
    lines = ["V/v rét", "I. ĐẦU", "II VIỆC", "1. Một", "2 Sở", "12 Con trâu", "II. ĐỢT HAI", "V. ĐỢT BA", "2 con"]
    mended = ["V/v rét", "I. ĐẦU", "II. VIỆC", "1. Một", "2. Sở", "12 Con trâu", "III. ĐỢT HAI", "IV. ĐỢT BA", "2 con"]

    assert renumbered(lines) == mended
    assert renumbered(["I. A", "II. B", "I. C"]) == ["I. A", "II. B", "I. C"], "an annex begins anew"


def test_cells_are_read_one_below_the_other_and_put_back_to_their_places():
    page = Image.new("L", (400, 300), 255)
    draw = ImageDraw.Draw(page)
    draw.rectangle((110, 60, 150, 70), fill=0)
    draw.rectangle((310, 90, 330, 98), fill=0)
    cells = [(10, 50, 90, 120), (100, 50, 190, 120), (300, 50, 390, 120)]
    sheet, places = stacked(page, cells)
    rows, columns = np.nonzero(np.asarray(sheet) == 0)
    first, second = rows < places[1][0], rows >= places[1][0]
    found = [
        Word(name, columns[its].min(), rows[its].min(), columns[its].max(), rows[its].max())
        for name, its in (("one", first), ("two", second))
    ]

    assert [box for _, box in places] == cells[1:], "an empty cell is not read"
    assert list(in_cells(found, places)) == [Word("one", 110, 60, 150, 70), Word("two", 310, 90, 330, 98)]


def lined(*lines, left=200, usual=30):
    """Words 20 dots apart; "~" is a gap in which two were lost, "|" one in which the half of one was."""
    words = []
    for row, line in enumerate(lines):
        at = left
        for word in line.split():
            if word not in "~|":
                words.append(Word(word, at, 100 + 50 * row, at + 100, 100 + 50 * row + usual))
            at += 35 if word == "|" else 120
    return words


def test_a_word_lost_within_a_line_opens_no_column_and_one_beside_a_signature_does():
    text = ["Sở Y tế chủ trì phối hợp với", "các đơn vị ~ rà soát ~ lập", "kế hoạch và báo cáo kết quả ngay"]
    read = lay_out(lined(*text), 2339, [])["lines"]
    assert [line for line in read if line] == [
        "Sở Y tế chủ trì phối hợp với các đơn vị rà soát lập kế hoạch và báo cáo kết quả ngay"
    ]

    foot = lay_out(lined(*text, "Nơi nhận: ~ ~ ~ ~ GIÁM ĐỐC"), 2339, [])["lines"]
    assert [line for line in foot if line][1:] == ["Nơi nhận:", "GIÁM ĐỐC"]

    ends = lay_out(lined(*text, "mỗi ngày | hằng quý.", "Nơi nhận: ~ ~ ~ ~ GIÁM ĐỐC"), 2339, [])["lines"]
    assert [line.endswith("kết quả ngay mỗi ngày hằng quý.") for line in ends if line] == [True, False, False]
