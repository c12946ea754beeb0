# SPDX-License-Identifier: Apache-2.0
"""Periods of reports that begin when an agency receives the letter; those under way go on as they began."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("directives", "0011_refused_messages")]

    operations = [
        migrations.AddField(model_name="taskparty", name="report_from", field=models.DateField(null=True)),
    ]
