# SPDX-License-Identifier: Apache-2.0
"""Lists that people send in: the pages of every kind (send it in, look at what it would do, say which column is which,
correct rows, have exactly that done), and the kind that the directory takes.
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
from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.listings import file_of
from bluezone.directory.imports.pieces import LOOK_AGAIN_SECONDS, MOST_AT_ONCE, Pieces, progress
from bluezone.directory.imports.previews import shown
from bluezone.directory.imports.raw_sheets import (
    MAX_COLUMNS,
    SpreadsheetHeadingRepeated,
    SpreadsheetRefused,
    column_letter,
)
from bluezone.directory.imports.sent_lists import (
    Preview,
    Reading,
    RefusedRow,
    decide,
    empty_list,
    examples,
    fix,
    fix_cells,
    marked_list,
)
from bluezone.directory.imports.tables import Table, read_sheets
from bluezone.directory.models import ListImport, SentList
from bluezone.directory.request_parameters import chosen_number, require_all
from bluezone.duties.duty import Audience
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, View, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.objects import Whose, touches
from bluezone.identity.second_factors import confirm_second_factor
from bluezone.refusal import Refused
from bluezone.training import practised

# More rows than a person looks through on a page are counted and left to the file.
ROWS_SHOWN = 200
# Refused rows that are typed over at a time.
ROWS_TO_FIX = 25
List = TypeVar("List", bound=SentList)
State = SentList.State


class ListPages(Generic[List]):
    """One kind of list that people send in, with its pages. A kind says what is here; the pages are the same for all.

    name:            of its addresses: "import" gives "imports", where a list is sent in, "import" and "import-fix".
    model:           keeps the lists. who: may send one in. whose: what for (it is asked in `new_form`).
    title, lead, hint: words of the page where a list is sent in; hint: what is left out or kept.
    tabs:            template above the pages. changes: template of what a list would change, with `shown`.
    more:            template below the empty lists, for what else there is to take away.
    people:          name of the page where a list of people is sent in, where one may come here by mistake.
    columns:         what a list may be about -> its columns; titles: the same in words.
    is_practised:    also in training mode. asks_again: storing one needs a fresh proof of the second factor.
    takes_good_rows: rows that are refused do not hold up the others.
    """

    name: ClassVar[str]
    model: type[List]
    who: ClassVar[Audience]
    whose: ClassVar[Whose]
    changes: ClassVar[str]
    columns: ClassVar[Mapping[str, Sequence[Column]]]
    tabs = more = people = ""
    is_practised = asks_again = takes_good_rows = False

    # What a kind says.

    @property
    def words(self) -> Mapping[str, str]:
        """title, lead and hint of the page where a list is sent in, and button: what storing it is called."""
        raise NotImplementedError

    @property
    def titles(self) -> Mapping[str, str]:
        """What a list may be about, in words."""
        raise NotImplementedError

    def new_form(self, request: OfficeRequest, *typed: Any) -> Form:
        """The form that sends a list in, with a field `file`; it asks what the person's role reaches."""
        raise NotImplementedError

    def receive(self, request: OfficeRequest, said: Mapping[str, Any], file_name: str, content: bytes) -> List:
        """Keep a list. said: what the form says. Raises a Refused."""
        raise NotImplementedError

    def mine(self, request: OfficeRequest) -> "QuerySet[List]":
        """The lists that this person sent in and may still store."""
        raise NotImplementedError

    def reading(self, waiting: List) -> Reading:
        """How the list is read."""
        raise NotImplementedError

    def preview(self, waiting: List) -> Preview[Any]:
        """What the list would do: its plan has added, changed, unchanged and refused. Raises a SpreadsheetRefused."""
        raise NotImplementedError

    def store(self, request: OfficeRequest, waiting: List, digest: str) -> HttpResponse:
        """Do what was shown under `digest`, and lead on. Raises a Refused, and nothing is stored."""
        raise NotImplementedError

    def take_back(self, waiting: List) -> None:
        """Forget the list. Raises a Refused where it is too late."""
        self.model._base_manager.filter(pk=waiting.pk).delete()

    def shown(self, plan: Any) -> Mapping[str, object]:
        """What the template `changes` needs of a plan."""
        return {"plan": plan}

    def doubts(self, plan: Any) -> Sequence[tuple[int, str]]:
        """What a person should look at before storing: number of the row, sentence."""
        return ()

    def doubted(self, plan: Any) -> Sequence[str]:
        """The same as the page says it."""
        return [sentence for _row, sentence in self.doubts(plan)]

    def counts(self, plan: Any) -> list[tuple[int, str]]:
        """How many rows do what, in words."""
        unchanged = plan.unchanged if isinstance(plan.unchanged, int) else len(plan.unchanged)
        return [
            (len(plan.added), _("added")),
            (len(plan.changed), _("changed")),
            (unchanged, _("unchanged")),
            (len(plan.refused), _("refused")),
        ]

    def reason(self, code: str) -> str:
        """The sentence for a row that is refused. code: RefusedRow.reason."""
        return refusals.sentence(code)

    def sentence_of(self, refused: Refused) -> str:
        """The sentence for a list that is refused."""
        return refusals.sentence_of(refused)

    def place(self, waiting: List) -> str:
        """What the list is about, or where."""
        return self.titles[self.reading(waiting).about]

    def running(self, held: List) -> Mapping[str, object]:
        """Of a list that is stored by and by: a sentence `more`, and where it is seen then, `next` and `next_title`."""
        return {}

    # The pages.

    @property
    def names(self) -> Mapping[str, str]:
        """The names of the addresses, by act."""
        every = ("decide", "columns", "fix", "apply", "discard", "marked", "empty")
        return {act: f"{self.name}-{act}" for act in every}

    def urls(self, base: str) -> list[URLPattern]:
        """The addresses under `base`, such as "imports/"."""
        post, both, nobodys = ["POST"], ["GET", "HEAD", "POST"], Whose.NOBODYS
        one = f"{base}<int:pk>/"
        return [
            path(base, self._view(self.send_in, both, self.whose), name=f"{self.name}s"),
            path(f"{base}empty/<str:about>.xlsx", self._view(self.empty, both[:2], nobodys), name=f"{self.name}-empty"),
            path(one, self._view(self.show, both[:2]), name=self.name),
            path(f"{one}conversion/", self._view(self.decide, post), name=f"{self.name}-decide"),
            path(f"{one}columns/", self._view(self.choose_columns, both), name=f"{self.name}-columns"),
            path(f"{one}fix/", self._view(self.fix_rows, post), name=f"{self.name}-fix"),
            path(f"{one}apply/", self._view(self.apply, post, asks_again=self.asks_again), name=f"{self.name}-apply"),
            path(f"{one}discard/", self._view(self.discard, post), name=f"{self.name}-discard"),
            path(f"{one}marked.xlsx", self._view(self.marked, both[:2]), name=f"{self.name}-marked"),
        ]  # fmt: skip

    def _view(
        self, act: Callable[..., HttpResponse], methods: list[str], whose: Whose = Whose.OWN, asks_again: bool = False
    ) -> View:
        @functools.wraps(act)
        def view(request: OfficeRequest, **named: Any) -> HttpResponse:
            if whose is not Whose.OWN:
                return act(request, **named)
            return act(request, get_object_or_404(self.mine(request), pk=named["pk"]))

        guarded: View = audience(self.who)(touches(whose)(confirm_second_factor(view) if asks_again else view))
        return require_http_methods(methods)(practised(guarded) if self.is_practised else guarded)

    def send_in(self, request: OfficeRequest) -> HttpResponse:
        """Send a list in: 302 to its preview, 422 with a sentence when it cannot be read."""
        typed = (request.POST, request.FILES) if request.method == "POST" else ()
        form = self.new_form(request, *typed)
        if typed and form.is_valid():
            said = dict(form.cleaned_data)
            file = said.pop("file")
            with acts.show_refusals(form, self.sentence_of, at="file"):
                waiting = self.receive(request, said, file.name or "", file.read())
                return redirect(self.name, waiting.pk)
        over = [State.DONE, State.TAKING_BACK]
        lists = [(one, self.place(one)) for one in self.mine(request).exclude(state__in=over).order_by("-made_at")]
        wanted = [
            (about, self.titles[about], [(column.label, column.required) for column in columns])
            for about, columns in self.columns.items()
        ]
        context = {"pages": self, "words": self.words, "form": form, "lists": lists, "columns": wanted}
        return render(request, "agencies/import_new.html", context, status=422 if form.errors else 200)

    def empty(self, request: OfficeRequest, about: str) -> HttpResponse:
        """An empty list with its headings, as XLSX."""
        about = about if about in self.columns else next(iter(self.columns))
        return file_of(empty_list(self.titles[about], self.columns[about]), f"empty-{about}", "xlsx")

    def show(self, request: OfficeRequest, waiting: List, refusal: str = "", status: int = 200) -> HttpResponse:
        """What the list would do; before that, whether text of an old font is converted and which column is which."""
        if waiting.state:
            return self._show_running(request, waiting, refusal, status)
        try:
            seen = self.preview(waiting)
        except SpreadsheetRefused as refused:
            return self._show_columns(request, waiting, refusal or self.sentence_of(refused), status)
        context: dict[str, object] = {
            "pages": self, "words": self.words, "waiting": waiting, "preview": seen, "plan": seen.plan,
            "refusal": refusal, "place": self.place(waiting),
        }  # fmt: skip
        if seen.plan is not None:
            context |= self._shown(waiting, seen.table, seen.plan)
        return render(request, "agencies/import.html", context, status=status)

    def _shown(self, waiting: List, table: Table, plan: Any) -> dict[str, object]:
        columns = self.reading(waiting).columns
        does_something = bool(plan.added or plan.changed)
        return {
            **self.shown(plan),
            "counts": self.counts(plan),
            "does_something": does_something,
            "can_store": does_something and (self.takes_good_rows or not plan.refused),
            "refused": [self._row_sentence(table, one) for one in plan.refused[:ROWS_SHOWN]],
            "to_fix": [
                (self._row_sentence(table, one), one.row, fix_cells(table, columns, one))
                for one in plan.refused[:ROWS_TO_FIX]
            ],
            "doubted": self.doubted(plan)[:ROWS_SHOWN],
            "left_out": [refusals.row_name(row) for row in table.left_out[:ROWS_SHOWN]],
            "rows_shown": ROWS_SHOWN,
        }

    def _row_sentence(self, table: Table, refused: RefusedRow) -> str:
        where = refusals.cell_name(refused.row, table.letters.get(refused.column))
        return f"{where}: {self.reason(refused.reason)}"

    def _show_running(self, request: OfficeRequest, held: List, refusal: str, status: int) -> HttpResponse:
        done, rows = progress(held)
        context = {
            "pages": self, "held": held, "done": done, "rows": rows, "refusal": refusal, "place": self.place(held),
            **self.running(held),
        }  # fmt: skip
        response = render(request, "agencies/import_running.html", context, status=status)
        if held.state != State.DONE:
            response.headers["Refresh"] = str(LOOK_AGAIN_SECONDS)
        return response

    def decide(self, request: OfficeRequest, waiting: List) -> HttpResponse:
        """Convert text of an old font, or leave it as it is; 302 to the preview."""
        if not waiting.state:
            decide(waiting, request.POST.get("conversion", ""))
        return redirect(self.name, waiting.pk)

    def choose_columns(self, request: OfficeRequest, waiting: List) -> HttpResponse:
        """Say which column is which, beside the first rows: 302 to the preview, 422 when it cannot be read so."""
        if waiting.state:
            return redirect(self.name, waiting.pk)
        if request.method != "POST":
            return self._show_columns(request, waiting, "")
        reading = self.reading(waiting)
        try:
            reading.choose(waiting, *_chosen_layout(request.POST, reading))
        except SpreadsheetRefused as refused:
            return self._show_columns(request, waiting, self.sentence_of(refused), 422)
        return redirect(self.name, waiting.pk)

    def _show_columns(self, request: OfficeRequest, waiting: List, refusal: str, status: int = 200) -> HttpResponse:
        reading, asked = self.reading(waiting), chosen_number(request, "sheet")
        sheets = read_sheets(bytes(waiting.content))
        found = examples(sheets, reading, waiting.layout)
        widest = max(range(len(found)), key=lambda number: len(found[number].rows), default=0)
        first = waiting.layout["sheets"][0] if waiting.layout else widest
        number = asked if asked is not None and asked < len(found) else first
        context = {
            "pages": self,
            "waiting": waiting,
            "refusal": refusal,
            "of_people": not waiting.layout and reading.lists_people(sheets),
            "sheets": found,
            "sheet": found[number] if found else None,
            "used": waiting.layout.get("sheets", []),
            "choices": [(column.name, column.label, column.required) for column in reading.columns],
        }
        return render(request, "agencies/import_columns.html", context, status=status)

    def fix_rows(self, request: OfficeRequest, waiting: List) -> HttpResponse:
        """Correct refused rows in the browser, or leave them out; sent twice it is the same. 302 to the new preview."""
        if not waiting.state:
            fix(waiting, self.reading(waiting).columns, request.POST.dict())
        return redirect(self.name, waiting.pk)

    def apply(self, request: OfficeRequest, waiting: List) -> HttpResponse:
        """Do what the preview showed, a long list by the worker: 302, or 409 with the new preview when it is another by
        now or not possible.
        """
        if waiting.state:
            return redirect(self.name, waiting.pk)
        try:
            return self.store(request, waiting, request.POST.get("digest", ""))
        except Refused as refused:
            return self.show(request, waiting, self.sentence_of(refused), status=409)

    def discard(self, request: OfficeRequest, waiting: List) -> HttpResponse:
        """Forget the list, and take back what is stored of it: 302, or 409 when some of it is seen."""
        try:
            self.take_back(waiting)
        except Refused as refused:
            return self.show(request, waiting, self.sentence_of(refused), status=409)
        messages.info(request, _("The list is discarded; nothing was stored."))
        return redirect(f"{self.name}s")

    def marked(self, request: OfficeRequest, waiting: List) -> HttpResponse:
        """The list as XLSX with what is to be said of its rows beside them; 302 where it cannot be read yet."""
        if waiting.state:
            return redirect(self.name, waiting.pk)
        try:
            seen = self.preview(waiting)
        except SpreadsheetRefused:
            return redirect(self.name, waiting.pk)
        if seen.plan is None:
            return redirect(self.name, waiting.pk)
        remarks: dict[int, list[str]] = {}
        said = [(one.row, self._row_sentence(seen.table, one)) for one in seen.plan.refused]
        for row, sentence in (*said, *self.doubts(seen.plan)):
            remarks.setdefault(row, []).append(sentence)
        reading = self.reading(waiting)
        return file_of(marked_list(seen.table, reading.columns, remarks), f"to-correct-{reading.about}", "xlsx")


