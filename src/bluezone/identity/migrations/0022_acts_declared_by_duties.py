# SPDX-License-Identifier: Apache-2.0
"""The last migration of acts: duties declare them, and the table no longer lists them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_squashed_0021_visitor_acts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(max_length=40),
        ),
    ]
