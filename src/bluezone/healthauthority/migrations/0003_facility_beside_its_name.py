# SPDX-License-Identifier: Apache-2.0
"""The facility as an agency of the directory, beside the name that stood there; filled by the next migration."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("healthauthority", "0002_console"), ("agencies", "0002_code_once_a_day")]
    operations = [
        migrations.RemoveConstraint("quotaraise", "raise_is_for_a_worker_or_a_facility"),
        migrations.RenameField("issuedcode", "facility", "facility_text"),
        migrations.RenameField("quotaraise", "facility", "facility_text"),
        *[
            migrations.AddField(
                name,
                "facility",
                models.ForeignKey(
                    null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.agency"
                ),
            )
            for name in ("issuedcode", "quotaraise")
        ],
    ]