def _chosen_layout(said: QueryDict, reading: Reading) -> tuple[list[int], int, dict[str, int]]:
    """Sheets, last row of headings, and column of each name, as the form of `_show_columns` sends them.

    Raises SpreadsheetHeadingRepeated when two columns are said to be the same.
    """
    sheets = [int(text) for text in said.getlist("sheet") if text.isdecimal() and len(text) < 4]
    row = said.get("header_row", "")
    names = {column.name for column in reading.columns}
    places: dict[str, int] = {}
    for field, name in said.items():
        index = field.removeprefix("column-")
        if not field.startswith("column-") or not index.isdecimal() or int(index) >= MAX_COLUMNS or name not in names:
            continue
        if name in places:
            first, second = column_letter(places[name]), column_letter(int(index))
            raise SpreadsheetHeadingRepeated(f"columns {first} and {second} are said to be the same ({name})")
        places[name] = int(index)
    return sheets or [0], int(row) if row.isdecimal() and len(row) < 8 else 0, places


class PiecewiseLists(ListPages[List]):
    """A kind that is stored in pieces: a short list at once, a long one by the worker.

    pieces: stores the lists of the model.
    """

    pieces: Pieces[List]

    @property
    def told(self) -> str:
        """The sentence for a list that is stored, with %(added)s and %(changed)s."""
        raise NotImplementedError

    def accept(self, waiting: List, digest: str) -> List:
        """Keep what the list would do, as it was shown under `digest`. Raises a Refused, and nothing will be stored."""
        raise NotImplementedError

    def seen_on(self, held: List) -> str:
        """The name of the page on which that is seen which was stored."""
        raise NotImplementedError

    def store(self, request: OfficeRequest, waiting: List, digest: str) -> HttpResponse:
        held = self.accept(waiting, digest)
        if held.added + held.changed > MOST_AT_ONCE:
            return redirect(self.name, held.pk)
        self.pieces.carry_out(held, timezone.now())
        self.model._base_manager.filter(pk=held.pk).delete()
        messages.success(request, self.told % {"added": held.added, "changed": held.changed})
        return redirect(self.seen_on(held))

    def take_back(self, waiting: List) -> None:
        self.pieces.take_back(waiting)


