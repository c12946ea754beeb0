# SPDX-License-Identifier: Apache-2.0
"""Passages without a known day, and people inside over midnight.

People are carried over midnight from the day of this change on: what earlier days left over was never corrected.
"""

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """A table, and two columns of a gate."""

    dependencies: ClassVar = [("devices", "0001_initial"), ("gates", "0002_device_health")]
    operations: ClassVar = [
        migrations.AddField(
            model_name='gate',
            name='inside_before',
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name='gate',
            name='inside_since',
            field=models.DateField(default=django.utils.timezone.localdate),
        ),
        migrations.CreateModel(
            name='UndatedCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bucket', models.BigIntegerField()),
                ('received', models.DateField(db_index=True)),
                ('direction', models.CharField(choices=[('in', 'in'), ('out', 'out')], max_length=3)),
                ('verdict', models.CharField(choices=[('running', 'running'), ('valid_code', 'valid code'), ('screen_seen', 'screen seen'), ('asked_before', 'asked before this half-day'), ('installed_off', 'installed, not on'), ('helped', 'not installed, helped'), ('told', 'not installed, told'), ('no_smartphone', 'no smartphone'), ('out', 'out')], max_length=16)),
                ('count', models.PositiveIntegerField()),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.device')),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='undated', to='gates.gate')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('device', 'bucket', 'direction', 'verdict'), name='gate_undated_once'), models.CheckConstraint(condition=models.Q(models.Q(('direction', 'out'), ('verdict', 'out')), models.Q(('direction', 'in'), models.Q(('verdict', 'out'), _negated=True)), _connector='OR'), name='gate_undated_out_is_out')],
            },
        ),
    ]
