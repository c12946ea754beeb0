# SPDX-License-Identifier: Apache-2.0
"""House visits: what they register of themselves."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, Group, MenuEntry, Work

# Who cuts lists of doors, gives them to phones and decides at the desk of the house visits, each within its wards.
CANVASS_KEEPERS = Audience("CANVASS_KEEPERS", frozenset({"lead", "officer", "drive_lead"}))

DUTY = Duty(
    name="canvass",
    app="bluezone.rollout.canvass",
    urls="bluezone.rollout.canvass.urls",
    public_urls="bluezone.rollout.canvass.visits.endpoints",
    api_prefix="/v1/canvass/",
    audiences=(CANVASS_KEEPERS,),
    acts={
        "households_imported": _("imported a list of households"),
        "household_changed": _("changed what is stored of a household"),
        "households_merged": _("merged two households, or kept them separate"),
        "turf_cut": _("created a list of doors"),
        "turf_closed": _("closed a list of doors"),
        "turf_leased": _("gave a list of doors to a phone"),
        "lease_ended": _("withdrew a list of doors from a phone"),
        "phone_lost": _("reported a phone for house visits lost"),
        "conflict_decided": _("decided between two values of a household"),
        "gap_forced": _("accepted a change of a household although an earlier one is missing"),
        "entry_decided": _("decided on an entry from a phone that was set aside"),
        "sheet_entered": _("entered a sheet of house visits"),
        "leaflets_moved": _("booked leaflets"),
    },
    menu=(
        MenuEntry(
            _("House visits"),
            "canvass",
            110,
            ("canvass",),
            used_by=frozenset({"canvasser", "drive_lead", "officer"}),
            group=Group.FIELD,
        ),
    ),
    purges=(Work("purge_canvass", "bluezone.rollout.canvass.retention.purge"),),
    every_tick=(Work("store_door_lists", "bluezone.rollout.canvass.households.door_lists.go_on"),),
    indicators=(
        "bluezone.rollout.canvass.progress.DoorsVisited",
        "bluezone.rollout.canvass.progress.SeenAtDoors",
        "bluezone.rollout.canvass.progress.ToldAtDoors",
    ),
    door_counts="bluezone.rollout.canvass.progress.doors_by_unit",
    door_answers="bluezone.rollout.canvass.visits.answers.answers_by_unit",
)
