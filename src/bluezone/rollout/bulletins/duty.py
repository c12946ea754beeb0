# SPDX-License-Identifier: Apache-2.0
"""What the bulletins register with the office."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, Group, MenuEntry, Work

# Approve a bulletin after listening to it. The author may not; heads of the agency, and those who sign for it, may.
BULLETIN_APPROVERS = Audience("BULLETIN_APPROVERS", frozenset({"editor", "lead", "issuer"}))
# Plan what is aired where, set the loudspeakers, and attest what was aired.
AIRING_KEEPERS = Audience("AIRING_KEEPERS", frozenset({"editor", "speaker_operator"}))

DUTY = Duty(
    name="bulletins",
    app="bluezone.rollout.bulletins",
    urls="bluezone.rollout.bulletins.urls",
    public_urls="bluezone.rollout.bulletins.public_views",
    audiences=(BULLETIN_APPROVERS, AIRING_KEEPERS),
    acts={
        "bulletin_written": _("wrote a bulletin text or added a recording"),
        "bulletin_approved": _("approved a bulletin text after listening"),
        "bulletin_withdrawn": _("withdrew a bulletin"),
        "spoken_word_set": _("set how the synthetic voice says a word"),
        "spoken_word_removed": _("removed how the synthetic voice says a word"),
        "airing_scheduled": _("scheduled a bulletin"),
        "airing_changed": _("changed or stopped the schedule of a bulletin"),
        "emergency_aired": _("had an emergency bulletin aired at once"),
        "airing_attested": _("recorded that a bulletin was aired"),
        "outlet_entered": _("entered a station, paper or group of loudspeakers"),
        "outlet_lent": _("set which agencies may air at a station, paper or group of loudspeakers"),
        "outlet_changed": _("changed a station, paper or group of loudspeakers"),
    },
    menu=(
        MenuEntry(
            _("Bulletins and loudspeakers"),
            "bulletins",
            90,
            ("bulletins", "bulletin", "schedule", "air", "airing", "outlet", "spoken", "loudspeakers", "zone"),
            used_by=AIRING_KEEPERS.roles,
            group=Group.PUBLIC,
        ),
    ),
    waiting="bluezone.rollout.bulletins.matters.matters_of",
    search="bluezone.rollout.bulletins.search.search",
    purges=(Work("purge_bulletins", "bluezone.rollout.bulletins.retention.purge"),),
    hourly=(Work("plan_airings", "bluezone.rollout.bulletins.air.planner.plan_airings"),),
    indicators=("bluezone.rollout.bulletins.indicators.AiredAttested",),
    shared_acts={"emergency-aired": "bluezone.rollout.bulletins.air.shared_emergency.EmergencyAiring"},
    reversers={
        "airing-attested": "bluezone.rollout.bulletins.air.air_log.undo_attestation",
    },
)
