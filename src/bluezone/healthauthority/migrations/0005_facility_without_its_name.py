# SPDX-License-Identifier: Apache-2.0
"""The typed name of a facility goes: PostgreSQL changes no table in the transaction that has filled it."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("healthauthority", "0004_facility_is_an_agency")]
    operations = [
        migrations.RemoveField("issuedcode", "facility_text"),
        migrations.RemoveField("quotaraise", "facility_text"),
        migrations.AddConstraint(
            "quotaraise",
            models.CheckConstraint(
                condition=Q(worker__isnull=False, facility__isnull=True)
                | Q(worker__isnull=True, facility__isnull=False),
                name="raise_is_for_a_worker_or_a_facility",
            ),
        ),
    ]
