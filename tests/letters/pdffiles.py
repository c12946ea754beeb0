# SPDX-License-Identifier: Apache-2.0
"""PDFs with a Vietnamese text layer, made without a font: each letter is its own code, named by a ToUnicode map."""

import io

from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)


def _dictionary(**entries) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in entries.items()})


def _stream(text: str) -> DecodedStreamObject:
    stream = DecodedStreamObject()
    stream.set_data(text.encode())
    return stream


def _font(writer: PdfWriter, text: str):
    codes = "\n".join(f"<{ord(sign):04X}> <{ord(sign):04X}>" for sign in sorted(set(text)) if ord(sign) < 0x10000)
    count = len(codes.splitlines())
    mapping = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        f"{count} beginbfchar\n{codes}\nendbfchar\nendcmap end end"
    )
    descendant = _dictionary(
        Type=NameObject("/Font"),
        Subtype=NameObject("/CIDFontType2"),
        BaseFont=NameObject("/Sample"),
        CIDSystemInfo=_dictionary(
            Registry=TextStringObject("Adobe"), Ordering=TextStringObject("Identity"), Supplement=NumberObject(0)
        ),
        DW=NumberObject(600),
    )
    return writer._add_object(
        _dictionary(
            Type=NameObject("/Font"),
            Subtype=NameObject("/Type0"),
            BaseFont=NameObject("/Sample"),
            Encoding=NameObject("/Identity-H"),
            DescendantFonts=ArrayObject([writer._add_object(descendant)]),
            ToUnicode=writer._add_object(_stream(mapping)),
        )
    )


def pdf_writer(text: str, lines_per_page: int = 60) -> PdfWriter:
    """A PDF that shows the text in a font of one width, line by line, blanks as in the text."""
    writer = PdfWriter()
    font = _font(writer, text)
    lines = text.split("\n")
    for first in range(0, len(lines), lines_per_page):
        page = writer.add_blank_page(612, 842)
        page[NameObject("/Resources")] = _dictionary(Font=_dictionary(F1=font))
        shown = "BT /F1 8 Tf 12 TL 20 800 Td\n"
        for line in lines[first : first + lines_per_page]:
            shown += f"<{line.encode('utf-16-be').hex()}> Tj T*\n"
        page[NameObject("/Contents")] = writer._add_object(_stream(f"{shown}ET"))
    return writer


def written(writer: PdfWriter) -> bytes:
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def with_launch_action(writer: PdfWriter) -> PdfWriter:
    """The same PDF with a place on its first page that would start a program."""
    action = _dictionary(S=NameObject("/Launch"), F=TextStringObject("calc.exe"))
    link = _dictionary(
        Type=NameObject("/Annot"),
        Subtype=NameObject("/Link"),
        Rect=ArrayObject([FloatObject(0)] * 4),
        A=action,
    )
    writer.pages[0][NameObject("/Annots")] = ArrayObject([writer._add_object(link)])
    return writer


def with_script(writer: PdfWriter) -> PdfWriter:
    """The same PDF with JavaScript that would run when it is opened."""
    script = _dictionary(S=NameObject("/JavaScript"), JS=TextStringObject("app.alert('x')"))
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(script)
    return writer
