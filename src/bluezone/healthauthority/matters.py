# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: declarations to open."""

import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.scopes import has_city_role
from bluezone.duties.duty import Matter, Pile
from bluezone.healthauthority.duty import HEALTH_SUPERVISORS
from bluezone.healthauthority.models import OpenedDeclaration
from bluezone.healthauthority.queries import SECONDS_PER_HOUR
from bluezone.identity.models import User
from bluezone.office_keyserver import key_server
from bluezone.training import practising

# A declaration should be opened, and its sender called, within this time.
CALL_WITHIN = datetime.timedelta(hours=4)


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Unopened declarations as a single matter, for supervisors of the city."""
    if practising() or not has_city_role(user, HEALTH_SUPERVISORS.roles):
        return []
    sealed = key_server().declarations.list_declarations()
    opened = set(OpenedDeclaration.objects.values_list("handle", flat=True))
    unread = [hour for handle, hour in sealed if handle not in opened]
    if not unread:
        return []
    title = ngettext("%(count)d declaration of a warned person", "%(count)d declarations of warned people", len(unread))
    oldest_hour = min(unread)
    since = datetime.datetime.fromtimestamp(oldest_hour * SECONDS_PER_HOUR, datetime.UTC)
    deadline = since + CALL_WITHIN
    title %= {"count": len(unread)}
    url = reverse("code-declarations")
    return [Matter(f"declarations {oldest_hour}", title, _("Open and call"), url, deadline, Pile.AGENCY)]
