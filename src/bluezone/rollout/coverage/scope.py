# SPDX-License-Identifier: Apache-2.0
"""Who sees numbers that are kept back from others."""

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.models import AdminUnit
from bluezone.directory.scopes import may
from bluezone.identity.audiences import OfficeRequest


def sees_small_numbers(request: OfficeRequest, unit: AdminUnit) -> bool:
    """Whoever enters a ward's numbers sees them; `overview` refuses it above the ward."""
    return may(request.user, STAFF_REPORTERS.roles, unit=unit)
