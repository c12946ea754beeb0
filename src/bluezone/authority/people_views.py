# SPDX-License-Identifier: Apache-2.0
"""Many accounts at once: a list of people looked at and applied, and their invitations as slips or messages."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from bluezone.authority import account_acts, people_lists, role_grants
from bluezone.authority.forms import described
from bluezone.authority.models import PeopleImport
from bluezone.authority.people_lists import COLUMNS, READING, PeoplePlan
from bluezone.authority.role_grants import accounts_of
from bluezone.directory.forms import ListFileForm
from bluezone.directory.imports.import_views import ListPages
from bluezone.directory.imports.listings import file_of
from bluezone.directory.imports.sent_lists import Preview, Reading
from bluezone.identity import signin
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.models import Role, User, grants_of
from bluezone.identity.objects import Whose, touches
from bluezone.identity.second_factors import confirm_second_factor, releases
from bluezone.paper.pdf import pdf_response, write_pdf
from bluezone.paper.qr_codes import qr
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.refusal import Refused

REASONS: dict[str, Promise] = {
    "name": gettext_lazy("The full name is missing or longer than 80 characters."),
    "role": gettext_lazy("This is none of the roles. Take a word from the list of roles on the page of accounts."),
    "scope": gettext_lazy("The agency or unit is missing, not in the directory, or there are several of this name."),
    "username": gettext_lazy("A sign-in name has 3 to 40 of: small letters a-z, digits, dot, dash, underscore."),
    "taken": gettext_lazy("Somebody outside your reach has this sign-in name. Choose another one."),
    "reach": gettext_lazy("Your role does not reach this agency or unit."),
    "two": gettext_lazy(
        "This role is given by two people. Make the account, or give the role, on the page of accounts."
    ),
    "facility": gettext_lazy("A health worker needs the facility they work for. Name the agency."),
    "inactive": gettext_lazy("The account with this sign-in name is deactivated. Open it on its own page first."),
    "repeated": gettext_lazy("Another row is about the same person and role. Leave one of the two out."),
    "many": gettext_lazy("A list may make 500 accounts at a time. Leave the others for a second list."),
}
INVITED_AT_ONCE = 500


class PeopleForm(ListFileForm):
    """The file, and the role of rows that name none."""

    usual_role = forms.ChoiceField(
        label=gettext_lazy("Role where the list names none"), choices=Role.choices, initial=Role.CLERK
    )


class PeopleLists(ListPages[PeopleImport]):
    """Lists of people who are to have accounts. An administrator of a ward or of an agency sends them in for it; rows
    of elsewhere are refused in the preview.
    """

    name, model, who, owner = "people-import", PeopleImport, ADMINS, Whose.REACHED
    columns: ClassVar = {"people": COLUMNS}
    changes, more = "authority/people_changes.html", "authority/people_files.html"
    asks_again = True

    @property
    def words(self) -> Mapping[str, str]:
        return {
            "title": _("Accounts from a list"),
            "lead": _(
                "First you see what would be made. Nothing is stored until you accept it; then the invitations are "
                "printed as slips or sent as messages."
            ),
            "hint": _(
                "One row for each person, with the agency they work for. The list of agencies will do where it names "
                "the clerks. Telephone and e-mail are for the invitations alone and are forgotten after a day."
            ),
            "button": _("Accept and make the accounts"),
        }

    @property
    def titles(self) -> Mapping[str, str]:
        return {"people": _("Accounts")}

    def new_form(self, request: OfficeRequest, *typed: Any) -> forms.Form:
        # Whoever reaches nobody sends in a list of which every row is refused.
        accounts_of(request.user, [Role.ADMIN])
        return PeopleForm(*typed)

    def receive(self, request: OfficeRequest, said: Mapping[str, Any], file_name: str, content: bytes) -> PeopleImport:
        return people_lists.receive(request.user, file_name, content, said["usual_role"])

    def mine(self, request: OfficeRequest) -> "QuerySet[PeopleImport]":
        return PeopleImport.objects.filter(made_by=request.user).defer("content").select_related("made_by")

    def reading(self, waiting: PeopleImport) -> Reading:
        return READING

    def preview(self, waiting: PeopleImport) -> Preview[PeoplePlan]:
        return people_lists.preview(waiting)

    def store(self, request: OfficeRequest, waiting: PeopleImport, digest: str) -> HttpResponse:
        done = people_lists.apply(waiting, digest, timezone.now())
        counts = {"made": len(done.added), "given": len(done.changed)}
        messages.success(request, _("%(made)s accounts are made, %(given)s roles given.") % counts)
        return redirect("invitations")

    def counts(self, plan: PeoplePlan) -> list[tuple[int, str]]:
        added, changed, *others = super().counts(plan)
        return [(added[0], _("accounts")), (changed[0], _("further roles")), *others]

    def shown(self, plan: PeoplePlan) -> Mapping[str, object]:
        return {"people": [*plan.added, *plan.changed]}

    def reason(self, code: str) -> str:
        return str(REASONS[code])

    def sentence_of(self, refused: Refused) -> str:
        if isinstance(refused, role_grants.RolesNotTogether | role_grants.RecentHands):
            return _(
                "One of these people may not hold this role beside another. Give the role on the page of the account."
            )
        return super().sentence_of(refused)

    def running(self, held: PeopleImport) -> Mapping[str, object]:
        return {"next": "invitations", "next_title": _("Invitations")}


LISTS = PeopleLists()


@require_safe
@audience(ADMINS)
@touches(Whose.REACHED)
def people_file(request: OfficeRequest, form: str = "xlsx") -> HttpResponse:
    """The accounts within reach, one row for each role, as XLSX or CSV; it can be imported again."""
    today = timezone.localdate()
    reached = accounts_of(request.user, [Role.ADMIN])
    return file_of(people_lists.listing(reached, today), f"accounts-{today.isoformat()}", form)


@require_safe
@audience(ADMINS)
@touches(Whose.REACHED)
@releases
def invitations(request: OfficeRequest) -> HttpResponse:
    """Who has an account and has not come in yet, to be invited by slips or messages."""
    found = list(_uninvited(accounts_of(request.user, [Role.ADMIN]))[:INVITED_AT_ONCE])
    reach = people_lists.reach_of(request.user)
    rows = [(account, [one for one in reach.get(account.username, ()) if one]) for account in found]
    return render(request, "authority/invitations.html", {"rows": rows, "sends": any(told for _account, told in rows)})


@require_POST
@audience(ADMINS)
@touches(Whose.REACHED)
@confirm_second_factor
def invite(request: OfficeRequest) -> HttpResponse:
    """Make a new link for each account that is ticked: slips as PDF, or messages as XLSX. 302 when none is."""
    found = chosen_people(request)
    if not found:
        return redirect("invitations")
    now = timezone.now()
    slips = [_slip(request, account, signin.make_link(request.user.username, account, now)) for account in found]
    if request.POST.get("form") == "messages":
        return file_of(_messages(slips, request.user), "invitations", "xlsx")
    until = timezone.localtime(now + signin.LINK_LIFE)
    return pdf_response(
        write_pdf(render_to_string("authority/print/slips.html", {"slips": slips, "until": until})), "invitations"
    )


def chosen_people(request: OfficeRequest) -> list[User]:
    """The people within reach who are ticked and still to be invited; where it is nobody, the next page says so."""
    chosen = [int(text) for text in request.POST.getlist("account") if text.isdecimal() and len(text) < 18]
    reached = accounts_of(request.user, [Role.ADMIN])
    found = list(_uninvited(reached).filter(pk__in=chosen[:INVITED_AT_ONCE]))
    if not found:
        messages.info(request, _("Tick the people who are to be invited."))
    return found


class _Slip:
    """One invitation: whose, the link, its picture, and the text of a message."""

    def __init__(self, account: User, link: str, text: str) -> None:
        self.account, self.link, self.text, self.picture = account, link, text, qr(link)


def _slip(request: OfficeRequest, account: User, token: str) -> _Slip:
    link = request.build_absolute_uri(reverse("start", args=[token]))
    return _Slip(account, link, invitation_text(account, link))


def invitation_text(account: User, link: str) -> str:
    """What an invitation says in a message."""
    hours = int(signin.LINK_LIFE.total_seconds() // 3600)
    duties = ", ".join(described(grant) for grant in grants_of(account))
    return _(
        "Bluezone: you are invited to the city office (%(duties)s). Open this link in a browser, not inside Zalo. "
        "It works once, for %(hours)d hours: %(link)s"
    ) % {"duties": duties or account.agency, "hours": hours, "link": link}


def _messages(slips: Iterable[_Slip], by: User) -> ExportSheet:
    """One row for each invitation, with telephone and e-mail where a list of the last day gave them."""
    reach = people_lists.reach_of(by)
    headings = (_("Full name"), _("Agency"), _("Telephone"), _("E-mail"), _("Text for a message"))
    rows = [
        [slip.account.name, slip.account.agency, *reach.get(slip.account.username, ["", ""]), slip.text]
        for slip in slips
    ]
    return ExportSheet(_("Invitations"), [ExportColumn(heading) for heading in headings], rows)


def _uninvited(reached: QuerySet[User]) -> QuerySet[User]:
    """Active accounts without a password that one administrator alone may give a link."""
    waiting = [user for user in reached.filter(is_active=True).exclude(name="") if not user.has_usable_password()]
    alone = [user.pk for user in waiting if not account_acts.is_weighty(user)]
    return reached.filter(pk__in=alone).order_by("agency", "name", "pk")
