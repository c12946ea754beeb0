# SPDX-License-Identifier: Apache-2.0
"""What migrations 0001 to 0003 make, each table in one step, so that the store of a new office is ready in seconds."""

import bluezone.training
import bluezone.rollout.staffing.models
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.lookups
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    replaces = [
        ("staffing", "0001_initial"),
        ("staffing", "0002_week_requests"),
        ("staffing", "0003_practice"),
    ]

    dependencies = [
        ("accounts", "__first__"),
        ("agencies", "0001_squashed_0003_venues_counted"),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=False)),
                ('week', models.DateField()),
                ('version', models.PositiveSmallIntegerField()),
                ('is_current', models.BooleanField(default=True)),
                ('staff', models.PositiveIntegerField(verbose_name='Staff')),
                ('with_smartphone', models.PositiveIntegerField(verbose_name='With a smartphone')),
                ('running', models.PositiveIntegerField(verbose_name='Bluezone running')),
                ('web_edition', models.PositiveIntegerField(verbose_name='Web version only')),
                ('reminded', models.PositiveIntegerField(verbose_name='Not running, reminded')),
                ('reported_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='staff_reports', to='agencies.agency')),
                ('reported_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-week', 'agency', '-version'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(fields=('agency', 'week', 'training', 'version'), name='staff_version_once'), models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('week', 'training', 'agency'), name='one_current_staff_report'), models.CheckConstraint(condition=models.Q(('with_smartphone__lte', models.F('staff'))), name='smartphones_among_staff'), models.CheckConstraint(condition=models.Q(('with_smartphone__gte', django.db.models.expressions.CombinedExpression(models.F('running'), '+', models.F('web_edition')))), name='running_or_web_on_a_smartphone'), models.CheckConstraint(condition=models.Q(('with_smartphone__gte', django.db.models.expressions.CombinedExpression(models.F('running'), '+', models.F('reminded')))), name='reminded_are_not_running'), models.CheckConstraint(condition=models.Q(('version__gte', 1)), name='staff_versions_from_one'), models.CheckConstraint(condition=django.db.models.lookups.Exact(bluezone.rollout.staffing.models.WeekDay(models.F('week')), 1), name='staff_week_begins_on_monday')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='WeekReopening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('week', models.DateField()),
                ('until', models.DateField()),
                ('reason', models.CharField(max_length=200, verbose_name='Reason')),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='week_reopenings', to='agencies.agency')),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-opened_at'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='reopening_has_a_reason')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='WeekRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('week', models.DateField()),
                ('reason', models.CharField(max_length=200, verbose_name='Reason')),
                ('state', models.CharField(choices=[('open', 'waiting for an answer'), ('granted', 'granted'), ('declined', 'declined')], default='open', max_length=12)),
                ('answer', models.CharField(blank=True, max_length=200, verbose_name='Answer')),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answered_at', models.DateTimeField(null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='week_requests', to='agencies.agency')),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='week_request_has_a_reason'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'granted', 'declined'])), name='week_request_state_is_known'), models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('agency', 'week', 'training'), name='one_open_request_a_week')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
    ]
