# SPDX-License-Identifier: Apache-2.0
"""What the package of accounts and second persons registers with the office."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Duty, Work

DUTY = Duty(
    name="authority",
    app="bluezone.authority",
    acts={
        "act_asked": _("asked for a second person"),
        "act_confirmed": _("confirmed as the second person"),
        "act_withdrawn": _("withdrew or refused an act that was waiting for a second person"),
        "glass_broken": _("broke the glass: may speak without a second person for one hour"),
        "glass_used": _("spoke to the public after breaking the glass"),
    },
    waiting="bluezone.authority.matters.matters_of",
    open_at="bluezone.authority.role_grants.people_count_sentences",
    search="bluezone.authority.people.accounts.search",
    purges=(
        Work("purge_authority", "bluezone.authority.two_persons.purge"),
        Work("purge_people_lists", "bluezone.authority.people.people_lists.purge"),
    ),
    shared_acts={
        "account-made": "bluezone.authority.account_acts.AccountCreation",
        "role-given": "bluezone.authority.account_acts.RoleGranting",
        "account-linked": "bluezone.authority.account_acts.LinkIssuance",
        "account-freed": "bluezone.authority.account_acts.SecondFactorRemoval",
        "account-opened": "bluezone.authority.account_acts.AccountReactivation",
    },
)
