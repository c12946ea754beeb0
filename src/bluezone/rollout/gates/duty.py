# SPDX-License-Identifier: Apache-2.0
"""Gates: what they register of themselves."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, Group, MenuEntry, Work

# Who counts at a gate, with a tablet or on paper; the pages of the gates everybody signed in may open.
GATEKEEPERS = Audience("GATEKEEPERS", frozenset({"gatekeeper"}))

DUTY = Duty(
    name="gates",
    app="bluezone.rollout.gates",
    urls="bluezone.rollout.gates.urls",
    public_urls="bluezone.rollout.gates.public_views",
    api_prefix="/v1/gates/",
    audiences=(GATEKEEPERS,),
    acts={
        "gate_opened": _("opened a gate"),
        "gate_closed": _("closed a gate"),
        "gate_device_put": _("assigned a tablet to a gate"),
        "gatekeeper_named": _("nominated a gatekeeper or printed a badge"),
        "gatekeeper_ended": _("ended a gatekeeper’s nomination"),
        "gate_slip_entered": _("entered or corrected a paper slip of a gate"),
        "gate_slip_removed": _("removed a paper slip of a gate"),
        "gate_inside_corrected": _("corrected how many people are inside a gate"),
    },
    menu=(
        MenuEntry(
            _("Gates"),
            "gates",
            60,
            ("gates", "gate", "gatekeepers"),
            used_by=frozenset({"gatekeeper", "lead", "officer"}),
            group=Group.FIELD,
        ),
    ),
    first_pages=(FirstPage(GATEKEEPERS, "gates", 90, _("See the gates")),),
    search="bluezone.rollout.gates.queries.search",
    purges=(Work("purge_gates", "bluezone.rollout.gates.counters.purge"),),
    indicators=(
        "bluezone.rollout.gates.queries.RunningAtGates",
        "bluezone.rollout.gates.queries.CodeFresh",
        "bluezone.rollout.gates.queries.SeenAtGates",
        "bluezone.rollout.gates.queries.SeenOnPaper",
    ),
    reversers={
        "gate-slip": "bluezone.rollout.gates.paper_slips.take_back",
    },
)
