# SPDX-License-Identifier: Apache-2.0
"""The stores that tests copy have the tables of Bluezone's own duties; here the new one's are added."""

import pytest
from django.core.management import call_command


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """Tables of the new duty as well."""
    with django_db_blocker.unblock():
        call_command("migrate", "newduty", verbosity=0)
