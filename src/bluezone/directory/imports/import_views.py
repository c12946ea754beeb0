# SPDX-License-Identifier: Apache-2.0
"""The pages for uploaded lists of every kind, and the kind of the directory.

A person uploads a list, looks at the preview, chooses columns, corrects rows, and has exactly the preview stored.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bluezone.directory import refusals
from bluezone.directory.forms import ImportForm
from bluezone.directory.imports import list_imports
from bluezone.directory.imports.files.file_types import read_sheets
from bluezone.directory.imports.files.raw_sheets import (
    MAX_COLUMNS,
    SpreadsheetHeadingRepeated,
    SpreadsheetRefused,
    column_letter,
)
from bluezone.directory.imports.heading_rows import Column
from bluezone.directory.imports.list_storage import LOOK_AGAIN_SECONDS, MOST_AT_ONCE, ListStorage, progress
from bluezone.directory.imports.listings import spreadsheet_response
from bluezone.directory.imports.previews import describe_plan
from bluezone.directory.imports.sent_lists import (
    Preview,
    Reading,
    RefusedRow,
    correction_cells,
    decide_conversion,
    empty_list,
    examples_of_sheets,
    marked_list,
    store_corrections,
)
from bluezone.directory.imports.tables import Table
from bluezone.directory.models import ListImport, SentList
from bluezone.directory.request_parameters import chosen_number, require_edit_all
from bluezone.duties.duty import Audience
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, View, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.factors.second_factors import confirm_second_factor
from bluezone.identity.objects import Ownership, touches
from bluezone.refusal import Refused
from bluezone.training import practised

# Most rows that the page lists; it gives only the number of the others, which are in the file to download.
ROWS_SHOWN = 200
# Refused rows that the page offers for correction at a time.
ROWS_TO_FIX = 25
List = TypeVar("List", bound=SentList)
State = SentList.State


class ListPages(Generic[List]):
    """A kind of list that people upload, with its pages. Subclasses define the kind; the pages are the same for all.

    name:            base of the URL names: "import" gives "imports", the upload page, "import" and "import-fix".
    model:           stores the lists. who: may upload one. owner: what the upload page touches (`new_form` checks it).
    tabs:            template above the pages.
    changes:         template of the changes that a list makes, with `changes_context`.
    more:            template below the empty lists, for other files to download.
    people:          name of the upload page for lists of people, if one may be uploaded here by mistake.
    columns:         the subjects of lists -> their columns; titles: the same in words.
    is_practised:    available in training mode too. asks_again: storing needs a fresh proof of the second factor.
    takes_good_rows: whether the other rows are stored in spite of refused rows.
    """

    name: ClassVar[str]
    model: type[List]
    who: ClassVar[Audience]
    owner: ClassVar[Ownership]
    changes: ClassVar[str]
    columns: ClassVar[Mapping[str, Sequence[Column]]]
    tabs = more = people = ""
    is_practised = asks_again = takes_good_rows = False

    # What a kind defines.

    @property
    def words(self) -> Mapping[str, str]:
        """Texts of the upload page: title, lead and hint (what is left out or kept); button: the label for storing."""
        raise NotImplementedError

    @property
    def titles(self) -> Mapping[str, str]:
        """The subjects of lists, in words."""
        raise NotImplementedError

    def new_form(self, request: OfficeRequest, *typed: Any) -> Form:
        """The upload form, with a field `file`; it checks the reach of the person's role."""
        raise NotImplementedError

    def receive(self, request: OfficeRequest, values: Mapping[str, Any], file_name: str, content: bytes) -> List:
        """Store an uploaded list for its preview. values: of the form. Raises a Refused."""
        raise NotImplementedError

    def own_lists(self, request: OfficeRequest) -> "QuerySet[List]":
        """The lists that this person uploaded and may still store."""
        raise NotImplementedError

    def reading(self, sent_list: List) -> Reading:
        """The reading for the list."""
        raise NotImplementedError

    def preview(self, sent_list: List) -> Preview[Any]:
        """A preview; its plan has added, changed, unchanged and refused rows. Raises a SpreadsheetRefused."""
        raise NotImplementedError

    def store(self, request: OfficeRequest, sent_list: List, digest: str) -> HttpResponse:
        """Store what the preview with this digest showed, and redirect. Raises a Refused; nothing is stored then."""
        raise NotImplementedError

    def delete(self, sent_list: List) -> None:
        """Delete the list. Raises a Refused if it is too late."""
        self.model._base_manager.filter(pk=sent_list.pk).delete()

    def changes_context(self, plan: Any) -> Mapping[str, object]:
        """The context of the template `changes`."""
        return {"plan": plan}

    def doubts(self, plan: Any) -> Sequence[tuple[int, str]]:
        """What a person should check before storing: row number and sentence."""
        return ()

    def doubt_sentences(self, plan: Any) -> Sequence[str]:
        """The sentences of `doubts`, as the page shows them."""
        return [sentence for _row, sentence in self.doubts(plan)]

    def counts(self, plan: Any) -> list[tuple[int, str]]:
        """The number of rows for each effect, with its label."""
        unchanged = plan.unchanged if isinstance(plan.unchanged, int) else len(plan.unchanged)
        return [
            (len(plan.added), _("added")),
            (len(plan.changed), _("changed")),
            (unchanged, _("unchanged")),
            (len(plan.refused), _("refused")),
        ]

    def reason_sentence(self, code: str) -> str:
        """The sentence for a row that is refused. code: RefusedRow.reason."""
        return refusals.sentence_for_code(code)

    def sentence_of(self, refusal: Refused) -> str:
        """The sentence for a refused list."""
        return refusals.sentence_of(refusal)

    def place_name(self, sent_list: List) -> str:
        """The subject or the place of the list."""
        return self.titles[self.reading(sent_list).about]

    def running_context(self, sent_list: List) -> Mapping[str, object]:
        """Context while a list is being stored: a sentence `more`; `next` and `next_title` of the final page."""
        return {}

    # The pages.

    @property
    def url_names(self) -> Mapping[str, str]:
        """The URL names, by act."""
        all_acts = ("decide", "columns", "fix", "apply", "discard", "marked", "empty")
        return {act: f"{self.name}-{act}" for act in all_acts}

    def urls(self, base: str) -> list[URLPattern]:
        """The URL patterns under `base`, such as "imports/"."""
        post = ["POST"]
        get = ["GET", "HEAD"]
        both = [*get, *post]
        empty = self._view(self.download_empty, get, Ownership.NOTHING)
        row = f"{base}<int:pk>/"
        return [
            path(base, self._view(self.upload, both, self.owner), name=f"{self.name}s"),
            path(f"{base}empty/<str:about>.xlsx", empty, name=f"{self.name}-empty"),
            path(row, self._view(self.show_preview, get), name=self.name),
            path(f"{row}conversion/", self._view(self.decide_conversion, post), name=f"{self.name}-decide"),
            path(f"{row}columns/", self._view(self.choose_columns, both), name=f"{self.name}-columns"),
            path(f"{row}fix/", self._view(self.fix_rows, post), name=f"{self.name}-fix"),
            path(f"{row}apply/", self._view(self.apply, post, asks_again=self.asks_again), name=f"{self.name}-apply"),
            path(f"{row}discard/", self._view(self.discard, post), name=f"{self.name}-discard"),
            path(f"{row}marked.xlsx", self._view(self.download_marked, get), name=f"{self.name}-marked"),
        ]

    def _view(
        self,
        act: Callable[..., HttpResponse],
        methods: list[str],
        owner: Ownership = Ownership.OWN,
        asks_again: bool = False,
    ) -> View:
        @functools.wraps(act)
        def view(request: OfficeRequest, **parameters: Any) -> HttpResponse:
            if owner is not Ownership.OWN:
                return act(request, **parameters)
            return act(request, get_object_or_404(self.own_lists(request), pk=parameters["pk"]))

        protected: View = confirm_second_factor(view) if asks_again else view
        protected = audience(self.who)(touches(owner)(protected))
        if self.is_practised:
            protected = practised(protected)
        return require_http_methods(methods)(protected)

    def upload(self, request: OfficeRequest) -> HttpResponse:
        """Upload a list: 302 to its preview, 422 with a sentence if it cannot be read."""
        typed = (request.POST, request.FILES) if request.method == "POST" else ()
        form = self.new_form(request, *typed)
        if typed and form.is_valid():
            values = dict(form.cleaned_data)
            file = values.pop("file")
            with acts.refusals_as_form_errors(form, self.sentence_of, field="file"):
                sent_list = self.receive(request, values, file.name or "", file.read())
                return redirect(self.name, sent_list.pk)
        finished = [State.DONE, State.WITHDRAWING]
        lists = [
            (row, self.place_name(row))
            for row in self.own_lists(request).exclude(state__in=finished).order_by("-made_at")
        ]
        columns = [
            (about, self.titles[about], [(column.label, column.required) for column in columns])
            for about, columns in self.columns.items()
        ]
        context = {"pages": self, "words": self.words, "form": form, "lists": lists, "columns": columns}
        return render(request, "agencies/import_new.html", context, status=422 if form.errors else 200)

    def download_empty(self, request: OfficeRequest, about: str) -> HttpResponse:
        """An empty list with all headings, as XLSX."""
        about = about if about in self.columns else next(iter(self.columns))
        return spreadsheet_response(empty_list(self.titles[about], self.columns[about]), f"empty-{about}", "xlsx")

    def show_preview(
        self, request: OfficeRequest, sent_list: List, refusal: str = "", status: int = 200
    ) -> HttpResponse:
        """The preview of the list; before it, the questions about an old font and about the columns."""
        if sent_list.state:
            return self._show_running(request, sent_list, refusal, status)
        try:
            result = self.preview(sent_list)
        except SpreadsheetRefused as error:
            return self._show_columns(request, sent_list, refusal or self.sentence_of(error), status)
        context: dict[str, object] = {
            "pages": self, "words": self.words, "sent_list": sent_list, "preview": result, "plan": result.plan,
            "refusal": refusal, "place": self.place_name(sent_list),
        }  # fmt: skip
        if result.plan is not None:
            context |= self._plan_context(sent_list, result.table, result.plan)
        return render(request, "agencies/import.html", context, status=status)

    def _plan_context(self, sent_list: List, table: Table, plan: Any) -> dict[str, object]:
        columns = self.reading(sent_list).columns
        does_something = bool(plan.added or plan.changed)
        return {
            **self.changes_context(plan),
            "counts": self.counts(plan),
            "does_something": does_something,
            "can_store": does_something and (self.takes_good_rows or not plan.refused),
            "refused": [self._row_sentence(table, row) for row in plan.refused[:ROWS_SHOWN]],
            "to_fix": [
                (self._row_sentence(table, row), row.row, correction_cells(table, columns, row))
                for row in plan.refused[:ROWS_TO_FIX]
            ],
            "doubted": self.doubt_sentences(plan)[:ROWS_SHOWN],
            "left_out": [refusals.row_name(row) for row in table.left_out[:ROWS_SHOWN]],
            "rows_shown": ROWS_SHOWN,
        }

    def _row_sentence(self, table: Table, row: RefusedRow) -> str:
        where = refusals.cell_name(row.row, table.letters.get(row.column))
        return f"{where}: {self.reason_sentence(row.reason)}"

    def _show_running(self, request: OfficeRequest, sent_list: List, refusal: str, status: int) -> HttpResponse:
        done, rows = progress(sent_list)
        context = {
            "pages": self,
            "sent_list": sent_list,
            "done": done,
            "rows": rows,
            "refusal": refusal,
            "place": self.place_name(sent_list),
            **self.running_context(sent_list),
        }
        response = render(request, "agencies/import_running.html", context, status=status)
        if sent_list.state != State.DONE:
            response.headers["Refresh"] = str(LOOK_AGAIN_SECONDS)
        return response

    def decide_conversion(self, request: OfficeRequest, sent_list: List) -> HttpResponse:
        """Convert text in an old font, or leave it as it is; 302 to the preview."""
        if not sent_list.state:
            decide_conversion(sent_list, request.POST.get("conversion", ""))
        return redirect(self.name, sent_list.pk)

    def choose_columns(self, request: OfficeRequest, sent_list: List) -> HttpResponse:
        """Choose the columns, next to the first rows: 302 to the preview, 422 if the list cannot be read so."""
        if sent_list.state:
            return redirect(self.name, sent_list.pk)
        if request.method != "POST":
            return self._show_columns(request, sent_list, "")
        reading = self.reading(sent_list)
        try:
            reading.choose_columns(sent_list, *_chosen_layout(request.POST, reading))
        except SpreadsheetRefused as refusal:
            return self._show_columns(request, sent_list, self.sentence_of(refusal), 422)
        return redirect(self.name, sent_list.pk)

    def _show_columns(self, request: OfficeRequest, sent_list: List, refusal: str, status: int = 200) -> HttpResponse:
        reading = self.reading(sent_list)
        requested = chosen_number(request, "sheet")
        sheets = read_sheets(bytes(sent_list.content))
        sheet_examples = examples_of_sheets(sheets, reading, sent_list.layout)
        widest = max(range(len(sheet_examples)), key=lambda number: len(sheet_examples[number].rows), default=0)
        first = sent_list.layout["sheets"][0] if sent_list.layout else widest
        number = requested if requested is not None and requested < len(sheet_examples) else first
        context = {
            "pages": self,
            "sent_list": sent_list,
            "refusal": refusal,
            "of_people": not sent_list.layout and reading.lists_people(sheets),
            "sheets": sheet_examples,
            "sheet": sheet_examples[number] if sheet_examples else None,
            "used": sent_list.layout.get("sheets", []),
            "choices": [(column.name, column.label, column.required) for column in reading.columns],
        }
        return render(request, "agencies/import_columns.html", context, status=status)

    def fix_rows(self, request: OfficeRequest, sent_list: List) -> HttpResponse:
        """Correct refused rows in the browser, or leave them out; safe to repeat. 302 to the new preview."""
        if not sent_list.state:
            store_corrections(sent_list, self.reading(sent_list).columns, request.POST.dict())
        return redirect(self.name, sent_list.pk)

    def apply(self, request: OfficeRequest, sent_list: List) -> HttpResponse:
        """Store what the preview showed; the worker stores a long list.

        302, or 409 with the new preview if that has changed or cannot be stored.
        """
        if sent_list.state:
            return redirect(self.name, sent_list.pk)
        try:
            return self.store(request, sent_list, request.POST.get("digest", ""))
        except Refused as refusal:
            return self.show_preview(request, sent_list, self.sentence_of(refusal), status=409)

    def discard(self, request: OfficeRequest, sent_list: List) -> HttpResponse:
        """Delete the list and what is stored of it: 302, or 409 if some of it is visible already."""
        try:
            self.delete(sent_list)
        except Refused as refusal:
            return self.show_preview(request, sent_list, self.sentence_of(refusal), status=409)
        messages.info(request, _("The list was discarded; nothing was stored."))
        return redirect(f"{self.name}s")

    def download_marked(self, request: OfficeRequest, sent_list: List) -> HttpResponse:
        """The list as XLSX with a column of remarks on its rows; 302 if it cannot be read yet."""
        if sent_list.state:
            return redirect(self.name, sent_list.pk)
        try:
            result = self.preview(sent_list)
        except SpreadsheetRefused:
            return redirect(self.name, sent_list.pk)
        if result.plan is None:
            return redirect(self.name, sent_list.pk)
        remarks: dict[int, list[str]] = {}
        refusals_by_row = [(row.row, self._row_sentence(result.table, row)) for row in result.plan.refused]
        for row, sentence in (*refusals_by_row, *self.doubts(result.plan)):
            remarks.setdefault(row, []).append(sentence)
        reading = self.reading(sent_list)
        return spreadsheet_response(
            marked_list(result.table, reading.columns, remarks), f"to-correct-{reading.about}", "xlsx"
        )


