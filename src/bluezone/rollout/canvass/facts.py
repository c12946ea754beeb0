# SPDX-License-Identifier: Apache-2.0
"""What the facts of a household are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: dict[str, Promise] = {
    "head": _("Householder"),
    "address": _("Address"),
    "group": _("Residential group"),
    "smartphones": _("Smartphones"),
    "note": _("Note for the way"),
}
