# SPDX-License-Identifier: Apache-2.0
"""Text messages as a way to be told of what waits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="choice",
            name="text",
            field=models.BooleanField(default=True, verbose_name="Text messages to my telephone"),
        ),
        migrations.AddField(
            model_name="choice", name="texted", field=models.JSONField(default=list, editable=False)
        ),
        migrations.AddField(
            model_name="choice", name="texted_at", field=models.DateTimeField(editable=False, null=True)
        ),
    ]
