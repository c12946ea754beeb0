# SPDX-License-Identifier: Apache-2.0
"""The roles that a person may have.

A new role is a member of Role here. Audiences in the duties say which pages it may open, REQUIRING in
factors/second_factors.py whether it needs a second factor, and rolepages/ has its guide. No model is imported: the
duties read the roles before Django knows its apps.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """A duty in the rollout or in the health authority: the stored value, and its English name."""

    ISSUER = "issuer", _("Signatory")
    CLERK = "clerk", _("Clerk")
    LEAD = "lead", _("Head of the agency")
    OFFICER = "officer", _("Officer in charge")
    GATEKEEPER = "gatekeeper", _("Gatekeeper")
    CANVASSER = "canvasser", _("Canvasser")
    DRIVE_LEAD = "drive_lead", _("Leader of drives")
    TEACHER = "teacher", _("Teacher")
    VENUE_OWNER = "venue_owner", _("Venue owner")
    SPEAKER_OPERATOR = "speaker_operator", _("Loudspeaker operator")
    EDITOR = "editor", _("Editor")
    HEALTH_WORKER = "health_worker", _("Health worker")
    SUPERVISOR = "supervisor", _("Health supervisor")
    AUDITOR = "auditor", _("Auditor")
    LEADER = "leader", _("Leader, reading only")
    ADMIN = "admin", _("Administrator")


ROLES = frozenset(Role.values)
