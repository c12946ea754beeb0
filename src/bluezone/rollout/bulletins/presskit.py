# SPDX-License-Identifier: Apache-2.0
"""What stations and papers take: a ZIP of approved texts, sound and a sheet; and the files for a memory stick."""

import io
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence

from django.utils import timezone

from bluezone.portal.printing import SheetUnavailable
from bluezone.rollout.bulletins.models import Airing, Bulletin, Script, Sound
from bluezone.rollout.bulletins.planning import approved_scripts
from bluezone.rollout.bulletins.printing import script_pdf

# A fixed moment in every entry, so that the same content gives the same bytes.
_STAMP = (2020, 1, 1, 0, 0, 0)


def press_kit(bulletin: Bulletin) -> bytes:
    """Text in each language (UTF-8), MP3 where there is sound, and the sheet as PDF where it can be drawn."""
    scripts = _approved(bulletin)
    files: list[tuple[str, bytes]] = []
    for script in scripts:
        files.append((f"ban-tin-{script.language}.txt", (script.text + "\n").encode()))
        if script.sound is not None:
            content = Sound.objects.values_list("content", flat=True).get(pk=script.sound.pk)
            files.append((f"ban-tin-{script.language}.mp3", bytes(content)))
    try:
        files.append(("ban-tin.pdf", script_pdf(bulletin.title, scripts)))
    except SheetUnavailable:
        files.append(("ban-tin-pdf-khong-in-duoc.txt", "Máy chủ này chưa cài WeasyPrint.\n".encode()))
    return _zipped(files)


def stick_files(airings: Sequence[Airing], plan: bytes | None) -> bytes:
    """MP3 files in the order of the plan, named so that any player keeps it, and the plan as PDF.

    A sound that is aired several times is there several times: whoever plays by hand goes from one to the next.
    """
    sounds = dict(Sound.objects.filter(pk__in={one.sound_id for one in airings}).values_list("pk", "content"))
    files: list[tuple[str, bytes]] = [] if plan is None else [("000-lich-phat.pdf", plan)]
    for number, airing in enumerate(airings, 1):
        if airing.sound_id in sounds:
            at = timezone.localtime(airing.starts_at or airing.due_at)
            name = f"{number:03}-{at:%m%d-%Hh%M}-{_plain(airing.schedule.bulletin.title)}-{airing.language}.mp3"
            files.append((name, bytes(sounds[airing.sound_id])))
    return _zipped(files)


def _approved(bulletin: Bulletin) -> list[Script]:
    order = ["vi", "en", "tay", "nung", "dao", "hmong"]
    found = [script for (_pk, _language), script in approved_scripts([bulletin.pk]).items()]
    return sorted(found, key=lambda script: order.index(script.language))


def _plain(text: str) -> str:
    """Letters and figures without marks, for memory sticks of every age."""
    folded = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    kept = "".join(one if one.isascii() and one.isalnum() else "-" for one in folded if not unicodedata.combining(one))
    return "-".join(part for part in kept.split("-") if part)[:40] or "ban-tin"


def _zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            # MP3 and PDF are packed already.
            kind = zipfile.ZIP_DEFLATED if name.endswith(".txt") else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, kind)
    return out.getvalue()
