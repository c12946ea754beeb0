# SPDX-License-Identifier: Apache-2.0
"""A telephone that a person may give for text messages about what waits, sealed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0022_acts_declared_by_duties")]

    operations = [
        migrations.AddField(
            model_name="user", name="sealed_phone", field=models.BinaryField(editable=False, null=True)
        ),
    ]
