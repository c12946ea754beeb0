# SPDX-License-Identifier: Apache-2.0
"""What the desk reads when a notice was not queued, and why a row of a list is left out."""

from django.utils.translation import gettext_lazy as _

REFUSALS = {
    "sms_already_sent": _("This guest has had the notice of this stay. Nothing was sent again."),
    "sms_opted_out": _("This guest wants no messages from the city. Nothing was sent; offer the card with the code."),
    "sms_budget_spent": _("The city’s messages of today or this month are used up. Offer the card with the code."),
    "sms_not_set": _("The city has no way to send text messages yet. Offer the card with the code."),
    "sms_number_invalid": _("No message can go to this number."),
    "visitor_consent_missing": _("Ask the guest first. Without a yes nothing is sent."),
}
ROWS = {
    "number": _("no mobile number"),
    "empty": _("empty"),
    "twice": _("same number as above"),
    "consent": _("no yes"),
}
