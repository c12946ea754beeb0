# SPDX-License-Identifier: Apache-2.0
"""The table of the masks."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('agencies', '0001_squashed_0003_venues_counted'),
    ]

    operations = [
        migrations.CreateModel(
            name='MaskDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('people', models.PositiveIntegerField()),
                ('shown', models.PositiveIntegerField()),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('unit', 'day'), name='one_row_for_each_ward_and_day'), models.CheckConstraint(condition=models.Q(('shown__lte', models.F('people'))), name='no_more_shown_than_came')],
            },
        ),
    ]
