# SPDX-License-Identifier: Apache-2.0
"""What is printed for a drive, as PDF: the sheet with the stall's code, and the tally sheet for where there is no
network.
"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.paper.city_facts import facts
from bluezone.paper.pdf import pdf_response, write_pdf
from bluezone.paper.qr_codes import qr
from bluezone.rollout.drives.models import Drive
from bluezone.training import practised

BOXES = range(50)
# In the order of the form that the sheet is entered into.
ROWS = (
    ("Thấy đang chạy", "người giúp thấy Bluezone đang chạy, Bluetooth bật"),
    ("Đã giúp việc khác", "giúp nhưng chưa thấy đang chạy, chỉ dùng bản web"),
    ("Không có điện thoại thông minh", ""),
    ("Chưa giúp được", "máy quá cũ, Bluetooth hỏng, không muốn nữa"),
)


def stall_link(drive: Drive) -> str:
    """The address behind the stall's code: `https://<public host>/d/<code>`."""
    return f"https://{facts('vi').host}/d/{drive.code}"


def stall_pdf(drive: Drive) -> bytes:
    """A4, Vietnamese over English, the code 150 mm wide. Raises PdfUnavailable."""
    context = {"drive": drive, "city": facts("vi"), "qr": qr(stall_link(drive))}
    return _in_vietnamese("stall", context)


def tally_pdf(drive: Drive) -> bytes:
    """A4 tally sheet: a row of boxes for each of the four numbers. Raises PdfUnavailable."""
    day = timezone.localdate(drive.begins)
    return _in_vietnamese("tally", {"drive": drive, "day": day, "city": facts("vi"), "boxes": BOXES, "rows": ROWS})


def _in_vietnamese(name: str, context: dict[str, Any]) -> bytes:
    """The sheet whatever language the reader's page has: it hangs and is ticked where people are."""
    with translation.override("vi"):
        return write_pdf(render_to_string(f"drives/print/{name}.html", context))


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def stall(request: OfficeRequest, pk: int) -> HttpResponse:
    """The sheet with the code behind which people join the queue."""
    return pdf_response(stall_pdf(_drive(pk)), f"stall-{pk}")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def tally(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank tally sheet."""
    return pdf_response(tally_pdf(_drive(pk)), f"tally-{pk}")


def _drive(pk: int) -> Drive:
    return get_object_or_404(Drive.objects.select_related("team__agency", "unit", "campaign"), pk=pk)
