# SPDX-License-Identifier: Apache-2.0
"""Masks: what they register of themselves."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, MenuEntry, PrintSheet, Work

# Who enters what was handed out, each for the wards of their role.
MASK_KEEPERS = Audience("MASK_KEEPERS", frozenset({"clerk", "officer"}))

DUTY = Duty(
    name="masks",
    app="tests.meta.newduty",
    urls="tests.meta.newduty.urls",
    audiences=(MASK_KEEPERS,),
    acts={"masks_handed_out": _("entered masks handed out")},
    menu=(MenuEntry(_("Masks"), "masks", 125, ("masks",), MASK_KEEPERS),),
    first_pages=(FirstPage(MASK_KEEPERS, "masks", 200, _("Enter masks")),),
    purges=(Work("purge_masks", "tests.meta.newduty.retention.purge"),),
    indicators=("tests.meta.newduty.indicators.ShownWithMask",),
    print_sheets=(
        PrintSheet(
            "masks",
            "txt",
            "text/plain; charset=utf-8",
            _("Note with a mask"),
            _("To be handed out with a mask."),
            "tests.meta.newduty.sheets.note",
        ),
    ),
)
