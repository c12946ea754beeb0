# SPDX-License-Identifier: Apache-2.0
"""What the directory of units and agencies registers."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, Group, MenuEntry, Work

# Who edits the directory of units and agencies, a clerk within the scope of the role. Everybody signed in may read it.
DIRECTORY_EDITORS = Audience("DIRECTORY_EDITORS", frozenset({"admin", "clerk"}))
# Who enters the staff reports of agencies, each for the agencies that the role reaches.
STAFF_REPORTERS = Audience("STAFF_REPORTERS", frozenset({"admin", "clerk", "lead", "officer"}))

DUTY = Duty(
    name="directory",
    app="bluezone.directory",
    urls="bluezone.directory.urls",
    audiences=(DIRECTORY_EDITORS, STAFF_REPORTERS),
    acts={
        "entry_made": _("entered a unit or agency"),
        "entry_changed": _("changed a unit or agency"),
        "figure_recorded": _("recorded a figure"),
        "recipients_changed": _("changed a recipient group"),
        "list_imported": _("imported a list"),
    },
    menu=(
        MenuEntry(
            _("Directory"),
            "agencies",
            30,
            ("agencies", "agency", "units", "unit", "recipients", "imports", "import"),
            used_by=DIRECTORY_EDITORS.roles,
            group=Group.LETTERS,
        ),
    ),
    search="bluezone.directory.queries.search",
    purges=(Work("purge_directory", "bluezone.directory.imports.list_imports.purge"),),
    every_tick=(Work("store_lists", "bluezone.directory.imports.list_imports.continue_lists"),),
    reversers={
        "recipients-added": "bluezone.directory.agency_views.undo_adding_recipients",
        "recipient-removed": "bluezone.directory.agency_views.undo_removing_recipient",
    },
)
