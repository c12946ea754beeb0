# SPDX-License-Identifier: Apache-2.0
"""What alerts for phones register."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, Group, MenuEntry

# Roles that write alerts for phones.
ALERT_WRITERS = Audience("ALERT_WRITERS", frozenset({"editor", "issuer"}))
# Roles that publish and cancel them.
ALERT_SIGNERS = Audience("ALERT_SIGNERS", frozenset({"issuer"}))

DUTY = Duty(
    name="cap",
    app="bluezone.messaging.cap",
    urls="bluezone.messaging.cap.urls",
    public_urls="bluezone.messaging.cap.urls_public",
    audiences=(ALERT_WRITERS, ALERT_SIGNERS),
    acts={
        "alert_published": _("published an alert for phones"),
        "alert_cancelled": _("cancelled an alert for phones"),
    },
    shared_acts={
        "alert-released": "bluezone.messaging.cap.lifecycle.AlertRelease",
        "alert-cancelled": "bluezone.messaging.cap.lifecycle.AlertCancellation",
    },
    menu=(MenuEntry(_("Alerts"), "alerts", 130, ("alerts", "alert"), ALERT_WRITERS, group=Group.PUBLIC),),
    waiting="bluezone.messaging.cap.matters.matters_of",
    search="bluezone.messaging.cap.lifecycle.search_alerts",
)
