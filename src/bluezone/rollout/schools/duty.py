# SPDX-License-Identifier: Apache-2.0
"""The registration of the schools app: roles, audited acts, menu, purges and indicator."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, Group, MenuEntry, Work

# The roles that enter the numbers of classes: teachers for their own classes, the others for the schools in scope.
CLASS_REPORTERS = Audience("CLASS_REPORTERS", frozenset({"admin", "clerk", "lead", "officer", "teacher"}))
TEACHERS = Audience("TEACHERS", frozenset({"teacher"}))

DUTY = Duty(
    name="schools",
    app="bluezone.rollout.schools",
    urls="bluezone.rollout.schools.urls",
    public_urls="bluezone.rollout.schools.public_views",
    audiences=(CLASS_REPORTERS, TEACHERS),
    acts={
        "school_classes_set": _("changed the classes of a school"),
        "class_links_made": _("created links for classes"),
        "classes_reported": _("reported the numbers of classes"),
        "classes_returned": _("sent the numbers of classes back"),
        "school_break_set": _("set weeks without school"),
    },
    menu=(
        MenuEntry(
            _("Schools"), "schools", 80, ("schools", "school"), used_by=frozenset({"teacher"}), group=Group.FIELD
        ),
    ),
    first_pages=(FirstPage(TEACHERS, "schools-mine", 100, _("Report my classes")),),
    waiting="bluezone.rollout.schools.matters.matters_of",
    purges=(
        Work("purge_schools", "bluezone.rollout.schools.classes.class_links.purge"),
        Work("purge_class_lists", "bluezone.rollout.schools.classes.class_lists.purge"),
    ),
    indicators=("bluezone.rollout.schools.queries.PupilsRunning",),
    reversers={
        "school_class_ended": "bluezone.rollout.schools.classes.catalogue.undo_close_class",
    },
)
