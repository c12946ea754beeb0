# SPDX-License-Identifier: Apache-2.0
"""What plans register with the office."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, MenuEntry, Work

PLANNERS = Audience("PLANNERS", frozenset({"leader", "supervisor"}))

DUTY = Duty(
    name="planning",
    app="bluezone.rollout.planning",
    urls="bluezone.rollout.planning.urls",
    audiences=(PLANNERS,),
    acts={
        "plan_asked": _("asked for a plan"),
        "plan_stopped": _("stopped a plan"),
    },
    menu=(MenuEntry(_("What would help"), "plans", 55, ("plans", "plan"), PLANNERS),),
    purges=(Work("purge_planning", "bluezone.rollout.planning.retention.purge"),),
    every_tick=(Work("work_off_plans", "bluezone.rollout.planning.plans.start_open_plans"),),
)