def _chosen_layout(fields: QueryDict, reading: Reading) -> tuple[list[int], int, dict[str, int]]:
    """Sheets, last row of headings, and index of each column, as the form of `_show_columns` sends them.

    Raises SpreadsheetHeadingRepeated if the form assigns one name to two columns.
    """
    sheets = [int(text) for text in fields.getlist("sheet") if text.isdecimal() and len(text) < 4]
    row = fields.get("header_row", "")
    names = {column.name for column in reading.columns}
    places: dict[str, int] = {}
    for field, name in fields.items():
        index = field.removeprefix("column-")
        if not field.startswith("column-") or not index.isdecimal() or int(index) >= MAX_COLUMNS or name not in names:
            continue
        if name in places:
            first = column_letter(places[name])
            second = column_letter(int(index))
            raise SpreadsheetHeadingRepeated(f"columns {first} and {second} are said to be the same ({name})")
        places[name] = int(index)
    header_row = int(row) if row.isdecimal() and len(row) < 8 else 0
    return sheets or [0], header_row, places


class GradualListPages(ListPages[List]):
    """A kind of list that is stored a few rows at a time: a short list at once, a long one by the worker.

    storage: stores the lists of the model.
    """

    storage: ListStorage[List]

    @property
    def stored_sentence(self) -> str:
        """The sentence for a list that is stored, with %(added)s and %(changed)s."""
        raise NotImplementedError

    def accept(self, sent_list: List, digest: str) -> List:
        """Accept what the preview with this digest showed. Raises a Refused; nothing will be stored then."""
        raise NotImplementedError

    def result_page(self, sent_list: List) -> str:
        """The name of the page that shows what was stored."""
        raise NotImplementedError

    def store(self, request: OfficeRequest, sent_list: List, digest: str) -> HttpResponse:
        sent_list = self.accept(sent_list, digest)
        if sent_list.added + sent_list.changed > MOST_AT_ONCE:
            return redirect(self.name, sent_list.pk)
        self.storage.continue_list(sent_list, timezone.now())
        self.model._base_manager.filter(pk=sent_list.pk).delete()
        messages.success(request, self.stored_sentence % {"added": sent_list.added, "changed": sent_list.changed})
        return redirect(self.result_page(sent_list))

    def delete(self, sent_list: List) -> None:
        self.storage.withdraw(sent_list)


