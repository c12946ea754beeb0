# SPDX-License-Identifier: Apache-2.0
"""Whether the message with a code went out by the house's text messages; no number, and no time."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('healthauthority', '0007_forgetting'),
    ]

    operations = [
        migrations.AddField(
            model_name='issuedcode',
            name='messaged',
            field=models.BooleanField(default=False),
        ),
    ]
