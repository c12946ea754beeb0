# SPDX-License-Identifier: Apache-2.0
"""The results of a plan have a name that says what they are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('planning', '0001_initial'),
    ]

    # Only names in Python change: the columns stay as they are.
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField(model_name='cityplan', old_name='found', new_name='results'),
                migrations.AlterField(
                    model_name='cityplan',
                    name='results',
                    field=models.JSONField(db_column='found', default=list),
                ),
            ],
        ),
    ]
