# SPDX-License-Identifier: Apache-2.0
"""The page of counts, and the same counts as CSV and XLSX."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.agencies.exporting import write_csv, write_xlsx
from bluezone.healthauthority import statistics
from bluezone.healthauthority.facilities import oversees
from bluezone.healthauthority.key_server import key_server
from bluezone.keyserver import statistics as published

SECONDS_PER_HOUR = 3600
FILES_SHOWN = 24


@require_safe
@audience(Audience.CODE_ISSUERS)
def show_statistics(request: OfficeRequest) -> HttpResponse:
    """Codes by day and class, files and the keys in them; for a supervisor also reports and attempts at guessing."""
    server, everything = key_server(), oversees(request.user)
    rows, files = statistics.code_rows(server, everything=everything), statistics.file_rows(server, FILES_SHOWN)
    context = {
        "rows": rows,
        "totals": statistics.totals(rows),
        "everything": everything,
        "reports": statistics.reports_per_day(server) if everything else [],
        "guessed": [hour * SECONDS_PER_HOUR for hour in published.guessing_alarm_hours(server)] if everything else [],
        "files": files,
        "file_count": len(published.files(server)),
        "key_count": sum(row.keys for row in files),
        "padding": server.city.padding_mean,
        "tab": "statistics",
    }
    return render(request, "healthauthority/statistics.html", context)


@require_safe
@audience(Audience.CODE_ISSUERS)
def download_statistics(request: OfficeRequest, form: str) -> HttpResponse:
    """The tables of the page: `codes.csv`, `files.csv` or `statistics.xlsx`; 404 anything else."""
    server, everything = key_server(), oversees(request.user)
    if form == "codes.csv":
        body, kind = write_csv(statistics.codes_sheet(server, everything=everything)), "text/csv; charset=utf-8"
    elif form == "files.csv":
        body, kind = write_csv(statistics.files_sheet(server)), "text/csv; charset=utf-8"
    elif form == "statistics.xlsx":
        body = write_xlsx(statistics.sheets(server, everything=everything))
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    else:
        raise Http404
    name = f"bluezone-{timezone.localdate():%Y-%m-%d}-{form}"
    return HttpResponse(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
