# SPDX-License-Identifier: Apache-2.0
"""Many accounts at once: a list of people, previewed and applied, and their invitations as slips or messages."""

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

from bluezone.authority import account_acts, recent_access, role_grants
from bluezone.authority.forms import describe_grant
from bluezone.authority.models import PeopleImport
from bluezone.authority.people import people_lists
from bluezone.authority.people.people_lists import COLUMNS, READING, PeoplePlan
from bluezone.authority.reach import accounts_in_reach
from bluezone.directory.forms import ListFileForm
from bluezone.directory.imports.import_views import ListPages
from bluezone.directory.imports.listings import spreadsheet_response
from bluezone.directory.imports.sent_lists import Preview, Reading
from bluezone.identity import account_links
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.factors.second_factors import confirm_second_factor, releases
from bluezone.identity.models import Role, User, valid_grants
from bluezone.identity.objects import Ownership, touches
from bluezone.paper.pdf import pdf_response, write_pdf
from bluezone.paper.qr_codes import qr
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.refusal import Refused

REASONS: dict[str, Promise] = {
    "name": gettext_lazy("The full name is missing or longer than 80 characters."),
    "role": gettext_lazy("This is not a role. Use a word from the list of roles on the accounts page."),
    "scope": gettext_lazy("The agency or unit is missing or not in the directory, or several have this name."),
    "username": gettext_lazy(
        "A sign-in name has 3 to 40 characters: small letters a-z, digits, dot, dash, underscore."
    ),
    "taken": gettext_lazy("Someone outside your area has this sign-in name. Choose another one."),
    "reach": gettext_lazy("Your role does not cover this agency or unit."),
    "two": gettext_lazy(
        "Two people must give this role together. Create the account or give the role on the accounts page."
    ),
    "facility": gettext_lazy("A health worker needs the facility they work for. Name the agency."),
    "inactive": gettext_lazy("The account with this sign-in name is deactivated. Open it on its own page first."),
    "repeated": gettext_lazy("Another row has the same person and role. Remove one of the two."),
    "many": gettext_lazy("A list can create 500 accounts at a time. Put the others in a second list."),
}
INVITED_AT_ONCE = 500


class PeopleForm(ListFileForm):
    """The file, and a role for rows that name none."""

    usual_role = forms.ChoiceField(
        label=gettext_lazy("Role if the list gives none"), choices=Role.choices, initial=Role.CLERK
    )


class PeopleLists(ListPages[PeopleImport]):
    """Lists of people who are to have accounts. An administrator of a ward or an agency uploads a list for it; the
    preview refuses rows that belong elsewhere.
    """

    name = "people-import"
    model = PeopleImport
    who = ADMINS
    owner = Ownership.REACHED
    columns: ClassVar = {"people": COLUMNS}
    changes = "authority/people_changes.html"
    more = "authority/people_files.html"
    asks_again = True

    @property
    def words(self) -> Mapping[str, str]:
        return {
            "title": _("Accounts from a list"),
            "lead": _(
                "First you see what would be created. Nothing is stored until you accept it. You can then print the "
                "invitations as slips or send them as messages."
            ),
            "hint": _(
                "One row for each person, with the agency they work for. You can use the list of agencies if it "
                "names the clerks. Telephone and e-mail are used only for the invitations and are deleted after a "
                "day."
            ),
            "button": _("Accept and create the accounts"),
        }

    @property
    def titles(self) -> Mapping[str, str]:
        return {"people": _("Accounts")}

    def new_form(self, request: OfficeRequest, *typed: Any) -> forms.Form:
        # The form is open to a person who reaches no one: the preview then refuses every row.
        accounts_in_reach(request.user, [Role.ADMIN])
        return PeopleForm(*typed)

    def receive(
        self, request: OfficeRequest, values: Mapping[str, Any], file_name: str, content: bytes
    ) -> PeopleImport:
        return people_lists.receive_list(request.user, file_name, content, values["usual_role"])

    def own_lists(self, request: OfficeRequest) -> "QuerySet[PeopleImport]":
        return PeopleImport.objects.filter(made_by=request.user).defer("content").select_related("made_by")

    def reading(self, sent_list: PeopleImport) -> Reading:
        return READING

    def preview(self, sent_list: PeopleImport) -> Preview[PeoplePlan]:
        return people_lists.preview_list(sent_list)

    def store(self, request: OfficeRequest, sent_list: PeopleImport, digest: str) -> HttpResponse:
        applied = people_lists.apply_list(sent_list, digest, timezone.now())
        counts = {"made": len(applied.added), "given": len(applied.changed)}
        messages.success(request, _("%(made)s accounts created, %(given)s roles given.") % counts)
        return redirect("invitations")

    def counts(self, plan: PeoplePlan) -> list[tuple[int, str]]:
        added, changed, *others = super().counts(plan)
        return [(added[0], _("accounts")), (changed[0], _("further roles")), *others]

    def changes_context(self, plan: PeoplePlan) -> Mapping[str, object]:
        return {"people": [*plan.added, *plan.changed]}

    def reason_sentence(self, code: str) -> str:
        return str(REASONS[code])

    def sentence_of(self, refused: Refused) -> str:
        if isinstance(refused, role_grants.RolesNotTogether | recent_access.RecentHands):
            return _(
                "One of these people may not have this role together with another. Give the role on the account page."
            )
        return super().sentence_of(refused)

    def running_context(self, sent_list: PeopleImport) -> Mapping[str, object]:
        return {"next": "invitations", "next_title": _("Invitations")}


