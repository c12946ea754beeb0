# SPDX-License-Identifier: Apache-2.0
"""The lines that both people read have a name that says what they are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authority', '0002_peopleimport'),
    ]

    # Only names in Python change: the columns stay as they are.
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField(model_name='waitingact', old_name='shown', new_name='lines'),
                migrations.AlterField(
                    model_name='waitingact',
                    name='lines',
                    field=models.JSONField(db_column='shown', default=list),
                ),
            ],
        ),
    ]
