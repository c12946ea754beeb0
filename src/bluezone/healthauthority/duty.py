# SPDX-License-Identifier: Apache-2.0
"""What the health authority registers."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, Group, MenuEntry, Work

# Administrators make accounts and issue no codes: these two powers are separate.
CODE_ISSUERS = Audience("CODE_ISSUERS", frozenset({"health_worker", "supervisor"}))
# Only supervisors open declarations and raise limits.
HEALTH_SUPERVISORS = Audience("HEALTH_SUPERVISORS", frozenset({"supervisor"}))

DUTY = Duty(
    name="healthauthority",
    app="bluezone.healthauthority",
    urls="bluezone.healthauthority.urls",
    audiences=(CODE_ISSUERS, HEALTH_SUPERVISORS),
    acts={
        "code_issued": _("issued a code"),
        "code_revoked": _("revoked a code"),
        "quota_refused": _("was refused a code over the quota"),
        "quota_raised": _("raised the limit of codes for a day"),
        "declaration_key_made": _("created the key for declarations"),
        "declaration_key_sealed": _("changed the passphrase for declarations"),
        "declaration_opened": _("opened a declaration"),
        "declaration_refused": _("entered a wrong passphrase for declarations"),
        "inquiry_key_set": _("set the key for inquiries"),
        "issue_minute_opened": _("looked up the minute in which a code was issued"),
        "venue_alerted": _("warned the guests of a venue"),
    },
    menu=(MenuEntry(_("Codes"), "codes", 10, ("codes", "code"), CODE_ISSUERS, group=Group.OFFICE),),
    first_pages=(FirstPage(CODE_ISSUERS, "code-new", 20, _("Issue a code")),),
    waiting="bluezone.healthauthority.matters.matters_of",
    purges=(Work("purge_codes", "bluezone.healthauthority.hourly_work.purge"),),
    hourly=(Work("log_audit_head", "bluezone.healthauthority.hourly_work.publish_audit_head"),),
)