class DirectoryLists(GradualListPages[ListImport]):
    """Lists of agencies, of units and of telephone numbers, for the whole city."""

    name = "import"
    model = ListImport
    who = ADMINS
    owner = Ownership.CITY
    columns = list_imports.COLUMNS
    tabs = "agencies/tabs.html"
    changes = "agencies/import_changes.html"
    people = "people-imports"
    storage = list_imports.LIST_STORAGE

    @property
    def words(self) -> Mapping[str, str]:
        return {
            "title": _("Import a list"),
            "lead": _("First you see what the list would change. Nothing is stored until you accept it."),
            "hint": _("An empty cell keeps what is stored; nothing is ever deleted."),
            "button": _("Accept and store"),
        }

    @property
    def titles(self) -> Mapping[str, str]:
        return {
            "agencies": _("Agencies"),
            "units": _("Administrative units"),
            "phones": _("Telephone numbers of agencies and residential groups"),
        }

    def new_form(self, request: OfficeRequest, *typed: Any) -> Form:
        require_edit_all(request)
        return ImportForm(*typed)

    def receive(self, request: OfficeRequest, values: Mapping[str, Any], file_name: str, content: bytes) -> ListImport:
        return list_imports.receive_list(request.user, values["about"], file_name, content, timezone.localdate())

    def own_lists(self, request: OfficeRequest) -> "QuerySet[ListImport]":
        require_edit_all(request)
        return ListImport.objects.filter(made_by=request.user).defer("content", "accepted")

    def reading(self, sent_list: ListImport) -> Reading:
        return list_imports.reading_of(sent_list.about)

    def preview(self, sent_list: ListImport) -> Preview[Any]:
        return list_imports.preview_list(sent_list)

    @property
    def stored_sentence(self) -> str:
        return _("The list has been imported: %(added)s added, %(changed)s changed.")

    def accept(self, sent_list: ListImport, digest: str) -> ListImport:
        return list_imports.accept_list(sent_list, digest)

    def result_page(self, sent_list: ListImport) -> str:
        return "units" if sent_list.about == "units" else "agencies"

    def changes_context(self, plan: Any) -> Mapping[str, object]:
        return {"shown": describe_plan(plan)}

    def doubts(self, plan: Any) -> Sequence[tuple[int, str]]:
        return describe_plan(plan).doubts

    def doubt_sentences(self, plan: Any) -> Sequence[str]:
        return describe_plan(plan).doubted

    def running_context(self, sent_list: ListImport) -> Mapping[str, object]:
        more = _("Until it is finished, nothing else in the directory can be changed.")
        return {"more": more, "next": self.result_page(sent_list), "next_title": self.place_name(sent_list)}


LISTS = DirectoryLists()
