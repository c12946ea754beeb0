# SPDX-License-Identifier: Apache-2.0
"""A list of households is stored some rows at a time, and its doors are seen when the last of them is."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0001_squashed_0003_venues_counted'),
        ('canvass', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='doorsimport',
            name='accepted',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='doorsimport',
            name='added',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='doorsimport',
            name='changed',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='doorsimport',
            name='done',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='doorsimport',
            name='left',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='doorsimport',
            name='state',
            field=models.CharField(blank=True, choices=[('', 'being checked'), ('storing', 'new doors are being stored; nobody sees them yet'), ('changing', 'changed doors are being stored'), ('looking', 'doors that may be one are being looked for'), ('back', 'being undone'), ('done', 'stored')], default='', max_length=8),
        ),
        migrations.AddField(
            model_name='household',
            name='arriving',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='doors', to='canvass.doorsimport'),
        ),
        migrations.AddIndex(
            model_name='household',
            index=models.Index(condition=models.Q(('arriving__isnull', False)), fields=['arriving'], name='household_arriving'),
        ),
    ]