class DirectoryLists(PiecewiseLists[ListImport]):
    """Lists of agencies, of units and of telephone numbers, for the whole city."""

    name, model, who, whose = "import", ListImport, ADMINS, Whose.CITY
    columns = list_imports.COLUMNS
    tabs, changes, people = "agencies/tabs.html", "agencies/import_changes.html", "people-imports"
    pieces = list_imports.PIECES

    @property
    def words(self) -> Mapping[str, str]:
        return {
            "title": _("Import a list"),
            "lead": _("First you see what the list would change. Nothing is stored until you accept it."),
            "hint": _("An empty cell leaves what is stored; nothing is ever deleted."),
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
        require_all(request)
        return ImportForm(*typed)

    def receive(self, request: OfficeRequest, said: Mapping[str, Any], file_name: str, content: bytes) -> ListImport:
        return list_imports.receive(request.user, said["about"], file_name, content, timezone.localdate())

    def mine(self, request: OfficeRequest) -> "QuerySet[ListImport]":
        require_all(request)
        return ListImport.objects.filter(made_by=request.user).defer("content", "accepted")

    def reading(self, waiting: ListImport) -> Reading:
        return list_imports.reading_of(waiting.about)

    def preview(self, waiting: ListImport) -> Preview[Any]:
        return list_imports.preview(waiting)

    @property
    def told(self) -> str:
        return _("The list is imported: %(added)s added, %(changed)s changed.")

    def accept(self, waiting: ListImport, digest: str) -> ListImport:
        return list_imports.accept(waiting, digest)

    def seen_on(self, held: ListImport) -> str:
        return "units" if held.about == "units" else "agencies"

    def shown(self, plan: Any) -> Mapping[str, object]:
        return {"shown": shown(plan)}

    def doubts(self, plan: Any) -> Sequence[tuple[int, str]]:
        return shown(plan).doubts

    def doubted(self, plan: Any) -> Sequence[str]:
        return shown(plan).doubted

    def running(self, held: ListImport) -> Mapping[str, object]:
        more = _("Until it is done nothing else of the directory can be changed.")
        return {"more": more, "next": self.seen_on(held), "next_title": self.place(held)}


LISTS = DirectoryLists()
