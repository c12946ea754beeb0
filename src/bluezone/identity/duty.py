# SPDX-License-Identifier: Apache-2.0
"""What people, their roles and sign-in, and the audit register with the office."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, Group, MenuEntry, Work
from bluezone.identity.roles import ROLES

EVERYONE = Audience("EVERYONE")
# Everybody who holds a role today.
SIGNED_IN = Audience("SIGNED_IN", ROLES)
# For the pages of one's own account, which are open even after the last role has ended.
ACCOUNT_HOLDERS = Audience("ACCOUNT_HOLDERS", ROLES | {"account"})
OVERSEERS = Audience("OVERSEERS", frozenset({"supervisor", "admin", "auditor"}))
ADMINS = Audience("ADMINS", frozenset({"admin"}))
# People who write the news of the public site, and bulletins.
EDITORS = Audience("EDITORS", frozenset({"editor"}))
# Not people: enrolled tablets, canvass phones and loudspeakers, by bearer token.
DEVICES = Audience("DEVICES", frozenset({"device"}))

DUTY = Duty(
    name="identity",
    app="bluezone.identity",
    urls="bluezone.authority.urls",
    audiences=(EVERYONE, SIGNED_IN, ACCOUNT_HOLDERS, OVERSEERS, ADMINS, EDITORS, DEVICES),
    acts={
        "account_made": _("created an account"),
        "account_changed": _("changed an account"),
        "link_made": _("created a one-time link"),
        "role_given": _("gave a role"),
        "role_ended": _("ended a role"),
        "role_delegated": _("delegated a role"),
        "factor_added": _("set up a second factor"),
        "factor_removed": _("removed a second factor"),
        "recovery_codes_made": _("created recovery codes"),
        "recovery_code_used": _("used a recovery code"),
        "sessions_ended": _("ended sessions"),
        "password_set": _("set a password"),
        "email_changed": _("changed their own e-mail address"),
        "phone_changed": _("changed their own telephone"),
        "audit_exported": _("took a copy of the audit"),
    },
    menu=(
        MenuEntry(_("Accounts"), "accounts", 150, ("accounts", "account"), ADMINS, group=Group.OFFICE),
        MenuEntry(_("Audit"), "audit", 180, ("audit",), OVERSEERS, group=Group.OFFICE),
    ),
    first_pages=(
        FirstPage(ADMINS, "account-new", 40, _("Create an account")),
        FirstPage(OVERSEERS, "audit", 50, _("Read the audit")),
    ),
    purges=(
        Work("purge_training", "bluezone.training.purge"),
        Work("purge_identity", "bluezone.identity.retention.purge"),
    ),
    every_tick=(Work("forget_factor_steps", "bluezone.identity.factors.second_factors.purge_steps"),),
    reversers={
        "role-ended": "bluezone.authority.views.undo_revocation",
    },
)
