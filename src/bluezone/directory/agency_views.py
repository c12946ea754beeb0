# SPDX-License-Identifier: Apache-2.0
"""Pages of agencies and of recipient groups: searchable lists, the page of a single row, and the forms."""

import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory import queries
from bluezone.directory.duty import DIRECTORY_EDITORS
from bluezone.directory.forms import AgencyForm, FigureForm, RecipientForm
from bluezone.directory.imports.listings import agency_listing, spreadsheet_response
from bluezone.directory.imports.previews import field_labels
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
from bluezone.directory.records import changes
from bluezone.directory.records.entries import DirectoryRefused
from bluezone.directory.records.reading import read_directory
from bluezone.directory.records.store import ImportUnderWay
from bluezone.directory.request_parameters import (
    chosen_day,
    chosen_number,
    chosen_value,
    may_edit,
    may_edit_all,
    may_make_committee,
    may_move_to,
    require_edit,
    require_edit_all,
)
from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS, SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches

AGENCIES_A_PAGE = 50
MOST_MATCHES = 20
MEMBERS_A_PAGE = 50
# Most matches that one click adds; a person cannot check more.
MOST_ADDED = 200


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def agency_list(request: OfficeRequest) -> HttpResponse:
    """Agencies valid on a day, filtered by words without diacritics, kind and territory."""
    today = timezone.localdate()
    day = chosen_day(request, queries.day_to_show(Agency, today))
    filters, agencies = _search(request, day)
    page = Paginator(agencies, AGENCIES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **filters,
        "day": day,
        "today": today,
        "page": page,
        "kinds": AgencyKind.choices,
        "units": AdminUnit.objects.valid_on(day).exclude(kind=UnitKind.GROUP).order_by("path"),
        "narrowed": any(filters.values()),
        "may_edit": may_edit(request),
        "keeps_all": may_edit_all(request),
    }
    return render(request, "agencies/agency_list.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def agency_file(request: OfficeRequest, form: str = "xlsx") -> HttpResponse:
    """All pages of the agency list as one XLSX or CSV file, which can be filled in and imported again."""
    day = chosen_day(request, queries.day_to_show(Agency, timezone.localdate()))
    _filters, agencies = _search(request, day)
    sheet = agency_listing(read_directory(), agencies.values_list("key", flat=True), day)
    return spreadsheet_response(sheet, f"agencies-{day.isoformat()}", form)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_agency(request: OfficeRequest, pk: int) -> HttpResponse:
    """The page of an agency: contact details, the agencies above and below it, figures, groups, history."""
    row = _agency_or_404(pk)
    return render(request, "agencies/agency.html", _page_context(request, row, FigureForm(holder=row)))


@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTORY_EDITORS)
@touches(Ownership.CREATED)
def new_agency(request: OfficeRequest) -> HttpResponse:
    """Enter an agency: 302 to its page, 422 bad form."""
    form = AgencyForm(request.POST or None, initial={"unit": chosen_number(request, "unit")})
    if request.method == "POST" and form.is_valid() and (entered := _save(request, form, None)):
        messages.success(request, _("%(name)s has been entered.") % {"name": entered.name})
        return redirect("agency", entered.pk)
    return render(request, "agencies/agency_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTORY_EDITORS)
@touches(Ownership.AGENCY)
def change_agency(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change or end an agency: 302 to its page, 422 bad form; 200 with its open work, before it ends."""
    old = _agency_or_404(pk)
    require_edit(request, old)
    form = AgencyForm(request.POST or None, entry=old, initial=_initial_values(old))
    if request.method == "POST" and form.is_valid() and (page := _ending_page(request, form, old)):
        return page
    if request.method == "POST" and form.is_valid() and _save(request, form, old):
        messages.success(request, _("%(name)s has been changed.") % {"name": form.cleaned_data["name"]})
        return redirect("agency", pk)
    context = {"form": form, "agency": old}
    return render(request, "agencies/agency_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["POST"])
@audience(DIRECTORY_EDITORS)
@touches(Ownership.AGENCY)
def record_figure(request: OfficeRequest, pk: int) -> HttpResponse:
    """Record the number of an agency's staff: 302 to its page, 422 bad form."""
    holder = _agency_or_404(pk)
    require_edit(request, holder)
    form = FigureForm(request.POST, holder=holder)
    if not form.is_valid():
        return render(request, "agencies/agency.html", _page_context(request, holder, form), status=422)
    values = form.cleaned_data
    figure = (values["kind"], values["value"], values["source"], values["as_of"])
    changes.record_figure(request.user.username, holder, *figure, timezone.localdate())
    messages.success(request, _("The figure has been recorded."))
    return redirect("agency", pk)


def _ending_page(request: OfficeRequest, form: AgencyForm, old: Agency) -> HttpResponse | None:
    """The page that lists the open work of an agency about to end.

    None if no new end date was entered, no work is open, or the reader has confirmed that page.
    """
    values = form.cleaned_data
    if values["valid_to"] in (None, old.valid_to) or "ending" in request.POST:
        return None
    open_work: list[Any] = []
    for duty in DUTIES:
        if duty.open_at:
            open_work.extend(load(duty.open_at)(old))
    if not open_work:
        return None
    typed = [(name, text) for name, text in request.POST.items() if name != "csrfmiddlewaretoken"]
    context = {
        "agency": old,
        "open_work": open_work,
        "typed": typed,
        "last": values["valid_to"],
        "successors": values["successors"],
    }
    return render(request, "agencies/ending.html", context)


def _search(request: OfficeRequest, day: Any) -> tuple[dict[str, Any], Any]:
    """The filters in the address, and the agencies that pass them."""
    filters: dict[str, Any] = {
        "words": request.GET.get("q", "").strip()[:100],
        "kind": chosen_value(request, "kind", AgencyKind.values),
        "under": chosen_number(request, "unit"),
    }
    agencies = Agency.objects.valid_on(day).matching(filters["words"]).select_related("unit")
    if filters["kind"]:
        agencies = agencies.filter(kind=filters["kind"])
    if filters["under"]:
        top = AdminUnit.objects.filter(pk=filters["under"]).first()
        agencies = agencies.filter(unit__path__startswith=top.path) if top else agencies.none()
    return filters, agencies.order_by("unit__path", "name", "pk")


def _save(request: OfficeRequest, form: AgencyForm, old: Agency | None) -> Agency | None:
    values = form.cleaned_data
    if not may_move_to(request, old, values["unit"], values["parent"]):
        form.add_error(
            "parent", _("This account manages another part of the directory. Choose an agency in that part.")
        )
        return None
    if not may_make_committee(request, old, values["kind"], values["unit"]):
        form.add_error("kind", _("Roles at such an agency cover its whole area, which this account does not manage."))
        return None
    try:
        return changes.save_agency(request.user.username, old, values)
    except (DirectoryRefused, ImportUnderWay) as refusal:
        form.show_refusal(refusal)
        return None


def _agency_or_404(pk: int) -> Agency:
    return get_object_or_404(Agency.objects.select_related("unit", "parent"), pk=pk)


def _page_context(request: OfficeRequest, row: Agency, form: FigureForm) -> dict[str, Any]:
    day = queries.day_within(row, timezone.localdate())
    return {
        "agency": row,
        "below": list(Agency.objects.valid_on(day).filter(parent=row)[:100]),
        "groups": list(row.recipient_groups.all()),
        "figures": list(row.denominators.all()),
        "successors": list(row.successors.all()),
        "predecessors": list(row.predecessors.all()),
        "questions": field_labels(row.unconfirmed),
        "form": form,
        "may_edit": may_edit(request, row),
        "keeps_all": may_edit_all(request),
    }


def _initial_values(agency: Agency) -> dict[str, Any]:
    names = ("name", "short_name", "kind", "unit", "code", "email", "phone", "edxml_id", "valid_from", "valid_to")
    return {
        **{name: getattr(agency, name) for name in names},
        "parent": (agency.parent.code or agency.parent.name) if agency.parent else "",
        "successors": "\n".join(successor.code or successor.name for successor in agency.successors.all()),
        "confirmed": agency.confirmed and not agency.unconfirmed,
    }


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def recipient_list(request: OfficeRequest) -> HttpResponse:
    """Every recipient group with the number of its members."""
    groups = RecipientGroup.objects.annotate(members=Count("agencies"))
    return render(request, "agencies/recipient_list.html", {"groups": groups, "keeps_all": may_edit_all(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
def new_recipients(request: OfficeRequest) -> HttpResponse:
    """Create a recipient group: 302 to its page, 422 bad form."""
    require_edit_all(request)
    form = RecipientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        group = changes.save_recipients(request.user.username, None, values["name"], values["purpose"])
        return redirect("recipients", group.pk)
    return render(request, "agencies/recipient_form.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_recipients(request: OfficeRequest, pk: int) -> HttpResponse:
    """The members of a group; readers who may change it can search for more."""
    group = get_object_or_404(RecipientGroup, pk=pk)
    day = queries.day_to_show(Agency, timezone.localdate())
    words = request.GET.get("q", "").strip()[:100]
    matches = Agency.objects.valid_on(day).matching(words).exclude(recipient_groups=group).select_related("unit")
    members = group.agencies.select_related("unit").order_by("unit__path", "name", "pk")
    page = Paginator(members, MEMBERS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "group": group,
        "page": page,
        "members": list(page.object_list),
        "count": page.paginator.count,
        "day": day,
        "words": words,
        "found": list(matches[:MOST_MATCHES]) if words else [],
        "found_count": matches.count() if words else 0,
        "most_added": MOST_ADDED,
        "keeps_all": may_edit_all(request),
    }
    return render(request, "agencies/recipients.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
def change_recipients(request: OfficeRequest, pk: int) -> HttpResponse:
    """Rename a group or change its purpose: 302 to its page, 422 bad form."""
    require_edit_all(request)
    group = get_object_or_404(RecipientGroup, pk=pk)
    form = RecipientForm(request.POST or None, instance=group)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        changes.save_recipients(request.user.username, group, values["name"], values["purpose"])
        return redirect("recipients", pk)
    context = {"form": form, "group": RecipientGroup.objects.get(pk=pk)}
    return render(request, "agencies/recipient_form.html", context, status=422 if form.errors else 200)


@require_POST
@audience(ADMINS)
@touches(Ownership.CITY)
def add_recipients(request: OfficeRequest, pk: int) -> HttpResponse:
    """Add one agency (`agency`) or all matches of a search (`q`) to a group; 302 back to its page."""
    require_edit_all(request)
    group = get_object_or_404(RecipientGroup, pk=pk)
    words = request.POST.get("q", "").strip()[:100]
    pk_text = request.POST.get("agency", "")
    day = queries.day_to_show(Agency, timezone.localdate())
    candidates = Agency.objects.valid_on(day).exclude(recipient_groups=group)
    if pk_text.isascii() and pk_text.isdigit() and len(pk_text) < 18:
        added = list(candidates.filter(pk=int(pk_text)))
    else:
        added = list(candidates.matching(words)[:MOST_ADDED]) if words else []
    if added:
        changes.add_members(request.user.username, group, added)
        acts.offer_undo(request, "recipients-added", timezone.now(), group=pk, agencies=[agency.pk for agency in added])
        text = ngettext("%(count)s agency added.", "%(count)s agencies added.", len(added))
        messages.success(request, text % {"count": len(added)})
    return redirect("recipients", pk)


@require_POST
@audience(ADMINS)
@touches(Ownership.CITY)
def remove_recipient(request: OfficeRequest, pk: int, agency: int) -> HttpResponse:
    """Remove an agency from a group; 302 back to its page, where a search can add it again."""
    require_edit_all(request)
    group = get_object_or_404(RecipientGroup, pk=pk)
    removed = get_object_or_404(group.agencies, pk=agency)
    changes.remove_member(request.user.username, group, removed)
    acts.offer_undo(request, "recipient-removed", timezone.now(), group=pk, agencies=[removed.pk])
    messages.success(request, _("%(name)s is no longer in this group.") % {"name": removed.name})
    return redirect("recipients", pk)


def undo_adding_recipients(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the addition of agencies to a group."""
    group = RecipientGroup.objects.get(pk=values["group"])
    for agency in group.agencies.filter(pk__in=values["agencies"]):
        changes.remove_member(user.username, group, agency)


def undo_removing_recipient(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the removal of an agency from a group."""
    group = RecipientGroup.objects.get(pk=values["group"])
    changes.add_members(user.username, group, list(Agency.objects.filter(pk__in=values["agencies"])))
