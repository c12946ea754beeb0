# SPDX-License-Identifier: Apache-2.0
"""Schools: what they register of themselves."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, MenuEntry, Work

# Who enters the numbers of classes, each for the schools of its scope; a teacher for their own classes.
CLASS_REPORTERS = Audience("CLASS_REPORTERS", frozenset({"admin", "clerk", "lead", "officer", "teacher"}))

DUTY = Duty(
    name="schools",
    app="bluezone.rollout.schools",
    urls="bluezone.rollout.schools.urls",
    public_urls="bluezone.rollout.schools.public_views",
    audiences=(CLASS_REPORTERS,),
    acts={
        "school_classes_set": _("changed the classes of a school"),
        "class_links_made": _("made links for classes"),
        "classes_reported": _("reported the numbers of classes"),
        "classes_returned": _("sent the numbers of classes back"),
        "school_break_set": _("set weeks without school"),
    },
    menu=(MenuEntry(_("Schools"), "schools", 80, ("schools", "school")),),
    first_pages=(FirstPage(CLASS_REPORTERS, "schools-mine", 100),),
    purges=(Work("purge_schools", "bluezone.rollout.schools.class_links.purge"),),
    indicators=("bluezone.rollout.schools.queries.PupilsRunning",),
    reversers={
        "school_class_ended": "bluezone.rollout.schools.catalogue.let_it_go_on",
    },
)
