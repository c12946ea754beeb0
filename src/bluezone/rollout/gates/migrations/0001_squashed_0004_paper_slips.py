# SPDX-License-Identifier: Apache-2.0
"""What migrations 0001 to 0004 make, each table in one step, so that the store of a new office is ready in seconds."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    replaces = [
        ("gates", "0001_initial"),
        ("gates", "0002_sums_from_the_first_count"),
        ("gates", "0003_gate_kind"),
        ("gates", "0004_paper_slips"),
    ]

    dependencies = [
        ("agencies", "0001_squashed_0003_venues_counted"),
        ("devices", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name='Gate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='Name of the gate')),
                ('number', models.CharField(max_length=8, unique=True)),
                ('kind', models.CharField(choices=[('site', 'site of an agency or venue'), ('drive', 'install drive')], default='site', max_length=5)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gates', to='agencies.agency')),
            ],
            options={
                'ordering': ['agency__name', 'name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='gate_has_a_name'), models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('agency', 'name'), name='gate_name_once_an_agency')],
            },
        ),
        migrations.CreateModel(
            name='GateCounter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bucket', models.BigIntegerField()),
                ('day', models.DateField(db_index=True)),
                ('direction', models.CharField(choices=[('in', 'in'), ('out', 'out')], max_length=3)),
                ('verdict', models.CharField(choices=[('running', 'running'), ('valid_code', 'valid code'), ('screen_seen', 'screen seen'), ('asked_before', 'asked before this half-day'), ('installed_off', 'installed, not on'), ('helped', 'not installed, helped'), ('told', 'not installed, told'), ('no_smartphone', 'no smartphone'), ('out', 'out')], max_length=16)),
                ('proof', models.CharField(choices=[('proven', 'proven'), ('fresh', 'fresh'), ('attested', 'attested'), ('none', 'none')], max_length=8)),
                ('count', models.PositiveIntegerField()),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.device')),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='counters', to='gates.gate')),
            ],
            options={
                'indexes': [models.Index(fields=['gate', 'day'], name='gate_counter_by_day')],
                'constraints': [models.UniqueConstraint(fields=('device', 'bucket', 'direction', 'verdict'), name='gate_counter_once'), models.CheckConstraint(condition=models.Q(models.Q(('direction', 'out'), ('verdict', 'out')), models.Q(('direction', 'in'), models.Q(('verdict', 'out'), _negated=True)), _connector='OR'), name='gate_counter_out_is_out')],
            },
        ),
        migrations.CreateModel(
            name='GateDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('direction', models.CharField(choices=[('in', 'in'), ('out', 'out')], max_length=3)),
                ('verdict', models.CharField(choices=[('running', 'running'), ('valid_code', 'valid code'), ('screen_seen', 'screen seen'), ('asked_before', 'asked before this half-day'), ('installed_off', 'installed, not on'), ('helped', 'not installed, helped'), ('told', 'not installed, told'), ('no_smartphone', 'no smartphone'), ('out', 'out')], max_length=16)),
                ('proof', models.CharField(choices=[('proven', 'proven'), ('fresh', 'fresh'), ('attested', 'attested'), ('none', 'none')], max_length=8)),
                ('count', models.PositiveBigIntegerField()),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='days', to='gates.gate')),
            ],
            options={
                'indexes': [models.Index(fields=['day', 'gate', 'verdict', 'count'], name='gate_day_by_day')],
                'constraints': [models.UniqueConstraint(fields=('gate', 'day', 'direction', 'verdict'), name='gate_day_once'), models.CheckConstraint(condition=models.Q(models.Q(('direction', 'out'), ('verdict', 'out')), models.Q(('direction', 'in'), models.Q(('verdict', 'out'), _negated=True)), _connector='OR'), name='gate_day_out_is_out')],
            },
        ),
        migrations.CreateModel(
            name='GateDevice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('device', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='at_gate', to='devices.device')),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='gates.gate')),
            ],
        ),
        migrations.CreateModel(
            name='Gatekeeper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='Full name')),
                ('phone', models.CharField(blank=True, max_length=20, verbose_name='Telephone')),
                ('is_substitute', models.BooleanField(default=False, verbose_name='Substitute for another')),
                ('since', models.DateField(verbose_name='From')),
                ('until', models.DateField(blank=True, null=True, verbose_name='Until')),
                ('badge', models.CharField(max_length=16, unique=True)),
                ('pin_salt', models.CharField(max_length=32)),
                ('pin_hash', models.CharField(max_length=64)),
                ('nominated_by', models.CharField(max_length=150)),
                ('nominated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='gatekeepers', to='gates.gate')),
            ],
            options={
                'ordering': ['is_substitute', 'name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='gatekeeper_has_a_name'), models.CheckConstraint(condition=models.Q(('until__isnull', True), ('until__gte', models.F('since')), _connector='OR'), name='gatekeeper_until_after_since')],
            },
        ),
        migrations.CreateModel(
            name='PaperSlip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='Day')),
                ('part', models.CharField(choices=[('day', 'whole day'), ('morning', 'morning'), ('afternoon', 'afternoon'), ('evening', 'evening')], default='day', max_length=9, verbose_name='Part of the day')),
                ('screen_seen', models.PositiveIntegerField(default=0, verbose_name='Screen seen')),
                ('installed_off', models.PositiveIntegerField(default=0, verbose_name='Installed, not on')),
                ('helped', models.PositiveIntegerField(default=0, verbose_name='Not installed, helped')),
                ('told', models.PositiveIntegerField(default=0, verbose_name='Not installed, told')),
                ('no_smartphone', models.PositiveIntegerField(default=0, verbose_name='No smartphone')),
                ('went_out', models.PositiveIntegerField(default=0, verbose_name='Out')),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slips', to='gates.gate')),
            ],
            options={
                'ordering': ['-day', 'part'],
                'constraints': [models.UniqueConstraint(fields=('gate', 'day', 'part'), name='gate_slip_once')],
            },
        ),
        migrations.CreateModel(
            name='Shift',
            fields=[
                ('key', models.UUIDField(primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('gate', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shifts', to='gates.gate')),
                ('gatekeeper', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shifts', to='gates.gatekeeper')),
            ],
            options={
                'ordering': ['-started_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('started_at')), _connector='OR'), name='shift_ends_after_start')],
            },
        ),
    ]
