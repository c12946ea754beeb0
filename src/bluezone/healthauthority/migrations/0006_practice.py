# SPDX-License-Identifier: Apache-2.0
"""Issuing a code can be practised: made-up codes stand apart from the real ones."""

import bluezone.accounts.training
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("healthauthority", "0005_facility_without_its_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="issuedcode",
            options={"base_manager_name": "everything", "ordering": ["-issued_at", "-pk"]},
        ),
        migrations.AlterModelManagers(
            name="issuedcode",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="issuedcode",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
    ]