LISTS = PeopleLists()


@require_safe
@audience(ADMINS)
@touches(Ownership.REACHED)
def people_file(request: OfficeRequest, form: str = "xlsx") -> HttpResponse:
    """The accounts within reach, one row for each role, as XLSX or CSV; the file can be imported again."""
    today = timezone.localdate()
    reached = accounts_in_reach(request.user, [Role.ADMIN])
    return spreadsheet_response(people_lists.people_listing(reached, today), f"accounts-{today.isoformat()}", form)


@require_safe
@audience(ADMINS)
@touches(Ownership.REACHED)
@releases
def invitation_list(request: OfficeRequest) -> HttpResponse:
    """The people who have an account and have not signed in yet, to be invited by slips or messages."""
    accounts = list(_uninvited(accounts_in_reach(request.user, [Role.ADMIN]))[:INVITED_AT_ONCE])
    contacts = people_lists.contact_details(request.user)
    rows = [(account, list(filter(None, contacts.get(account.username, ())))) for account in accounts]
    context = {"rows": rows, "sends": any(details for _account, details in rows)}
    return render(request, "authority/invitations.html", context)


@require_POST
@audience(ADMINS)
@touches(Ownership.REACHED)
@confirm_second_factor
def issue_invitations(request: OfficeRequest) -> HttpResponse:
    """Make a new link for each ticked account: slips as PDF, or messages as XLSX. 302 if none is ticked."""
    accounts = chosen_people(request)
    if not accounts:
        return redirect("invitations")
    now = timezone.now()
    slips = [
        _slip(request, account, account_links.issue_account_link(request.user.username, account, now))
        for account in accounts
    ]
    if request.POST.get("form") == "messages":
        return spreadsheet_response(_messages(slips, request.user), "invitations", "xlsx")
    until = timezone.localtime(now + account_links.LINK_LIFE)
    return pdf_response(
        write_pdf(render_to_string("authority/print/slips.html", {"slips": slips, "until": until})), "invitations"
    )


def chosen_people(request: OfficeRequest) -> list[User]:
    """The ticked people within reach who are still to be invited; if there are none, the next page says so."""
    chosen = [int(text) for text in request.POST.getlist("account") if text.isdecimal() and len(text) < 18]
    reached = accounts_in_reach(request.user, [Role.ADMIN])
    people = list(_uninvited(reached).filter(pk__in=chosen[:INVITED_AT_ONCE]))
    if not people:
        messages.info(request, _("Tick the people to invite."))
    return people


class _Slip:
    """One invitation: the account, the link, its QR code, and the text of a message."""

    def __init__(self, account: User, link: str, text: str) -> None:
        self.account = account
        self.link = link
        self.text = text
        self.picture = qr(link)


def _slip(request: OfficeRequest, account: User, token: str) -> _Slip:
    link = request.build_absolute_uri(reverse("start", args=[token]))
    return _Slip(account, link, invitation_text(account, link))


def invitation_text(account: User, link: str) -> str:
    """The text of an invitation in a message."""
    hours = int(account_links.LINK_LIFE.total_seconds() // 3600)
    duties = ", ".join(describe_grant(grant) for grant in valid_grants(account))
    return _(
        "Bluezone: you are invited to the city office (%(duties)s). Open this link in a browser, not inside Zalo. "
        "It works once, for %(hours)d hours: %(link)s"
    ) % {"duties": duties or account.agency, "hours": hours, "link": link}


def _messages(slips: Iterable[_Slip], by: User) -> ExportSheet:
    """One row for each invitation, with telephone and e-mail if a list of the last day contains them."""
    contacts = people_lists.contact_details(by)
    headings = (_("Full name"), _("Agency"), _("Telephone"), _("E-mail"), _("Text for a message"))
    rows = [
        [slip.account.name, slip.account.agency, *contacts.get(slip.account.username, ["", ""]), slip.text]
        for slip in slips
    ]
    return ExportSheet(_("Invitations"), [ExportColumn(heading) for heading in headings], rows)


def _uninvited(reached: QuerySet[User]) -> QuerySet[User]:
    """Active accounts without a password for which one administrator alone may make a link."""
    without_password = [
        user for user in reached.filter(is_active=True).exclude(name="") if not user.has_usable_password()
    ]
    takes_one_person = [user.pk for user in without_password if not account_acts.needs_two_people(user)]
    return reached.filter(pk__in=takes_one_person).order_by("agency", "name", "pk")
